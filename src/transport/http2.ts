// HTTP/2 for clients: Node's sessions and streams on one side, the small interfaces of base/http2.ts on the other. As
// at TCP ports, all clients together get a share of each turn of the event loop, and what a client does not read waits
// here, in pieces, so that a client that reads slowly can be told from one that does not read.

import {
  constants,
  type OutgoingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type ServerOptions,
} from "node:http2";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { assert } from "../base/assert.ts";
import type { Http2Acceptor, Http2Call, Http2CallHandler, Http2Connection, Http2Headers } from "../base/http2.ts";
import type { Clock, PeerCertificate } from "../base/ports.ts";
import { formatAddress } from "./address.ts";
import { type ListenOptions, listenSockets, type SocketListener } from "./listen.ts";
import { ReadTurns } from "./readTurns.ts";
import { destroySoon, ENCRYPTION_BYTES } from "./tcp.ts";
import { certificateShownOn } from "./tls/peerCertificate.ts";

export interface Http2Options extends ListenOptions {
  readonly clock: Clock;
  readonly accept: Http2Acceptor;
}

/** The most calls of one connection at a time; a client's further ones wait at the client. */
export const CALLS_MAX = 256;
// A client may send this much of one call, and of all of them, before it was read.
const CALL_WINDOW_BYTES = 256 * 1024;
const CONNECTION_WINDOW_BYTES = 1024 * 1024;
// Headers are a path and a few fixed words.
const HEADER_BYTES_MAX = 16 * 1024;
// Output goes to a call in pieces of this size; its next piece when the one before has left.
const PIECE_BYTES = 64 * 1024;
// Parts of a longer piece go to the system as they are: lists are shared by all who are pushed them, and copies for a
// hundred subscribers made V8 collect all garbage every few changes (docs/internals/performance.md). Below this, a copy
// is cheaper than a write of several parts.
const JOINED_BYTES_MAX = 4 * 1024;

const SESSION: ServerOptions = {
  settings: {
    enablePush: false,
    headerTableSize: 4_096,
    initialWindowSize: CALL_WINDOW_BYTES,
    maxConcurrentStreams: CALLS_MAX,
    maxHeaderListSize: HEADER_BYTES_MAX,
  },
  maxSessionInvalidFrames: 10,
  maxSessionRejectedStreams: 10,
  maxHeaderListPairs: 64,
  maxSessionMemory: 16,
};

/** Listens; rejects with ADDRESS_IN_USE or CONFIG_INVALID when it can't. */
export async function listenHttp2(options: Http2Options): Promise<SocketListener> {
  const { clock, accept, tls } = options;
  const turns = new ReadTurns(clock);
  const secured = tls && { ...tls, protocols: ["h2"] };
  const open = new Set<Promise<void>>();
  const listener = await listenSockets({ ...options, tls: secured }, (socket) => {
    const session = performServerHandshake(socket, SESSION);
    session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
    const connection = new SessionConnection(session, socket);
    const over = serve(connection, { accept, clock, turns });
    open.add(over);
    void over.then(() => open.delete(over));
    return {
      close: () => {
        connection.onClosing();
        connection.close();
      },
    };
  });
  return {
    port: listener.port,
    get connections() {
      return listener.connections;
    },
    stopListening: () => listener.stopListening(),
    endSome: (count) => listener.endSome(count),
    close: async () => {
      await listener.close();
      // A session notices the end of its socket a moment later.
      await Promise.all(open);
    },
  };
}

interface Serving {
  readonly accept: Http2Acceptor;
  readonly clock: Clock;
  readonly turns: ReadTurns;
}

