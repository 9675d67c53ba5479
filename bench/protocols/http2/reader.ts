// Reads HTTP/2 frames. The content of DATA frames is passed on in the pieces in which it arrives; control frames come
// whole.

import { Buffer } from "node:buffer";

export const FRAME = {
  DATA: 0,
  HEADERS: 1,
  RST_STREAM: 3,
  SETTINGS: 4,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const;

export const FLAG = { END_STREAM: 1, ACK: 1, END_HEADERS: 4, PADDED: 8 } as const;

export const HEAD_BYTES = 9;

export interface ControlFrame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  /** Only valid during the call. */
  readonly payload: Buffer;
}

export interface Http2Events {
  /** A piece of what a stream is sent; only valid during the call. */
  data(stream: number, piece: Buffer): void;
  /** The other side is done with a stream. */
  dataEnded(stream: number): void;
  control(frame: ControlFrame): void;
}

export class Http2Reader {
  readonly #events: Http2Events;
  readonly #head = Buffer.alloc(HEAD_BYTES);
  #headBytes = 0;
  #left = 0;
  #type = 0;
  #flags = 0;
  #stream = 0;
  #control: Buffer[] = [];

  constructor(events: Http2Events) {
    this.#events = events;
  }

  read(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#headBytes < HEAD_BYTES) {
        at = this.#readHead(chunk, at);
        // An empty frame is complete with its head.
        if (this.#headBytes === HEAD_BYTES && this.#left === 0) this.#complete();
        continue;
      }
      const end = Math.min(chunk.length, at + this.#left);
      const piece = chunk.subarray(at, end);
      if (this.#type === FRAME.DATA) this.#events.data(this.#stream, piece);
      else this.#control.push(Buffer.from(piece));
      this.#left -= end - at;
      at = end;
      if (this.#left === 0) this.#complete();
    }
  }

  #readHead(chunk: Buffer, at: number): number {
    const count = Math.min(HEAD_BYTES - this.#headBytes, chunk.length - at);
    chunk.copy(this.#head, this.#headBytes, at, at + count);
    this.#headBytes += count;
    if (this.#headBytes === HEAD_BYTES) {
      this.#left = this.#head.readUIntBE(0, 3);
      this.#type = this.#head[3] ?? 0;
      this.#flags = this.#head[4] ?? 0;
      this.#stream = this.#head.readUInt32BE(5) & 0x7fff_ffff;
      if (this.#type === FRAME.DATA && (this.#flags & FLAG.PADDED) !== 0) throw new Error("padded HTTP/2 data");
    }
    return at + count;
  }

  #complete(): void {
    const [type, flags, stream] = [this.#type, this.#flags, this.#stream];
    this.#headBytes = 0;
    if (type === FRAME.DATA) {
      if ((flags & FLAG.END_STREAM) !== 0) this.#events.dataEnded(stream);
      return;
    }
    const payload = this.#control.length === 1 ? (this.#control[0] as Buffer) : Buffer.concat(this.#control);
    this.#control = [];
    this.#events.control({ type, flags, stream, payload });
  }
}
