// Many frames that differ in a number only: one is encoded, and each further one is a copy with other digits. So one
// attacker asks for more than any server takes.

import { Buffer } from "node:buffer";

// Such a text stands nowhere else in a frame.
const MARK = "9081726354";
const DIGITS = MARK.length;
const ID_AT = 5;

export class FrameTemplate {
  readonly #frame: Buffer;
  readonly #markedAt: readonly number[];

  /** `make` gets the text that stands for the number, and puts it where it belongs: registId, dataId, … */
  constructor(make: (number: string) => Uint8Array) {
    this.#frame = Buffer.from(make(MARK));
    const markedAt: number[] = [];
    for (let at = this.#frame.indexOf(MARK); at >= 0; at = this.#frame.indexOf(MARK, at + 1)) markedAt.push(at);
    this.#markedAt = markedAt;
  }

  get bytes(): number {
    return this.#frame.length;
  }

  /** The frames of `count` numbers from `from` on, as one buffer; request ids are the numbers. */
  batch(from: number, count: number): Buffer {
    const batch = Buffer.allocUnsafe(this.bytes * count);
    for (let at = 0; at < count; at++) {
      const start = at * this.bytes;
      this.#frame.copy(batch, start);
      batch.writeInt32BE((from + at) & 0x7fff_ffff, start + ID_AT);
      const digits = String(from + at).padStart(DIGITS, "0");
      for (const marked of this.#markedAt) batch.write(digits, start + marked, "latin1");
    }
    return batch;
  }
}
