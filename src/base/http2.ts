// HTTP/2 as pure code sees it: connections of clients, and calls on them. A call is a stream of bytes in both
// directions, with headers in front and trailers behind. gRPC is made of these (encoding/grpc).

import type { PeerCertificate } from "./ports.ts";

/** Names in lower case. */
export type Http2Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** One client's connection. */
export interface Http2Connection {
  /** As in `Connection`. */
  readonly certificate?: PeerCertificate | undefined;
  readonly encryptionBytes?: number;
  /** `ip:port` of the client, as reported by the socket. IPv4 in dotted form, IPv6 in brackets. */
  readonly remoteAddress: string;
  /** `ip:port` at which the client reached us. */
  readonly localAddress: string;
  /** Bytes written to all of its calls and not yet handed to the network. */
  readonly bufferedBytes: number;
  /** The client has sent bytes that are here and wait for their turn, so a client that seems silent is not. */
  readonly hasUnread: boolean;
  /** Takes no new calls, sends what is buffered, then ends the connection. The handler's `closed` follows. */
  close(): void;
}

/** One call of a client. */
export interface Http2Call {
  readonly path: string;
  readonly headers: Http2Headers;
  /** Sends the headers of the answer. Called once, before the first `write`. */
  open(headers: Http2Headers): void;
  /** Sends the parts in order. Other calls share the buffers, so the caller must not change them afterwards. */
  write(...parts: readonly Uint8Array[]): void;
  /** Sends what is buffered, then ends the answer with these trailers. */
  end(trailers: Http2Headers): void;
  /** Ends the call at once: nothing more is read or sent. */
  reset(): void;
}

/** The events of a call. Nothing comes after `closed`. */
export interface Http2CallHandler {
  received(chunk: Uint8Array, nowMs: number): void;
  /** The client has sent everything that it had to say in this call. */
  ended(nowMs: number): void;
  /** The call is over, in order or not. */
  closed(nowMs: number): void;
}

/** The events of a connection. Nothing comes after `closed`; the `closed` of its calls comes before. */
export interface Http2Handler {
  called(call: Http2Call, nowMs: number): Http2CallHandler;
  /** The connection has read `bytes`, which wait for their turn; `received` of a call follows. */
  waits(bytes: number, nowMs: number): void;
  /** Nothing waits any more to be sent, after bytes had to wait. */
  drained(nowMs: number): void;
  /** The node ends the connection: what is written now still goes out. */
  closing(nowMs: number): void;
  closed(nowMs: number): void;
}

/** Accepts a new connection and returns its handler. */
export type Http2Acceptor = (connection: Http2Connection, nowMs: number) => Http2Handler;
