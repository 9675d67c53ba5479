// Reads and writes big-endian bytes and checks every length. A reader never looks past its end and reports the offset
// at which it stopped. A writer grows by doubling and returns its bytes as a view.

import { assert } from "./assert.ts";
import type { ErrorDetails, RegistryError } from "./errors.ts";

// The top bit of each of four bytes. A single byte is moved to the highest of the four before it is tested.
const ASCII_MASK = 0x80808080 | 0;

/** Reads one message. Any read past the end throws the error that `malformed` makes of the reason and the offset. */
export class ByteReader {
  readonly bytes: Uint8Array;
  offset: number;
  readonly end: number;
  readonly #view: DataView;
  readonly #malformed: (details: ErrorDetails) => RegistryError;

  constructor(bytes: Uint8Array, malformed: (details: ErrorDetails) => RegistryError) {
    this.bytes = bytes;
    this.offset = 0;
    this.end = bytes.length;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#malformed = malformed;
  }

  get remaining(): number {
    return this.end - this.offset;
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  i8(): number {
    return this.#view.getInt8(this.#advance(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#advance(2));
  }

  i16(): number {
    return this.#view.getInt16(this.#advance(2));
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4));
  }

  i32(): number {
    return this.#view.getInt32(this.#advance(4));
  }

  i64(): bigint {
    return this.#view.getBigInt64(this.#advance(8));
  }

  f32(): number {
    return this.#view.getFloat32(this.#advance(4));
  }

  f64(): number {
    return this.#view.getFloat64(this.#advance(8));
  }

  /** A view of the next `length` bytes; it shares memory with the input. */
  view(length: number): Uint8Array {
    const start = this.#advance(length);
    return this.bytes.subarray(start, start + length);
  }

  /**
   * Whether the next `length` bytes are all there and all ASCII. Tests four bytes a step: payloads are 170 bytes long.
   */
  isAscii(length: number): boolean {
    if (length < 0 || length > this.end - this.offset) return false;
    const end = this.offset + length;
    let at = this.offset;
    let bits = 0;
    for (; at + 4 <= end; at += 4) bits |= this.#view.getInt32(at);
    for (; at < end; at++) bits |= this.#view.getInt8(at) << 24;
    return (bits & ASCII_MASK) === 0;
  }

  /** The error to throw for what was found at `offset`. */
  wrong(what: string, offset = this.offset): Error {
    return this.#malformed({ what, offset });
  }

  #advance(length: number): number {
    const start = this.offset;
    if (length < 0 || length > this.end - start)
      throw this.wrong(`needs ${length} bytes, ${this.end - start} left`, start);
    this.offset = start + length;
    return start;
  }
}

/**
 * Collects bytes. `done()` returns a view of the bytes written; reset and reuse the writer only when that view is no
 * longer needed.
 */
export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  // Few messages hold a long or a double.
  #view: DataView | undefined;
  length = 0;

  constructor(bytesExpected = 256) {
    assert(bytesExpected > 0, "a writer begins with room");
    this.#bytes = freshBytes(bytesExpected);
  }

  u8(value: number): void {
    const at = this.#room(1);
    this.#bytes[at] = value;
  }

  u16(value: number): void {
    const at = this.#room(2);
    putU16(this.#bytes, at, value);
  }

  u32(value: number): void {
    const at = this.#room(4);
    putU32(this.#bytes, at, value);
  }

  i32(value: number): void {
    this.u32(value);
  }

  i64(value: bigint): void {
    const at = this.#room(8);
    this.#numbers().setBigInt64(at, value);
  }

  f32(value: number): void {
    const at = this.#room(4);
    this.#numbers().setFloat32(at, value);
  }

  f64(value: number): void {
    const at = this.#room(8);
    this.#numbers().setFloat64(at, value);
  }

  bytes(value: Uint8Array): void {
    const at = this.#room(value.length);
    this.#bytes.set(value, at);
  }

  /** Overwrites four bytes written earlier, such as a length that is known only now. */
  u32At(offset: number, value: number): void {
    assert(offset + 4 <= this.length, "only written bytes are overwritten");
    putU32(this.#bytes, offset, value);
  }

  /** Makes room for `length` bytes and returns where they begin; the caller fills them through `target()`. */
  reserve(length: number): number {
    return this.#room(length);
  }

  /** The memory behind the writer, valid until the next write. */
  target(): Uint8Array<ArrayBuffer> {
    return this.#bytes;
  }

  /** A view of all bytes written so far. */
  done(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.length);
  }

  // Call this before naming the memory: it may allocate new memory.
  #room(length: number): number {
    const at = this.length;
    const needed = at + length;
    if (needed > this.#bytes.length) this.#grow(needed);
    this.length = needed;
    return at;
  }

  #grow(needed: number): void {
    const larger = freshBytes(Math.max(needed, this.#bytes.length * 2));
    larger.set(this.#bytes.subarray(0, this.length));
    this.#bytes = larger;
    this.#view = undefined;
  }

  #numbers(): DataView {
    this.#view ??= new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.length);
    return this.#view;
  }
}

// A typed array with memory of its own takes half a microsecond to make, and as long to collect. Small ones are cut
// from blocks instead, as Node does with its Buffers, in a quarter of that. The price is the same as in Node: an array
// that is kept for long keeps its block alive.
const BLOCK_BYTES = 8 * 1024;
const CUT_BYTES_MAX = 2 * 1024;

let block = new Uint8Array(BLOCK_BYTES);
let used = 0;

/** Zeroed bytes that belong to the caller alone. */
export function freshBytes(length: number): Uint8Array<ArrayBuffer> {
  if (length > CUT_BYTES_MAX) return new Uint8Array(length);
  if (used + length > BLOCK_BYTES) {
    block = new Uint8Array(BLOCK_BYTES);
    used = 0;
  }
  const fresh = block.subarray(used, used + length);
  used += length;
  return fresh;
}

/** Writes two bytes, the higher first. */
export function putU16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 8;
  bytes[at + 1] = value;
}

/** Writes four bytes, the highest first; a negative number as its two's complement. */
export function putU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 24;
  bytes[at + 1] = value >> 16;
  bytes[at + 2] = value >> 8;
  bytes[at + 3] = value;
}

/** Whether two byte strings are the same. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false;
  return true;
}
