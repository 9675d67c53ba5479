// Writes one message between nodes; format.ts describes the bytes. Fields are written first, and names are collected on
// the way; `content()` puts them together.

import { assert } from "../../base/assert.ts";
import { ByteWriter } from "../../base/bytes.ts";
import { FORMAT } from "./format.ts";

const ENCODER = new TextEncoder();
// With the u flag a pair is one character, so only a lone half matches.
const LONE_SURROGATE = /\p{Surrogate}/u;

/** A ByteWriter with the words of messages between nodes. */
export class WordWriter extends ByteWriter {
  /** A whole number, 0 to 2^53 - 1. */
  varint(value: number): void {
    assert(value >= 0 && Number.isSafeInteger(value), "numbers between nodes are whole and not negative");
    let rest = value;
    // Division, not shifts: shifts are wrong above 2^31.
    for (; rest > 0x7fff_ffff; rest = Math.floor(rest / 0x80)) this.u8((rest % 0x80) | 0x80);
    for (; rest > 0x7f; rest >>>= 7) this.u8((rest & 0x7f) | 0x80);
    this.u8(rest);
  }

  /**
   * A string that occurs once in a message. It is assumed to be ASCII until a unit proves otherwise; nearly all are.
   */
  text(value: string): void {
    const start = this.length;
    const units = value.length;
    this.varint(units * 2);
    const at = this.reserve(units);
    const target = this.target();
    let bits = 0;
    for (let unit = 0; unit < units; unit++) {
      const code = value.charCodeAt(unit);
      bits |= code;
      target[at + unit] = code;
    }
    if (bits < 0x80) return;
    this.length = start;
    this.#wideText(value);
  }

  #wideText(value: string): void {
    if (LONE_SURROGATE.test(value)) {
      this.varint(value.length * 4 + 1);
      for (let unit = 0; unit < value.length; unit++) this.u16(value.charCodeAt(unit));
      return;
    }
    const utf8 = ENCODER.encode(value);
    this.varint(utf8.length * 2);
    this.bytes(utf8);
  }
}

/** Writes one message after another: `begin`, the fields, `content`. */
export class NodeWriter extends WordWriter {
  readonly #names = new Map<string, number>();
  readonly #namesWritten = new WordWriter(1024);
  readonly #head = new WordWriter(HEAD_BYTES);
  #kind = 0;

  begin(kind: number): void {
    this.#kind = kind;
    this.length = 0;
    if (this.#names.size > 0) this.#names.clear();
    this.#namesWritten.length = 0;
  }

  /** A string that may recur in the message: it travels once. */
  name(value: string): void {
    const known = this.#names.get(value);
    if (known !== undefined) return this.varint(known);
    const next = this.#names.size;
    this.#names.set(value, next);
    this.#namesWritten.text(value);
    this.varint(next);
  }

  optionalText(value: string | undefined): void {
    this.flag(value !== undefined);
    if (value !== undefined) this.text(value);
  }

  flag(value: boolean): void {
    this.u8(value ? 1 : 0);
  }

  /** A Java long. */
  long(value: bigint): void {
    assert(BigInt.asIntN(64, value) === value, "a long has 64 bits");
    this.i64(value);
  }

  /** A digest: 64 bits without a sign. */
  digest(value: bigint): void {
    assert(BigInt.asUintN(64, value) === value, "a digest has 64 bits and no sign");
    this.i64(BigInt.asIntN(64, value));
  }

  /** Raw bytes with their length. */
  block(value: Uint8Array): void {
    this.varint(value.length);
    this.bytes(value);
  }

  list<T>(values: readonly T[], write: (writer: this, value: T) => void): void {
    this.varint(values.length);
    for (const value of values) write(this, value);
  }

  names(values: readonly string[]): void {
    this.varint(values.length);
    for (const value of values) this.name(value);
  }

  numbers(values: readonly number[]): void {
    this.varint(values.length);
    for (const value of values) this.varint(value);
  }

  /** Ends a record, with `name` in its tail if there is one. */
  endRecord(name?: string): void {
    this.endRecordWith(name === undefined ? undefined : () => this.name(name));
  }

  /** As `endRecord`, with further values in the tail, which has at most 127 bytes. */
  endRecordWith(write: (() => void) | undefined): void {
    const at = this.length;
    this.u8(0);
    if (write === undefined) return;
    this.flag(true);
    write();
    const bytes = this.length - at - 1;
    assert(bytes < 0x80, "the length of a tail is one byte");
    this.target()[at] = bytes;
  }

  /** The whole message, in memory of its own. */
  content(): Uint8Array {
    const names = this.#namesWritten;
    const head = this.#head;
    head.length = 0;
    head.u8(FORMAT);
    head.varint(this.#kind);
    head.varint(this.#names.size);
    const content = new Uint8Array(head.length + names.length + this.length);
    content.set(head.done());
    content.set(names.done(), head.length);
    content.set(this.done(), head.length + names.length);
    return content;
  }

  /** The bytes of memory that the writer keeps for the next message. */
  get bytesKept(): number {
    return this.target().length + this.#namesWritten.target().length;
  }
}

// Format, kind and a count below 2^21; the writer would grow for more.
const HEAD_BYTES = 8;

// A full batch has 30 kB. A snapshot may have megabytes, which are not kept for the next message.
const BYTES_KEPT_MAX = 1024 * 1024;

let shared = new NodeWriter(32 * 1024);

/** The content of one message, which `write` writes, starting with `begin`. */
export function encodeMessage<T>(message: T, write: (writer: NodeWriter, message: T) => void): Uint8Array {
  write(shared, message);
  const content = shared.content();
  if (shared.bytesKept > BYTES_KEPT_MAX) shared = new NodeWriter(32 * 1024);
  return content;
}
