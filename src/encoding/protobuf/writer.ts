// Writes proto3's wire format. The length of a nested message is known only after it is written: one byte is reserved
// for it, and a longer content is moved up by the extra bytes of its length. That is one memory move for each message
// and avoids measuring everything first.

import { assert } from "../../base/assert.ts";
import { ByteWriter } from "../../base/bytes.ts";
import { strictUtf8, type WireText } from "../../base/text.ts";
import { WIRE } from "./reader.ts";
import { putVarint, varintBytes } from "./varint.ts";

const ENCODER = new TextEncoder();
const ONE_BYTE_FIELD_MAX = 15;

/** Writes one content. Callers leave out fields that hold their default. */
export class ProtobufWriter {
  readonly #out: ByteWriter;

  constructor(bytesExpected?: number) {
    this.#out = new ByteWriter(bytesExpected);
  }

  /** A view of all bytes written so far. */
  done(): Uint8Array {
    return this.#out.done();
  }

  bool(field: number, value: boolean): void {
    this.#varint((field << 3) | WIRE.VARINT);
    this.#out.u8(value ? 1 : 0);
  }

  int32(field: number, value: number): void {
    this.#varint((field << 3) | WIRE.VARINT);
    if (value >= 0) this.#varint(value);
    else this.#varint64(BigInt(value));
  }

  int64(field: number, value: bigint): void {
    this.#varint((field << 3) | WIRE.VARINT);
    this.#varint64(value);
  }

  bytes(field: number, value: Uint8Array): void {
    this.#varint((field << 3) | WIRE.BYTES);
    this.#varint(value.length);
    this.#out.bytes(value);
  }

  /** Lone surrogates, which UTF-8 can't express, become U+FFFD. */
  string(field: number, value: string): void {
    this.bytes(field, ENCODER.encode(value));
  }

  /** Lone surrogates, which UTF-8 can't express, become U+FFFD. */
  text(field: number, value: WireText): void {
    this.bytes(field, strictUtf8(value));
  }

  /**
   * Nested messages of one field `inner` each, which holds a text and is left out if the text is empty. It is one loop:
   * a list of ten thousand addresses is little else, and is written before V8 has compiled the functions called for
   * each.
   */
  wrappedTexts(field: number, inner: number, texts: readonly WireText[]): void {
    assert(field <= ONE_BYTE_FIELD_MAX && inner <= ONE_BYTE_FIELD_MAX, "the heads of both fields take one byte");
    for (const text of texts) {
      const utf8 = strictUtf8(text);
      const { length } = utf8;
      const innerBytes = length === 0 ? 0 : 1 + varintBytes(length) + length;
      let at = this.#out.reserve(1 + varintBytes(innerBytes) + innerBytes);
      const target = this.#out.target();
      target[at] = (field << 3) | WIRE.BYTES;
      at = putVarint(target, at + 1, innerBytes);
      if (length === 0) continue;
      target[at] = (inner << 3) | WIRE.BYTES;
      at = putVarint(target, at + 1, length);
      target.set(utf8, at);
    }
  }

  /** A nested message, whose fields `write` writes. */
  nested(field: number, write: () => void): void {
    const out = this.#out;
    this.#varint((field << 3) | WIRE.BYTES);
    const lengthAt = out.reserve(1);
    write();
    const length = out.length - lengthAt - 1;
    const more = varintBytes(length) - 1;
    if (more > 0) {
      out.reserve(more);
      out.target().copyWithin(lengthAt + 1 + more, lengthAt + 1, lengthAt + 1 + length);
    }
    putVarint(out.target(), lengthAt, length);
  }

  #varint(value: number): void {
    const at = this.#out.reserve(varintBytes(value));
    putVarint(this.#out.target(), at, value);
  }

  #varint64(value: bigint): void {
    let rest = BigInt.asUintN(64, value);
    for (; rest >= 0x80n; rest >>= 7n) this.#out.u8(Number(rest & 0x7fn) | 0x80);
    this.#out.u8(Number(rest));
  }
}
