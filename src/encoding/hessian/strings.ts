// Hessian strings are counted in UTF-16 units, each of one to three bytes by itself: an astral character is two
// three-byte surrogates (CESU-8). Like Java's reader we refuse four-byte characters; unlike it we also refuse wrong
// continuation bytes and overlong forms, which no writer makes. Plain ASCII, the usual case, is not copied.

import type { ByteReader } from "../../base/bytes.ts";
import { asciiString, stringOf, TextBuilder, type WireText } from "../../base/text.ts";

/** A string whose first chunk's head has been read. */
export interface StringChunks {
  readonly input: ByteReader;
  /** Units of the current chunk. */
  readonly int: number;
  readonly isLastChunk: boolean;
  nextChunk(of: "string"): void;
}

/** The whole string. */
export function readString(chunks: StringChunks): string {
  const { input, int: units } = chunks;
  if (!chunks.isLastChunk || !input.isAscii(units)) return stringOf(readText(chunks));
  return readAscii(input, units);
}

/** The whole string as bytes: a view of the input if it is one chunk of ASCII, else a copy no longer than the input. */
export function readText(chunks: StringChunks): WireText {
  const { input, int: units } = chunks;
  if (chunks.isLastChunk && input.isAscii(units)) return { utf8: input.view(units), units };
  const builder = new TextBuilder(Math.min(units, input.remaining));
  appendUnits(builder, input, units);
  while (!chunks.isLastChunk) {
    chunks.nextChunk("string");
    appendUnits(builder, input, chunks.int);
  }
  return builder.done();
}

/** Skips the whole string; its content is still checked. */
export function skipString(chunks: StringChunks): void {
  for (;;) {
    const { input, int: units } = chunks;
    if (input.isAscii(units)) input.offset += units;
    else for (let left = units; left > 0; left--) readUnit(input);
    if (chunks.isLastChunk) return;
    chunks.nextChunk("string");
  }
}

/** A name of known length without a head of its own, as the draft writes classes and types. */
export function readBareName(input: ByteReader, units: number): string {
  if (!input.isAscii(units)) throw input.wrong("a name is not ASCII");
  return readAscii(input, units);
}

function readAscii(input: ByteReader, units: number): string {
  const start = input.offset;
  input.offset = start + units;
  return asciiString(input.bytes, start, start + units);
}

function appendUnits(builder: TextBuilder, input: ByteReader, units: number): void {
  if (input.isAscii(units)) return builder.ascii(input.view(units));
  for (let left = units; left > 0; left--) builder.unit(readUnit(input));
}

function readUnit(input: ByteReader): number {
  const start = input.offset;
  const first = input.u8();
  if (first < 0x80) return first;
  if (first >= 0xc2 && first < 0xe0) return ((first & 0x1f) << 6) | continuation(input);
  if (first >= 0xe0 && first < 0xf0) {
    const unit = ((first & 0x0f) << 12) | (continuation(input) << 6) | continuation(input);
    if (unit >= 0x800) return unit;
  }
  throw input.wrong("bad UTF-8", start);
}

function continuation(input: ByteReader): number {
  const byte = input.u8();
  if ((byte & 0xc0) !== 0x80) throw input.wrong("bad UTF-8", input.offset - 1);
  return byte & 0x3f;
}
