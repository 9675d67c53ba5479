// Writes Jute; ./reader.ts describes the format.

import { assert } from "../../base/assert.ts";
import { ByteWriter, putU32 } from "../../base/bytes.ts";

const ENCODER = new TextEncoder();
const TWO_32 = 0x1_0000_0000;
const NULL = -1;
// In UTF-8 a UTF-16 unit takes three bytes at most.
const UNIT_BYTES_MAX = 3;

/** Collects one record or frame. */
export class JuteWriter {
  readonly #writer: ByteWriter;

  constructor(bytesExpected = 128) {
    this.#writer = new ByteWriter(bytesExpected);
  }

  get length(): number {
    return this.#writer.length;
  }

  int(value: number): this {
    this.#writer.i32(value);
    return this;
  }

  /** A number is safe to be one, and not negative. */
  long(value: number | bigint): this {
    if (typeof value === "bigint") this.#writer.i64(value);
    else {
      assert(Number.isSafeInteger(value) && value >= 0, "a long given as a number is a safe one");
      this.#writer.u32(Math.floor(value / TWO_32));
      this.#writer.u32((value % TWO_32) | 0);
    }
    return this;
  }

  bool(value: boolean): this {
    this.#writer.u8(value ? 1 : 0);
    return this;
  }

  /** Undefined writes null. */
  buffer(value: Uint8Array | undefined): this {
    if (value === undefined) return this.int(NULL);
    this.int(value.length);
    this.#writer.bytes(value);
    return this;
  }

  string(value: string): this {
    const lengthAt = this.#writer.reserve(4);
    const start = this.#writer.reserve(value.length * UNIT_BYTES_MAX);
    const { written } = ENCODER.encodeInto(value, this.#writer.target().subarray(start, this.#writer.length));
    this.#writer.length = start + written;
    this.#writer.u32At(lengthAt, written);
    return this;
  }

  vector<T>(items: readonly T[], item: (writer: this, value: T) => void): this {
    this.int(items.length);
    for (const value of items) item(this, value);
    return this;
  }

  /** Bytes that are Jute already. */
  raw(bytes: Uint8Array): this {
    this.#writer.bytes(bytes);
    return this;
  }

  /** A view of all bytes written. */
  done(): Uint8Array<ArrayBuffer> {
    return this.#writer.done();
  }
}

/** The bytes of one record. */
export function juteBytes(write: (writer: JuteWriter) => void): Uint8Array<ArrayBuffer> {
  const writer = new JuteWriter();
  write(writer);
  return writer.done();
}

/** The four bytes before a frame of this length. */
export function frameHead(length: number): Uint8Array<ArrayBuffer> {
  const head = new Uint8Array(4);
  putU32(head, 0, length);
  return head;
}
