// A client's text as bytes. Payloads are stored, copied, logged and pushed as bytes and never become JavaScript strings
// on the way. The form is UTF-8 with one extension: a lone surrogate, which a Java string may hold, keeps its own three
// bytes, so that text from a Java client returns to a Java client unchanged.

import { ByteWriter } from "./bytes.ts";

/** UTF-8 bytes and the number of UTF-16 units they stand for. Equal counts mean plain ASCII. */
export interface WireText {
  readonly utf8: Uint8Array;
  /** Length in UTF-16 units, which is what Hessian counts. */
  readonly units: number;
}

// Without ignoreBOM the decoder would drop a leading U+FEFF.
const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const ENCODER = new TextEncoder();

/** The text of a string; lone surrogates keep their three bytes. */
export function textOf(value: string): WireText {
  const utf8 = ENCODER.encode(value);
  if (utf8.length === value.length || !LONE_SURROGATE.test(value)) return { utf8, units: value.length };
  const builder = new TextBuilder(value.length * 3);
  for (let at = 0; at < value.length; at++) builder.unit(value.charCodeAt(at));
  return builder.done();
}

// With the u flag a pair is one character, so only a lone half matches.
const LONE_SURROGATE = /\p{Surrogate}/u;

/** The string of a text. */
export function stringOf(text: WireText): string {
  const { utf8, units } = text;
  if (utf8.length === units) return asciiString(utf8, 0, units);
  let result = "";
  let block: number[] = [];
  let at = 0;
  while (at < utf8.length) {
    at = pushUnits(utf8, at, block);
    if (block.length < UNITS_PER_BLOCK) continue;
    result += String.fromCharCode(...block);
    block = [];
  }
  return result + String.fromCharCode(...block);
}

// One call takes far fewer arguments than the engine's limit (about 120,000).
const UNITS_PER_BLOCK = 4096;

// Reads the character at `at` and returns where the next one begins. The text is well formed, as WireText promises.
function pushUnits(utf8: Uint8Array, at: number, units: number[]): number {
  const first = utf8[at] as number;
  const low = (step: number): number => (utf8[at + step] as number) & 0x3f;
  if (first < 0x80) {
    units.push(first);
    return at + 1;
  }
  if (first < 0xe0) {
    units.push(((first & 0x1f) << 6) | low(1));
    return at + 2;
  }
  if (first < 0xf0) {
    units.push(((first & 0x0f) << 12) | (low(1) << 6) | low(2));
    return at + 3;
  }
  const code = (((first & 0x07) << 18) | (low(1) << 12) | (low(2) << 6) | low(3)) - 0x10000;
  units.push(0xd800 | (code >> 10), 0xdc00 | (code & 0x3ff));
  return at + 4;
}

/** The string of strict UTF-8 in `bytes[start..end)`, or undefined if those bytes are not strict UTF-8. */
export function utf8String(bytes: Uint8Array, start: number, end: number): string | undefined {
  try {
    return DECODER.decode(bytes.subarray(start, end));
  } catch {
    return undefined;
  }
}

// Zones, groups, application names, addresses and service names recur constantly. Sharing one string for each is faster
// than decoding (60 ns against 250 ns) and keeps the heap small. The table is direct mapped, so it is bounded, and a
// client that fills it with garbage costs the others only a decoding.
const INTERN_BYTES_MAX = 64;
const INTERN_SLOTS = 4096;
const interned: string[] = new Array<string>(INTERN_SLOTS).fill("");

/** The string of ASCII bytes in `bytes[start..end)`; the caller knows that they are ASCII. Short ones are shared. */
export function asciiString(bytes: Uint8Array, start: number, end: number): string {
  if (end - start > INTERN_BYTES_MAX) return DECODER.decode(bytes.subarray(start, end));
  let hash = end - start;
  for (let at = start; at < end; at++) hash = (Math.imul(hash, 31) + (bytes[at] as number)) | 0;
  const slot = (hash ^ (hash >>> 15)) & (INTERN_SLOTS - 1);
  const known = interned[slot] as string;
  if (isSame(known, bytes, start, end)) return known;
  const fresh = DECODER.decode(bytes.subarray(start, end));
  interned[slot] = fresh;
  return fresh;
}

function isSame(known: string, bytes: Uint8Array, start: number, end: number): boolean {
  if (known.length !== end - start) return false;
  for (let at = 0; at < known.length; at++) if (known.charCodeAt(at) !== bytes[start + at]) return false;
  return true;
}

/** Builds a text out of UTF-16 units: a surrogate pair becomes one four-byte character, a lone half three bytes. */
export class TextBuilder {
  readonly #out: ByteWriter;
  #units = 0;
  // A high surrogate that waits for its other half; 0 means none.
  #high = 0;

  constructor(bytesExpected: number) {
    this.#out = new ByteWriter(Math.max(1, bytesExpected));
  }

  unit(unit: number): void {
    this.#units++;
    if (this.#high !== 0 && unit >= 0xdc00 && unit <= 0xdfff) return this.#pair(unit);
    this.#flush();
    if (unit >= 0xd800 && unit <= 0xdbff) this.#high = unit;
    else this.#write(unit);
  }

  /** Appends bytes that the caller knows to be ASCII. */
  ascii(bytes: Uint8Array): void {
    this.#flush();
    this.#units += bytes.length;
    this.#out.bytes(bytes);
  }

  done(): WireText {
    this.#flush();
    return { utf8: this.#out.done(), units: this.#units };
  }

  #pair(low: number): void {
    const code = 0x10000 + ((this.#high & 0x3ff) << 10) + (low & 0x3ff);
    this.#high = 0;
    this.#out.u8(0xf0 | (code >> 18));
    this.#out.u8(0x80 | ((code >> 12) & 0x3f));
    this.#out.u8(0x80 | ((code >> 6) & 0x3f));
    this.#out.u8(0x80 | (code & 0x3f));
  }

  #flush(): void {
    if (this.#high === 0) return;
    this.#write(this.#high);
    this.#high = 0;
  }

  #write(unit: number): void {
    if (unit < 0x80) return this.#out.u8(unit);
    if (unit < 0x800) this.#out.u8(0xc0 | (unit >> 6));
    else {
      this.#out.u8(0xe0 | (unit >> 12));
      this.#out.u8(0x80 | ((unit >> 6) & 0x3f));
    }
    this.#out.u8(0x80 | (unit & 0x3f));
  }
}

/** The text's bytes as strict UTF-8, of the same length: a lone surrogate becomes U+FFFD. */
export function strictUtf8(text: WireText): Uint8Array {
  const { utf8, units } = text;
  if (utf8.length === units) return utf8;
  let strict = utf8;
  for (let at = 0; at + 1 < utf8.length; at++) {
    // 0xed begins U+D000 to U+DFFF; the surrogates are those whose second byte is 0xa0 or more.
    if (utf8[at] !== 0xed || (utf8[at + 1] as number) < 0xa0) continue;
    if (strict === utf8) strict = utf8.slice();
    strict.set(REPLACEMENT, at);
  }
  return strict;
}

const REPLACEMENT = Uint8Array.of(0xef, 0xbf, 0xbd);
