// The registId as bytes. Nearly all are UUIDs in their usual form and take 16 bytes; other ASCII takes a byte for each
// character; anything else its UTF-16 units, so that every JavaScript string comes back unchanged.

import type { KeyedHash } from "./keyedHash.ts";

/** The form of a registId that is a UUID in its usual spelling. */
export const UUID = 0;
const ASCII = 1;
const UTF16 = 2;
/** The form of a registId; two bits. */
export type KeyForm = typeof UUID | typeof ASCII | typeof UTF16;

/** The bytes of such a registId. */
export const UUID_BYTES = 16;
const UUID_CHARS = 36;
const DASH = 0x2d;
// The places of the two digits of each byte in the text.
const DIGITS_AT = Uint8Array.of(0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34);
const NO_DIGIT = 0xff;
// By character code; lower case only: upper case would come back changed.
const DIGIT_VALUES = new Uint8Array(128).fill(NO_DIGIT);
const DIGIT_CHARS = new Uint8Array(16);
for (const [value, char] of [..."0123456789abcdef"].entries()) {
  DIGIT_VALUES[char.charCodeAt(0)] = value;
  DIGIT_CHARS[value] = char.charCodeAt(0);
}

const DECODER = new TextDecoder("utf-8");
// One call takes far fewer arguments than the engine's limit (about 120,000).
const UNITS_PER_CALL = 4096;

/** A registId of a service, for lookup or storage; it is reused, so that a lookup allocates nothing. */
export class RegistKey {
  form: KeyForm = ASCII;
  bytes = new Uint8Array(256);
  length = 0;
  /** Of the bytes, the form and the service. */
  hash = 0;
  readonly #keyed: KeyedHash;
  #text: string | undefined;
  #service = 0;

  constructor(keyed: KeyedHash) {
    this.#keyed = keyed;
  }

  read(text: string, service: number): void {
    // Most changes follow a lookup of the same key.
    if (text === this.#text && service === this.#service) return;
    this.#text = text;
    this.#service = service;
    if (text.length * 2 > this.bytes.length) this.bytes = new Uint8Array(text.length * 2);
    this.#readForm(text);
    const { form, bytes, length } = this;
    this.hash = hashOfKey(this.#keyed, { service, form, bytes, start: 0, length });
  }

  #readForm(text: string): void {
    if (text.length === UUID_CHARS && this.#readUuid(text)) {
      this.form = UUID;
      this.length = UUID_BYTES;
    } else if (this.#readAscii(text)) {
      this.form = ASCII;
      this.length = text.length;
    } else {
      this.form = UTF16;
      this.length = text.length * 2;
      for (let at = 0; at < text.length; at++) {
        const unit = text.charCodeAt(at);
        this.bytes[at * 2] = unit;
        this.bytes[at * 2 + 1] = unit >> 8;
      }
    }
  }

  #readUuid(text: string): boolean {
    if (text.charCodeAt(8) !== DASH || text.charCodeAt(13) !== DASH) return false;
    if (text.charCodeAt(18) !== DASH || text.charCodeAt(23) !== DASH) return false;
    for (let byte = 0; byte < UUID_BYTES; byte++) {
      const at = DIGITS_AT[byte] as number;
      const high = DIGIT_VALUES[text.charCodeAt(at)] ?? NO_DIGIT;
      const low = DIGIT_VALUES[text.charCodeAt(at + 1)] ?? NO_DIGIT;
      if ((high | low) > 0xf) return false;
      this.bytes[byte] = (high << 4) | low;
    }
    return true;
  }

  #readAscii(text: string): boolean {
    for (let at = 0; at < text.length; at++) {
      const unit = text.charCodeAt(at);
      if (unit > 0x7f) return false;
      this.bytes[at] = unit;
    }
    return true;
  }
}

/** The place of a key, and the number of its service. */
export interface KeyPlace {
  readonly service: number;
  readonly form: KeyForm;
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly length: number;
}

/** As `RegistKey.hash`, of a stored key. */
export function hashOfKey(keyed: KeyedHash, { service, form, bytes, start, length }: KeyPlace): number {
  const words = keyed.room((length >> 2) + 5);
  const wholeWords = start + (length & ~3);
  let count = 0;
  words[count++] = service;
  let at = start;
  for (; at < wholeWords; at += 4) words[count++] = u32At(bytes, at);
  for (; at < start + length; at++) words[count++] = bytes[at] as number;
  // The length keeps words and single bytes apart.
  words[count++] = length * 4 + form;
  return keyed.hash(count);
}

/** A number of four bytes, the lowest first. */
export function u32At(bytes: Uint8Array, at: number): number {
  const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16);
  return (low | ((bytes[at + 3] as number) << 24)) >>> 0;
}

/** The registId of a stored key. */
export function textOfKey(form: KeyForm, bytes: Uint8Array, start: number, length: number): string {
  if (form === UUID) return uuidText(bytes, start);
  if (form === ASCII) return DECODER.decode(bytes.subarray(start, start + length));
  let text = "";
  for (let at = start; at < start + length; at += UNITS_PER_CALL * 2) {
    const units: number[] = [];
    const end = Math.min(start + length, at + UNITS_PER_CALL * 2);
    for (let unit = at; unit < end; unit += 2) units.push((bytes[unit] as number) | ((bytes[unit + 1] as number) << 8));
    text += String.fromCharCode(...units);
  }
  return text;
}

// One call with all the characters makes a flat string in 100 ns; joining pieces, or a decoder, takes up to three times
// as long and keeps the pieces alive.
function uuidText(bytes: Uint8Array, at: number): string {
  const high = (byte: number): number => DIGIT_CHARS[(bytes[at + byte] as number) >> 4] as number;
  const low = (byte: number): number => DIGIT_CHARS[(bytes[at + byte] as number) & 0xf] as number;
  // biome-ignore format: a UUID in its groups
  return String.fromCharCode(
    high(0), low(0), high(1), low(1), high(2), low(2), high(3), low(3), DASH,
    high(4), low(4), high(5), low(5), DASH,
    high(6), low(6), high(7), low(7), DASH,
    high(8), low(8), high(9), low(9), DASH,
    high(10), low(10), high(11), low(11), high(12), low(12), high(13), low(13), high(14), low(14), high(15), low(15),
  );
}
