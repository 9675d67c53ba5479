// The registId as bytes. Nearly all are UUIDs in their usual form and take 16 bytes; other ASCII takes a byte for each
// character; anything else its UTF-16 units, so that every string of JavaScript comes back as it was.

export const UUID = 0;
const ASCII = 1;
const UTF16 = 2;
/** Which of the forms a registId has; two bits. */
export type KeyForm = typeof UUID | typeof ASCII | typeof UTF16;

export const UUID_BYTES = 16;
const UUID_CHARS = 36;
const DASH = 0x2d;
// Where in the text the two digits of each byte stand.
const DIGITS_AT = Uint8Array.of(0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34);
const NO_DIGIT = 0xff;
// By character code; only lower case, or an upper-case one would come back changed.
const DIGIT_VALUES = new Uint8Array(128).fill(NO_DIGIT);
const DIGIT_CHARS = new Uint8Array(16);
for (const [value, char] of [..."0123456789abcdef"].entries()) {
  DIGIT_VALUES[char.charCodeAt(0)] = value;
  DIGIT_CHARS[value] = char.charCodeAt(0);
}

const DECODER = new TextDecoder("utf-8");
// Arguments of one call stay far below the engine's limit (about 120,000).
const UNITS_PER_CALL = 4096;

/** A registId to be looked up or stored; read again and again, so that looking up allocates nothing. */
export class RegistKey {
  form: KeyForm = ASCII;
  bytes = new Uint8Array(256);
  length = 0;
  /** Of the bytes and the form, 32 bits, not yet mixed. */
  hash = 0;
  #text: string | undefined;

  read(text: string): void {
    // Most changes are preceded by a look at what is there.
    if (text === this.#text) return;
    this.#text = text;
    if (text.length * 2 > this.bytes.length) this.bytes = new Uint8Array(text.length * 2);
    this.#readForm(text);
    this.hash = hashOfKey(this.form, this.bytes, 0, this.length);
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

/** As `RegistKey.hash`, of a stored key. */
export function hashOfKey(form: KeyForm, bytes: Uint8Array, start: number, length: number): number {
  let hash = length * 4 + form;
  const wholeWords = start + (length & ~3);
  let at = start;
  for (; at < wholeWords; at += 4) hash = mixed(hash, u32At(bytes, at));
  for (; at < start + length; at++) hash = mixed(hash, bytes[at] as number);
  return hash >>> 0;
}

/** A number of four bytes, the lowest first. */
export function u32At(bytes: Uint8Array, at: number): number {
  const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16);
  return (low | ((bytes[at + 3] as number) << 24)) >>> 0;
}

/** One more word into a hash, MurmurHash3's way. */
export function mixed(hash: number, word: number): number {
  let block = Math.imul(word, 0xcc9e2d51);
  block = Math.imul((block << 15) | (block >>> 17), 0x1b873593);
  const h = hash ^ block;
  return (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
}

/** The hash when all is in it: every bit of the input has its say in every bit; unsigned. */
export function spread(hash: number): number {
  let h = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
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
