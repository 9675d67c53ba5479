// Strings longer than 32,768 units go in chunks. Only the last chunk may end in a high surrogate, or a pair would be
// torn apart; such a chunk is made one unit shorter, as in Java.

import type { ByteWriter } from "../../base/bytes.ts";
import type { WireText } from "../../base/text.ts";

/** Writes the head of a chunk. */
export type ChunkHead = (units: number, isLast: boolean) => void;

const UNITS_PER_CHUNK = 0x8000;

/** Writes a string with the heads of its chunks. */
export function writeStringChunks(out: ByteWriter, head: ChunkHead, value: string): void {
  let at = 0;
  while (value.length - at > UNITS_PER_CHUNK) {
    const last = value.charCodeAt(at + UNITS_PER_CHUNK - 1);
    const units = last >= 0xd800 && last <= 0xdbff ? UNITS_PER_CHUNK - 1 : UNITS_PER_CHUNK;
    head(units, false);
    putUnits(out, value, at, at + units);
    at += units;
  }
  head(value.length - at, true);
  putUnits(out, value, at, value.length);
}

/** Writes a text with the heads of its chunks; plain ASCII is copied as it is. */
export function writeTextChunks(out: ByteWriter, head: ChunkHead, text: WireText): void {
  const { utf8, units } = text;
  if (units <= UNITS_PER_CHUNK) {
    head(units, true);
    if (utf8.length === units) out.bytes(utf8);
    else putCharacters(out, utf8, 0, utf8.length);
    return;
  }
  let at = 0;
  for (let left = units; left > 0; ) {
    const chunk = chunkFrom(utf8, at, left);
    left -= chunk.units;
    head(chunk.units, left === 0);
    putCharacters(out, utf8, at, chunk.end);
    at = chunk.end;
  }
}

// The chunk that begins at byte `start` when `left` units remain: its units, and the byte at which it ends.
function chunkFrom(utf8: Uint8Array, start: number, left: number): { units: number; end: number } {
  if (left <= UNITS_PER_CHUNK) return { units: left, end: utf8.length };
  let units = 0;
  let at = start;
  while (units < UNITS_PER_CHUNK) {
    const first = utf8[at] as number;
    const isLastUnit = units === UNITS_PER_CHUNK - 1;
    if (isLastUnit && (first >= 0xf0 || isHighSurrogate(utf8, at))) break;
    units += first >= 0xf0 ? 2 : 1;
    at += characterBytes(first);
  }
  return { units, end: at };
}

function characterBytes(first: number): number {
  if (first < 0x80) return 1;
  if (first < 0xe0) return 2;
  return first < 0xf0 ? 3 : 4;
}

function isHighSurrogate(utf8: Uint8Array, at: number): boolean {
  const second = utf8[at + 1] as number;
  return utf8[at] === 0xed && second >= 0xa0 && second < 0xb0;
}

function putUnits(out: ByteWriter, value: string, start: number, end: number): void {
  // Room for the worst case; the rest is given back below.
  let to = out.reserve((end - start) * 3);
  const target = out.target();
  for (let at = start; at < end; at++) {
    const unit = value.charCodeAt(at);
    if (unit < 0x80) target[to++] = unit;
    else to = putWide(target, to, unit);
  }
  out.length = to;
}

// Writes a unit of two or three bytes and returns the offset of the next one.
function putWide(target: Uint8Array, at: number, unit: number): number {
  let to = at;
  if (unit < 0x800) target[to++] = 0xc0 | (unit >> 6);
  else {
    target[to++] = 0xe0 | (unit >> 12);
    target[to++] = 0x80 | ((unit >> 6) & 0x3f);
  }
  target[to++] = 0x80 | (unit & 0x3f);
  return to;
}

// Copies characters; those of four bytes become two surrogates of three.
function putCharacters(out: ByteWriter, utf8: Uint8Array, start: number, end: number): void {
  let copied = start;
  for (let at = start; at < end; at++) {
    if ((utf8[at] as number) < 0xf0) continue;
    out.bytes(utf8.subarray(copied, at));
    putPair(out, utf8, at);
    at += 3;
    copied = at + 1;
  }
  out.bytes(utf8.subarray(copied, end));
}

function putPair(out: ByteWriter, utf8: Uint8Array, at: number): void {
  const bits = (step: number): number => (utf8[at + step] as number) & 0x3f;
  const code = (((utf8[at] as number) & 0x07) << 18) | (bits(1) << 12) | (bits(2) << 6) | bits(3);
  const to = out.reserve(6);
  const target = out.target();
  putWide(target, putWide(target, to, 0xd800 | ((code - 0x10000) >> 10)), 0xdc00 | (code & 0x3ff));
}