/** Resolves when the connection is over. */
function serve(connection: SessionConnection, { accept, clock, turns }: Serving): Promise<void> {
  const { session } = connection;
  const handler = accept(connection, clock.nowMs());
  connection.onDrained = () => handler.drained(clock.nowMs());
  connection.onClosing = () => handler.closing(clock.nowMs());
  // A fault of the peer's ends its connection; the close event follows.
  session.on("error", () => session.destroy());
  session.on("stream", (stream, headers) => {
    const call = new StreamCall(stream, headers, connection);
    stream.on("error", () => stream.destroy());
    const callHandler = handler.called(call, clock.nowMs());
    serveCall(call, callHandler, { clock, turns, waits: (bytes, nowMs) => handler.waits(bytes, nowMs) });
  });
  return new Promise((resolve) => {
    session.once("close", () => {
      // The streams' own close events may come later.
      connection.endCalls();
      handler.closed(clock.nowMs());
      resolve();
    });
  });
}

function serveCall(
  call: StreamCall,
  handler: Http2CallHandler,
  { clock, turns, waits }: Pick<Serving, "clock" | "turns"> & { waits: (bytes: number, nowMs: number) => void },
): void {
  const { stream, connection } = call;
  const unread: Buffer[] = [];
  let isEnded = false;
  const forgetUnread = () => {
    for (const chunk of unread.splice(0)) connection.unreadBytes -= chunk.length;
  };
  call.onClosed = () => {
    forgetUnread();
    handler.closed(clock.nowMs());
  };
  const takeNext = () => {
    const chunk = unread.shift();
    if (chunk === undefined || call.isClosed) return;
    connection.unreadBytes -= chunk.length;
    handler.received(chunk, clock.nowMs());
    if (unread.length > 0) return;
    stream.resume();
    if (isEnded) handler.ended(clock.nowMs());
  };
  stream.on("data", (chunk: Buffer) => {
    const nowMs = clock.nowMs();
    if (call.isClosed || stream.aborted) return;
    if (unread.length === 0 && turns.hasTime(nowMs)) return handler.received(chunk, nowMs);
    stream.pause();
    unread.push(chunk);
    connection.unreadBytes += chunk.length;
    turns.later(takeNext);
    waits(connection.unreadBytes, nowMs);
  });
  stream.once("end", () => {
    isEnded = true;
    // Of a stream that was reset without an error code Node waits for the output that had not left, for ever.
    if (stream.closed) stream.destroy();
    else if (unread.length === 0 && !call.isClosed) handler.ended(clock.nowMs());
  });
  // The client has reset the call. Without an error code the stream closes only when its input was read.
  stream.once("aborted", () => {
    forgetUnread();
    stream.resume();
  });
  stream.once("close", () => call.closed());
}

class SessionConnection implements Http2Connection {
  readonly session: ServerHttp2Session;
  readonly certificate: PeerCertificate | undefined;
  readonly encryptionBytes: number;
  readonly remoteAddress: string;
  readonly localAddress: string;
  readonly calls = new Set<StreamCall>();
  bufferedBytes = 0;
  /** Input that waits for a turn. */
  unreadBytes = 0;
  readonly #socket: Socket;
  #isLookAsked = false;
  #hasWaited = false;
  onDrained: () => void = () => undefined;
  onClosing: () => void = () => undefined;

  constructor(session: ServerHttp2Session, socket: Socket) {
    this.session = session;
    this.#socket = socket;
    this.remoteAddress = formatAddress(socket.remoteAddress, socket.remotePort);
    this.localAddress = formatAddress(socket.localAddress, socket.localPort);
    const isTls = socket instanceof TLSSocket;
    this.encryptionBytes = isTls ? ENCRYPTION_BYTES : 0;
    this.certificate = certificateShownOn(socket);
  }

  get hasUnread(): boolean {
    return this.unreadBytes > 0;
  }

