// Reads proto3's wire format: tags, varints, and lengths that never pass the end of their message.

import { ByteReader } from "../../base/bytes.ts";
import type { ErrorDetails } from "../../base/errors.ts";
import { asciiString, utf8String, type WireText } from "../../base/text.ts";
import { malformed, protobufError } from "./errors.ts";

/** The wire types that proto3 uses. */
export const WIRE = { VARINT: 0, FIXED64: 1, BYTES: 2, FIXED32: 5 } as const;

/** The deepest nesting of messages. Our deepest has five levels. */
export const DEPTH_MAX = 32;

/**
 * The most fields of one content, nested messages included. An address in a push takes two, so this allows 125,000
 * addresses, ten times the largest service we know of.
 */
export const FIELDS_MAX = 250_000;

const VARINT_BYTES_MAX = 10;

/** Reads one content. All methods throw PROTOBUF_MALFORMED or PROTOBUF_LIMIT, and nothing else. */
export class ProtobufReader {
  readonly #input: ByteReader;
  readonly #fieldsMax: number;
  // The end of the message being read.
  #end: number;
  #depth = 0;
  #fields = 0;
  /** The number of the field whose tag was read last. */
  number = 0;
  wireType = 0;

  constructor(content: Uint8Array, fieldsMax = FIELDS_MAX) {
    this.#input = new ByteReader(content, malformed);
    this.#fieldsMax = fieldsMax;
    this.#end = content.length;
  }

  /** Reads the next field's tag; false at the end of the message. */
  nextField(): boolean {
    const input = this.#input;
    if (input.offset === this.#end) return false;
    if (++this.#fields > this.#fieldsMax) throw this.limit({ fieldsMax: this.#fieldsMax });
    const start = input.offset;
    const tag = this.#tag();
    this.number = tag >>> 3;
    this.wireType = tag & 7;
    if (this.number === 0) throw input.wrong("field number 0", start);
    return true;
  }

  /** Skips the value of the field begun. Groups are refused: proto3 has none. */
  skip(): void {
    switch (this.wireType) {
      case WIRE.VARINT:
        this.int64();
        return;
      case WIRE.FIXED64:
        this.#advance(8);
        return;
      case WIRE.BYTES:
        this.#advance(this.#length());
        return;
      case WIRE.FIXED32:
        this.#advance(4);
        return;
      default:
        throw this.#input.wrong(`wire type ${this.wireType}`);
    }
  }

  bool(): boolean {
    return this.int64() !== 0n;
  }

  /** The low 32 bits of a varint, signed. */
  int32(): number {
    const byte = this.#byte();
    if (byte < 0x80) return byte;
    this.#input.offset--;
    return Number(BigInt.asIntN(32, this.#varint()));
  }

  int64(): bigint {
    return BigInt.asIntN(64, this.#varint());
  }

  /** A view of the content. */
  bytes(): Uint8Array {
    const length = this.#length();
    this.#within(length);
    return this.#input.view(length);
  }

  string(): string {
    const input = this.#input;
    const length = this.#length();
    this.#within(length);
    const start = input.offset;
    const isAscii = input.isAscii(length);
    input.offset = start + length;
    const value = isAscii
      ? asciiString(input.bytes, start, start + length)
      : utf8String(input.bytes, start, start + length);
    if (value === undefined) throw input.wrong("bad UTF-8", start);
    return value;
  }

  /** A view of the content, checked to be UTF-8. */
  text(): WireText {
    const input = this.#input;
    const length = this.#length();
    this.#within(length);
    const start = input.offset;
    if (input.isAscii(length)) return { utf8: input.view(length), units: length };
    const utf8 = input.view(length);
    const value = utf8String(utf8, 0, length);
    if (value === undefined) throw input.wrong("bad UTF-8", start);
    return { utf8, units: value.length };
  }

  /** The error for content beyond a bound. */
  limit(bound: ErrorDetails): Error {
    return protobufError("PROTOBUF_LIMIT", { ...bound, offset: this.#input.offset });
  }

  /**
   * Reads a nested message: `read` goes through its fields until nextField() returns false. A message longer than
   * `bytesMax` is not read at all.
   */
  nested<T>(read: () => T, bytesMax = Number.POSITIVE_INFINITY): T {
    const length = this.#length();
    this.#within(length);
    if (length > bytesMax) throw this.limit({ bytesMax });
    if (++this.#depth > DEPTH_MAX) throw this.limit({ depthMax: DEPTH_MAX });
    const outerEnd = this.#end;
    this.#end = this.#input.offset + length;
    const result = read();
    this.#end = outerEnd;
    this.#depth--;
    return result;
  }

  #byte(): number {
    if (this.#input.offset >= this.#end) throw this.#input.wrong("the message ends within a field");
    return this.#input.u8();
  }

  #within(length: number): void {
    const left = this.#end - this.#input.offset;
    if (length > left) throw this.#input.wrong(`needs ${length} bytes, ${left} left in the message`);
  }

  #advance(length: number): void {
    this.#within(length);
    this.#input.offset += length;
  }

  // Tags and lengths are unsigned 32-bit numbers; larger ones are refused.
  #tag(): number {
    const byte = this.#byte();
    if (byte < 0x80) return byte;
    this.#input.offset--;
    const start = this.#input.offset;
    const value = this.#varint();
    if (value > 0xffff_ffffn) throw this.#input.wrong(`${value} is no tag or length`, start);
    return Number(value);
  }

  #length(): number {
    return this.#tag();
  }

  // Seven bytes, 49 bits, fit in a number; only longer varints are put together as bigint.
  #varint(): bigint {
    const start = this.#input.offset;
    let low = 0;
    let factor = 1;
    for (let count = 0; count < 7; count++) {
      const byte = this.#byte();
      low += (byte & 0x7f) * factor;
      if (byte < 0x80) return BigInt(low);
      factor *= 128;
    }
    let value = BigInt(low);
    for (let count = 7; count < VARINT_BYTES_MAX; count++) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << BigInt(7 * count);
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw this.#input.wrong(`a varint of more than ${VARINT_BYTES_MAX} bytes`, start);
  }
}
