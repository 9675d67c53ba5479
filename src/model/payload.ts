// A publisher's content in bytes. The accepting session packs it once, and these bytes are stored, sent, cached and
// pushed; the data tier looks into none of them.
//
// A content is a row of texts. In SOFARegistry's form it is the client's "data boxes", and each text is: a varint of
// its UTF-16 units plus one (0 = null), times two; if the text is not plain ASCII that number is one higher, and a
// varint of the text's bytes follows; then the bytes. No text begins with the number 1, so that number in front says
// that the form is another one, and a varint behind it says which. Boxes are therefore the same bytes as in releases
// without forms.

import { assert } from "../base/assert.ts";
import { equalBytes } from "../base/bytes.ts";
import type { WireText } from "../base/text.ts";

/** A packed content. No boxes are no bytes. */
export type Payload = Uint8Array;

/**
 * The meaning of a payload's texts: SOFARegistry's boxes, the fields of one instance (instance.ts), or something of a
 * later release.
 */
export type ContentForm = "boxes" | "instance" | "unknown";

const OTHER_FORM = 1;
const INSTANCE = 1;
const FORM_BYTES = 2;

export const EMPTY_PAYLOAD: Payload = new Uint8Array(0);

/** Packs SOFARegistry's boxes; the result shares no memory with them. */
export function packBoxes(boxes: readonly (WireText | null)[]): Payload {
  return boxes.length === 0 ? EMPTY_PAYLOAD : packTexts([], boxes);
}

/** Packs the fields of an instance. */
export function packFields(fields: readonly (WireText | null)[]): Payload {
  return packTexts([OTHER_FORM, INSTANCE], fields);
}

function packTexts(head: readonly number[], texts: readonly (WireText | null)[]): Payload {
  let bytes = head.length;
  for (const text of texts) bytes += packedBytes(text);
  // Memory of its own: it lives as long as the publication.
  const payload = new Uint8Array(bytes);
  payload.set(head);
  let at = head.length;
  for (const text of texts) at = packText(payload, at, text);
  return payload;
}

/** The form of a payload. */
export function formOf(payload: Payload): ContentForm {
  if (payload[0] !== OTHER_FORM) return "boxes";
  return payload[1] === INSTANCE ? "instance" : "unknown";
}

/**
 * Appends the texts of a payload, as views into it, to `texts`, and returns that. An unknown form has none that can be
 * read.
 */
export function textsOf(payload: Payload, texts: (WireText | null)[] = []): (WireText | null)[] {
  const form = formOf(payload);
  if (form === "unknown") return texts;
  const cursor = { at: form === "boxes" ? 0 : FORM_BYTES };
  while (cursor.at < payload.length) texts.push(unpackText(payload, cursor));
  return texts;
}

/**
 * The number of boxes that a payload is to SOFARegistry's clients. Counted for each registration, so no views are made.
 */
export function boxCount(payload: Payload): number {
  if (formOf(payload) !== "boxes") return 1;
  let count = 0;
  const cursor = { at: 0 };
  while (cursor.at < payload.length) {
    const head = readVarint(payload, cursor);
    const units = head === 0 ? 0 : Math.floor(head / 2) - 1;
    const length = head % 2 === 0 ? units : readVarint(payload, cursor);
    cursor.at += length;
    count++;
  }
  assert(cursor.at === payload.length, "a packed box is whole");
  return count;
}

/**
 * Whether each text is whole, as long as it says, and ASCII if it says so. Bytes from another node are checked once,
 * when they come: the readers here rely on it.
 */
export function isWhole(payload: Payload): boolean {
  const form = formOf(payload);
  if (form === "unknown") return true;
  const cursor = { at: form === "boxes" ? 0 : FORM_BYTES };
  while (cursor.at < payload.length) {
    const head = findVarint(payload, cursor);
    const isAsciiText = head % 2 === 0;
    const units = head === 0 ? 0 : Math.floor(head / 2) - 1;
    const length = isAsciiText ? units : findVarint(payload, cursor);
    const end = cursor.at + length;
    if (head === NO_VARINT || length === NO_VARINT || end > payload.length) return false;
    // A UTF-16 unit is one byte to three.
    if (isAsciiText ? !isAsciiIn(payload, cursor.at, end) : length < units || length > 3 * units) return false;
    cursor.at = end;
  }
  return true;
}

function isAsciiIn(bytes: Uint8Array, start: number, end: number): boolean {
  let bits = 0;
  for (let at = start; at < end; at++) bits |= bytes[at] as number;
  return bits < 0x80;
}

/** Whether two payloads are the same content: packing is canonical, so equal bytes are equal contents. */
export function equalPayloads(a: Payload, b: Payload): boolean {
  return equalBytes(a, b);
}

function packedBytes(text: WireText | null): number {
  if (text === null) return 1;
  const { length } = text.utf8;
  return varintBytes(headOf(text)) + (isAscii(text) ? 0 : varintBytes(length)) + length;
}

function packText(payload: Uint8Array, start: number, text: WireText | null): number {
  if (text === null) return putVarint(payload, start, 0);
  let at = putVarint(payload, start, headOf(text));
  if (!isAscii(text)) at = putVarint(payload, at, text.utf8.length);
  payload.set(text.utf8, at);
  return at + text.utf8.length;
}

function isAscii({ utf8, units }: WireText): boolean {
  return units === utf8.length;
}

function headOf(text: WireText): number {
  return (text.units + 1) * 2 + (isAscii(text) ? 0 : 1);
}

function unpackText(payload: Payload, cursor: { at: number }): WireText | null {
  const head = readVarint(payload, cursor);
  if (head === 0) return null;
  const units = Math.floor(head / 2) - 1;
  const length = head % 2 === 0 ? units : readVarint(payload, cursor);
  const utf8 = payload.subarray(cursor.at, cursor.at + length);
  assert(utf8.length === length, "a packed text is whole");
  cursor.at += length;
  return { utf8, units };
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes++;
  return bytes;
}

function putVarint(bytes: Uint8Array, start: number, value: number): number {
  let at = start;
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes[at++] = (rest % 0x80) + 0x80;
  bytes[at++] = rest;
  return at;
}

function readVarint(payload: Payload, cursor: { at: number }): number {
  const value = findVarint(payload, cursor);
  assert(value !== NO_VARINT, "a packed varint is whole");
  return value;
}

const NO_VARINT = Number.POSITIVE_INFINITY;
// Five bytes, more than any text is long. Without an end, zeros behind it would be no number any more.
const SCALE_MAX = 2 ** 28;

/** The varint at the cursor; NO_VARINT if it has no end, or is longer than five bytes. */
function findVarint(payload: Payload, cursor: { at: number }): number {
  let value = 0;
  for (let scale = 1; scale <= SCALE_MAX; scale *= 0x80) {
    const byte = payload[cursor.at++];
    if (byte === undefined) return NO_VARINT;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return value;
  }
  return NO_VARINT;
}
