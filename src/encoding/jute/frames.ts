// Cuts a stream into frames: four bytes of length, and as many bytes. Frames come in any pieces. A declared length
// allocates nothing: pieces are kept as they came until the frame is whole.

import { juteError } from "./errors.ts";

const HEAD_BYTES = 4;

export class FrameDecoder {
  readonly #frameBytesMax: number;
  #pieces: Uint8Array[] = [];
  #bytes = 0;
  /** The length of the frame that is coming; undefined before its head is whole. */
  #needed: number | undefined;

  constructor(frameBytesMax: number) {
    this.#frameBytesMax = frameBytesMax;
  }

  /** The bytes of a frame that is not whole yet, and of frames behind it. */
  get pendingBytes(): number {
    return this.#bytes;
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#pieces.push(chunk);
    this.#bytes += chunk.length;
  }

  /** The next whole frame, without its head; undefined if it is not there yet. Throws JUTE_FRAME_TOO_LARGE. */
  next(): Uint8Array | undefined {
    if (this.#needed === undefined) {
      if (this.#bytes < HEAD_BYTES) return undefined;
      const head = this.#take(HEAD_BYTES);
      const length = new DataView(head.buffer, head.byteOffset, HEAD_BYTES).getInt32(0);
      if (length < 0 || length > this.#frameBytesMax) {
        throw juteError("JUTE_FRAME_TOO_LARGE", { frameBytes: length, frameBytesMax: this.#frameBytesMax });
      }
      this.#needed = length;
    }
    if (this.#bytes < this.#needed) return undefined;
    const frame = this.#take(this.#needed);
    this.#needed = undefined;
    return frame;
  }

  /** The first bytes, which stay; undefined if there are not as many. */
  peek(count: number): Uint8Array | undefined {
    if (this.#bytes < count) return undefined;
    const bytes = this.#take(count);
    this.#pieces.unshift(bytes);
    this.#bytes += count;
    return bytes;
  }

  #take(count: number): Uint8Array {
    this.#bytes -= count;
    const [first] = this.#pieces;
    if (first !== undefined && first.length >= count) {
      if (first.length === count) this.#pieces.shift();
      else this.#pieces[0] = first.subarray(count);
      return first.subarray(0, count);
    }
    return this.#gather(count);
  }

  #gather(count: number): Uint8Array {
    const bytes = new Uint8Array(count);
    let at = 0;
    let used = 0;
    for (const piece of this.#pieces) {
      const part = piece.subarray(0, count - at);
      bytes.set(part, at);
      at += part.length;
      if (part.length < piece.length) {
        this.#pieces[used] = piece.subarray(part.length);
        break;
      }
      used++;
    }
    this.#pieces.splice(0, used);
    return bytes;
  }
}
