// gRPC over HTTP/2 without TLS, as light as the drivers' Bolt: a connection writes its frames itself, and of what comes
// it looks at messages only. Node's own http2 takes some 50 µs for each small message, which would be half of what is
// measured. Headers of answers are not decoded: a call that ends without a message has failed.

import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { type Address, connect } from "../sockets.ts";
import { type ControlFrame, FLAG, FRAME, HEAD_BYTES, Http2Reader } from "./reader.ts";

/** The events of one stream. */
export interface StreamEvents {
  /** A piece of a gRPC message or of several, with their prefixes; only valid during the call. */
  onPiece(piece: Buffer): void;
  /** The server is done with it, or has reset it, or the connection is gone. */
  onEnd(): void;
}

const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const SETTINGS_INITIAL_WINDOW = 4;
const WINDOW_MAX = 0x7fff_ffff;
const WINDOW_DEFAULT = 65_535;
// After so many bytes the server gets the right to as many more.
const WINDOW_STEP = 1 << 29;

export class GrpcConnection {
  readonly #streams = new Map<number, StreamEvents>();
  readonly #paths = new Map<string, Buffer>();
  readonly #authority: string;
  #socket: Socket | undefined;
  #nextStream = 1;
  /** The bytes that may still be sent, and the frames that wait until they may. */
  #window = WINDOW_DEFAULT;
  #waiting: { stream: number; frame: Buffer }[] = [];
  #received = 0;

  private constructor(address: Address) {
    this.#authority = `${address.host}:${address.port}`;
  }

  static async open(address: Address): Promise<GrpcConnection> {
    const connection = new GrpcConnection(address);
    const reader = new Http2Reader({
      data: (stream, piece) => connection.#data(stream, piece),
      dataEnded: (stream) => connection.#ended(stream),
      control: (frame) => connection.#control(frame),
    });
    const onRead = (chunk: Buffer) => {
      reader.read(chunk);
      return true;
    };
    connection.#socket = await connect(address, { onRead, onClose: () => connection.#closed() });
    const settings = Buffer.alloc(6);
    settings.writeUInt16BE(SETTINGS_INITIAL_WINDOW);
    settings.writeUInt32BE(WINDOW_MAX, 2);
    const more = windowUpdate(WINDOW_MAX - WINDOW_DEFAULT);
    connection.#socket.write(Buffer.concat([PREFACE, frame(FRAME.SETTINGS, 0, 0, settings), more]));
    return connection;
  }

  /** Calls a method with one message; `isEnded` if there will be no other one. Returns the stream. */
  call(path: string, message: Uint8Array, events: StreamEvents, isEnded = true): number {
    const stream = this.#nextStream;
    this.#nextStream += 2;
    this.#streams.set(stream, events);
    this.#socket?.cork();
    this.#socket?.write(frame(FRAME.HEADERS, FLAG.END_HEADERS, stream, this.#headersOf(path)));
    this.send(stream, message, isEnded);
    this.#socket?.uncork();
    return stream;
  }

  /** Sends a message on a stream that is open. */
  send(stream: number, message: Uint8Array, isEnded = false): void {
    const payload = Buffer.allocUnsafe(5 + message.length);
    payload[0] = 0;
    payload.writeUInt32BE(message.length, 1);
    payload.set(message, 5);
    this.#waiting.push({ stream, frame: frame(FRAME.DATA, isEnded ? FLAG.END_STREAM : 0, stream, payload) });
    this.#sendWhatMay();
  }

  /** Holds what is written until `uncork`, so that many calls leave in one piece. */
  cork(): void {
    this.#socket?.cork();
  }

  uncork(): void {
    this.#socket?.uncork();
  }

  close(): void {
    this.#streams.clear();
    this.#socket?.destroy();
  }

  #sendWhatMay(): void {
    let sent = 0;
    for (const { frame: bytes } of this.#waiting) {
      const size = bytes.length - HEAD_BYTES;
      if (size > this.#window) break;
      this.#window -= size;
      this.#socket?.write(bytes);
      sent++;
    }
    if (sent === this.#waiting.length) this.#waiting = [];
    else this.#waiting.splice(0, sent);
  }

  #headersOf(path: string): Buffer {
    let block = this.#paths.get(path);
    if (block === undefined) {
      block = headers(path, this.#authority);
      this.#paths.set(path, block);
    }
    return block;
  }

  #data(stream: number, piece: Buffer): void {
    this.#received += piece.length;
    if (this.#received > WINDOW_STEP) {
      this.#socket?.write(windowUpdate(this.#received));
      this.#received = 0;
    }
    this.#streams.get(stream)?.onPiece(piece);
  }

  #ended(stream: number): void {
    const events = this.#streams.get(stream);
    this.#streams.delete(stream);
    events?.onEnd();
  }

  #control({ type, flags, stream, payload }: ControlFrame): void {
    if (type === FRAME.HEADERS && (flags & FLAG.END_STREAM) !== 0) this.#ended(stream);
    if (type === FRAME.RST_STREAM) this.#ended(stream);
    if (type === FRAME.GOAWAY) this.#socket?.destroy();
    if (type === FRAME.SETTINGS && (flags & FLAG.ACK) === 0) this.#socket?.write(frame(FRAME.SETTINGS, FLAG.ACK, 0));
    if (type === FRAME.PING && (flags & FLAG.ACK) === 0) this.#socket?.write(frame(FRAME.PING, FLAG.ACK, 0, payload));
    if (type === FRAME.WINDOW_UPDATE && stream === 0) {
      this.#window += payload.readUInt32BE();
      this.#sendWhatMay();
    }
  }

  #closed(): void {
    const streams = [...this.#streams.values()];
    this.#streams.clear();
    for (const events of streams) events.onEnd();
  }
}

const NOTHING: Buffer = Buffer.alloc(0);

function frame(type: number, flags: number, stream: number, payload = NOTHING): Buffer {
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes[3] = type;
  bytes[4] = flags;
  bytes.writeUInt32BE(stream, 5);
  payload.copy(bytes, HEAD_BYTES);
  return bytes;
}

function windowUpdate(bytes: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(bytes);
  return frame(FRAME.WINDOW_UPDATE, 0, 0, payload);
}

/** The headers of a gRPC call in HPACK, nothing of it kept in its table: POST, http, path, authority, type, te. */
function headers(path: string, authority: string): Buffer {
  const literal = (text: string) => [Buffer.from([text.length]), Buffer.from(text)];
  return Buffer.concat([
    Buffer.from([0x83, 0x86, 0x04]),
    ...literal(path),
    Buffer.from([0x01]),
    ...literal(authority),
    Buffer.from([0x0f, 0x10]),
    ...literal("application/grpc"),
    Buffer.from([0x00]),
    ...literal("te"),
    ...literal("trailers"),
  ]);
}
