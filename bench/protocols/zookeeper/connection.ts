// A ZooKeeper session: requests answered in order, watch events in between.

import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { type Address, connect } from "../sockets.ts";

const SESSION_MS = 40_000;
/** The part of a session's time after which its client says that it is there. */
const PING_PART = 4;
const XID = { WATCH: -1, PING: -2 } as const;
const OP = { PING: 11 } as const;
const REPLY_HEAD_BYTES = 16;
const NOTHING: Buffer = Buffer.alloc(0);

/** The reply: the error code, 0 if there is none, and the record; only valid during the call. */
export type OnReply = (error: number, record: Buffer) => void;

/** A watch event's type and path; only valid during the call. */
export type OnEvent = (type: number, bytes: number) => void;

export interface ConnectionOptions {
  readonly onEvent?: OnEvent;
  /** Requests that have no reply by then get none. */
  readonly onClose?: () => void;
  /** The time after which the server ends the session of a client that is silent. */
  readonly sessionMs?: number;
}

export class ZookeeperConnection {
  readonly #onEvent: OnEvent;
  #socket: Socket | undefined;
  #pings: NodeJS.Timeout | undefined;
  // The beginning of a frame that is not whole.
  #rest = NOTHING;
  readonly #replies: OnReply[] = [];
  #nextReply = 0;
  #xid = 1;
  #connected: (() => void) | undefined;

  private constructor(onEvent: OnEvent) {
    this.#onEvent = onEvent;
  }

  /** Rejects if the server refuses a session, or the connection. */
  static async open(
    address: Address,
    { onEvent = () => undefined, onClose = () => undefined, sessionMs = SESSION_MS }: ConnectionOptions = {},
  ): Promise<ZookeeperConnection> {
    const connection = new ZookeeperConnection(onEvent);
    const onRead = (chunk: Buffer) => {
      connection.#read(chunk);
      return true;
    };
    const connected = Promise.withResolvers<void>();
    connection.#connected = connected.resolve;
    const onEnd = () => {
      connected.reject(new Error("the server refused a session"));
      clearInterval(connection.#pings);
      onClose();
    };
    connection.#socket = await connect(address, { onRead, onClose: onEnd });
    connection.#socket.write(framed([int(0), long(0n), int(sessionMs), long(0n), buffer(Buffer.alloc(16)), NO]));
    await connected.promise;
    connection.#pings = setInterval(() => connection.#ping(), sessionMs / PING_PART).unref();
    return connection;
  }

  request(type: number, record: readonly Buffer[], onReply: OnReply): void {
    this.#replies.push(onReply);
    this.#socket?.write(framed([int(this.#xid++), int(type), ...record]));
  }

  cork(): void {
    this.#socket?.cork();
  }

  uncork(): void {
    this.#socket?.uncork();
  }

  close(): void {
    clearInterval(this.#pings);
    this.#socket?.destroy();
  }

  #ping(): void {
    this.#socket?.write(framed([int(XID.PING), int(OP.PING)]));
  }

  #read(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (bytes.length - at >= 4) {
      const end = at + 4 + bytes.readInt32BE(at);
      if (end > bytes.length) break;
      this.#take(bytes.subarray(at + 4, end));
      at = end;
    }
    this.#rest = at === bytes.length ? NOTHING : Buffer.from(bytes.subarray(at));
  }

  #take(frame: Buffer): void {
    if (this.#connected !== undefined) {
      this.#connected();
      this.#connected = undefined;
      return;
    }
    const xid = frame.readInt32BE(0);
    if (xid === XID.WATCH) return this.#onEvent(frame.readInt32BE(REPLY_HEAD_BYTES), frame.length + 4);
    if (xid === XID.PING) return;
    const onReply = this.#replies[this.#nextReply++];
    if (this.#nextReply === this.#replies.length) {
      this.#replies.length = 0;
      this.#nextReply = 0;
    }
    onReply?.(frame.readInt32BE(12), frame.subarray(REPLY_HEAD_BYTES));
  }
}

const NO = Buffer.from([0]);

export function int(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function long(value: bigint): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeBigInt64BE(value);
  return bytes;
}

export function buffer(bytes: Buffer): Buffer {
  return Buffer.concat([int(bytes.length), bytes]);
}

export function text(value: string): Buffer {
  return buffer(Buffer.from(value));
}

export function bool(value: boolean): Buffer {
  return Buffer.from([value ? 1 : 0]);
}

function framed(parts: readonly Buffer[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([int(length), ...parts], length + 4);
}
