// A payload as its difference from another one, the base. Payloads of one service are alike except for an address, a
// port, a start time: of 150 bytes some 30 are left. Form: the payload's length, then by turns a run of literal bytes
// and a run copied from the base, until the payload is whole. A literal run is its length and the bytes. A copied run
// is its length and a distance: that of its beginning from the place where the last copy and the literals behind it
// would have led. Numbers are varints. Where base and payload continue in step, as they do behind an address of the
// same length, that distance is 0.

import { freshBytes } from "../../base/bytes.ts";
import type { Payload } from "../../model/payload.ts";

/** Longer payloads are stored as they are: comparing takes 10 ns for each byte that the base does not have. */
export const DIFFERENCE_BYTES_MAX = 4 * 1024;

// A copied run of 4 takes 2 or 3 bytes.
const RUN_MIN = 4;
const TABLE_BITS = 10;
const TABLE_SIZE = 1 << TABLE_BITS;

/** A base that is ready for encoding, with a table of the places of each run of four bytes. */
export class DifferenceBase {
  bytes = new Uint8Array(256);
  length = 0;
  // By hash; the place plus one, 0 for none. Of several places the first is kept.
  readonly #places = new Uint16Array(TABLE_SIZE);

  /** Takes `bytes[start..start + length)` in place of what it was. */
  read(bytes: Uint8Array, start: number, length: number): void {
    if (length > this.bytes.length) this.bytes = new Uint8Array(length);
    this.bytes.set(bytes.subarray(start, start + length));
    this.length = length;
    this.#places.fill(0);
    for (let at = length - RUN_MIN; at >= 0; at--) this.#places[placeOf(this.bytes, at)] = at + 1;
  }

  /** A place in the base with the four bytes of `payload` at `at`, or -1; `expected` is preferred. */
  find(payload: Payload, at: number, expected: number): number {
    if (expected + RUN_MIN <= this.length && isRun(this.bytes, expected, payload, at)) return expected;
    const place = (this.#places[placeOf(payload, at)] as number) - 1;
    return place >= 0 && isRun(this.bytes, place, payload, at) ? place : -1;
  }

  /** The length of the common run of base and payload from these places on. */
  runLength(place: number, payload: Payload, at: number): number {
    const lengthMax = Math.min(this.length - place, payload.length - at);
    let length = RUN_MIN;
    while (length < lengthMax && this.bytes[place + length] === payload[at + length]) length++;
    return length;
  }
}

function placeOf(bytes: Uint8Array, at: number): number {
  const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16);
  return Math.imul(low | ((bytes[at + 3] as number) << 24), 0x9e3779b1) >>> (32 - TABLE_BITS);
}

function isRun(base: Uint8Array, place: number, payload: Uint8Array, at: number): boolean {
  return (
    base[place] === payload[at] &&
    base[place + 1] === payload[at + 1] &&
    base[place + 2] === payload[at + 2] &&
    base[place + 3] === payload[at + 3]
  );
}

/** Encodes one payload after the other; its output is valid until the next one. */
export class DifferenceEncoder {
  // Between two checks of the length come one run of literals and some varints.
  readonly bytes = new Uint8Array(2 * DIFFERENCE_BYTES_MAX + 64);
  length = 0;

  /** Whether the difference fits in `lengthMax` bytes; it is in `bytes` then. */
  encode(base: DifferenceBase, payload: Payload, lengthMax: number): boolean {
    this.length = 0;
    this.#varint(payload.length);
    let literals = 0;
    let expected = 0;
    let at = 0;
    while (at + RUN_MIN <= payload.length) {
      const from = base.find(payload, at, expected + at - literals);
      if (from < 0) {
        at++;
        continue;
      }
      const length = base.runLength(from, payload, at);
      this.#literals(payload, literals, at);
      this.#varint(length);
      this.#varint(zigzag(from - (expected + at - literals)));
      if (this.length > lengthMax) return false;
      at += length;
      literals = at;
      expected = from + length;
    }
    if (literals < payload.length) this.#literals(payload, literals, payload.length);
    return this.length <= lengthMax;
  }

  #literals(payload: Payload, start: number, end: number): void {
    this.#varint(end - start);
    for (let at = start; at < end; at++) this.bytes[this.length++] = payload[at] as number;
  }

  #varint(value: number): void {
    let rest = value;
    while (rest > 0x7f) {
      this.bytes[this.length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.bytes[this.length++] = rest;
  }
}

function zigzag(value: number): number {
  return value < 0 ? -value * 2 - 1 : value * 2;
}

/** The payload whose difference to the base at `base.at` begins at `difference.at`. */
export function decodeDifference(
  difference: { readonly bytes: Uint8Array; readonly at: number },
  base: { readonly bytes: Uint8Array; readonly at: number },
): Payload {
  const source = difference.bytes;
  let read = difference.at;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = source[read++] as number;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const length = varint();
  const payload = freshBytes(length);
  let written = 0;
  let from = base.at;
  while (written < length) {
    const literals = varint();
    for (let end = written + literals; written < end; ) payload[written++] = source[read++] as number;
    from += literals;
    if (written === length) break;
    const copied = varint();
    const distance = varint();
    from += distance & 1 ? -(distance + 1) / 2 : distance / 2;
    for (let end = written + copied; written < end; ) payload[written++] = base.bytes[from++] as number;
  }
  return payload;
}