  /** Some output of a call has left, or will never leave. */
  left(bytes: number): void {
    this.bufferedBytes -= bytes;
    if (this.bufferedBytes > 0 || !this.#hasWaited || this.session.destroyed) return;
    this.#hasWaited = false;
    this.onDrained();
  }

  /** Some output of a call is buffered now: what is still here in the next turn has waited. */
  waits(bytes: number): void {
    this.bufferedBytes += bytes;
    if (this.#isLookAsked || this.#hasWaited) return;
    this.#isLookAsked = true;
    setImmediate(() => {
      this.#isLookAsked = false;
      this.#hasWaited = this.bufferedBytes > 0;
    });
  }

  endCalls(): void {
    for (const call of [...this.calls]) call.closed();
  }

  close(): void {
    if (!this.session.closed) this.session.close();
    // Even a session that is destroyed waits until the client closes the connection.
    destroySoon(this.#socket);
  }
}

class StreamCall implements Http2Call {
  readonly stream: ServerHttp2Stream;
  readonly connection: SessionConnection;
  readonly path: string;
  readonly headers: Http2Headers;
  isClosed = false;
  onClosed: () => void = () => undefined;
  #trailers: OutgoingHttpHeaders | undefined;
  // Output behind the piece that is on its way.
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #pieceBytes = 0;

  constructor(stream: ServerHttp2Stream, headers: Http2Headers, connection: SessionConnection) {
    this.stream = stream;
    this.connection = connection;
    this.headers = headers;
    const path = headers[constants.HTTP2_HEADER_PATH];
    this.path = typeof path === "string" ? path : "";
    connection.calls.add(this);
  }

  open(headers: Http2Headers): void {
    const { stream } = this;
    if (stream.closed || stream.headersSent) return;
    stream.respond(outgoing(headers), { waitForTrailers: true });
    stream.once("wantTrailers", () => stream.sendTrailers(this.#trailers ?? {}));
  }

  write(...parts: readonly Uint8Array[]): void {
    if (this.isClosed || this.#trailers !== undefined) return;
    for (const part of parts) {
      this.#waiting.push(part);
      this.#waitingBytes += part.length;
      this.connection.waits(part.length);
    }
    this.#send();
  }

  end(trailers: Http2Headers): void {
    if (this.isClosed || this.#trailers !== undefined) return;
    this.#trailers = outgoing(trailers);
    this.#send();
  }

  reset(): void {
    this.stream.close(constants.NGHTTP2_CANCEL);
    this.closed();
  }

  /** The stream is over; may be called twice. */
  closed(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.connection.calls.delete(this);
    this.#waiting = [];
    const left = this.#waitingBytes + this.#pieceBytes;
    this.#waitingBytes = 0;
    this.#pieceBytes = 0;
    this.onClosed();
    this.connection.left(left);
  }

  #send(): void {
    if (this.#pieceBytes > 0) return;
    if (this.#waitingBytes > 0) this.#sendPiece();
    else if (this.#trailers !== undefined && !this.stream.destroyed) this.stream.end();
  }

  #sendPiece(): void {
    const bytes = Math.min(this.#waitingBytes, PIECE_BYTES);
    const parts = this.#take(bytes);
    this.#pieceBytes = bytes;
    this.#waitingBytes -= bytes;
    const onLeft = () => {
      if (this.isClosed) return;
      this.#pieceBytes = 0;
      this.connection.left(bytes);
      this.#send();
    };
    const { stream } = this;
    const last = bytes <= JOINED_BYTES_MAX ? Buffer.concat(parts.splice(0)) : parts.pop();
    stream.cork();
    for (const part of parts) stream.write(part);
    if (this.#waitingBytes === 0 && this.#trailers !== undefined) stream.end(last, onLeft);
    else stream.write(last, onLeft);
    stream.uncork();
  }

  /** Takes `bytes` of what waits. */
  #take(bytes: number): Uint8Array[] {
    const taken: Uint8Array[] = [];
    let left = bytes;
    while (left > 0) {
      const part = this.#waiting.shift();
      assert(part !== undefined, "output waits");
      taken.push(part.length <= left ? part : part.subarray(0, left));
      if (part.length > left) this.#waiting.unshift(part.subarray(left));
      left -= Math.min(left, part.length);
    }
    return taken;
  }
}

function outgoing(headers: Http2Headers): OutgoingHttpHeaders {
  const sent: OutgoingHttpHeaders = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) sent[name] = typeof value === "string" ? value : [...value];
  }
  return sent;
}
