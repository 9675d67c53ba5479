// A publisher's content: a list of texts ("data boxes"), opaque to the registry. The accepting session packs it into
// bytes once, and these bytes are stored, sent, cached and pushed. Form: for each box a varint of its UTF-16 units plus
// one (0 = null), and if the text is not plain ASCII a varint of its bytes, then the bytes. The low bit of the first
// varint tells the two apart.

import { assert } from "../base/assert.ts";
import { equalBytes } from "../base/bytes.ts";
import type { WireText } from "../base/text.ts";

/** Packed data boxes. An empty list packs to no bytes. */
export type Payload = Uint8Array;

export const EMPTY_PAYLOAD: Payload = new Uint8Array(0);

/** Packs the boxes; the result shares no memory with them. */
export function packPayload(boxes: readonly (WireText | null)[]): Payload {
  if (boxes.length === 0) return EMPTY_PAYLOAD;
  let bytes = 0;
  for (const box of boxes) bytes += packedBytes(box);
  // Memory of its own: it lives as long as the publication.
  const payload = new Uint8Array(bytes);
  let at = 0;
  for (const box of boxes) at = packBox(payload, at, box);
  return payload;
}

/** Appends the boxes of a payload, as views into it, to `boxes`, and returns that. */
export function boxesOf(payload: Payload, boxes: (WireText | null)[] = []): (WireText | null)[] {
  const cursor = { at: 0 };
  while (cursor.at < payload.length) boxes.push(unpackBox(payload, cursor));
  return boxes;
}

/** The number of boxes in a payload. Counted for each registration, so no views are made. */
export function boxCount(payload: Payload): number {
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

/** Whether two payloads hold the same boxes: packing is canonical, so equal bytes are equal boxes. */
export function equalPayloads(a: Payload, b: Payload): boolean {
  return equalBytes(a, b);
}

function packedBytes(box: WireText | null): number {
  if (box === null) return 1;
  const { length } = box.utf8;
  return varintBytes(headOf(box)) + (isAscii(box) ? 0 : varintBytes(length)) + length;
}

function packBox(payload: Uint8Array, start: number, box: WireText | null): number {
  if (box === null) return putVarint(payload, start, 0);
  let at = putVarint(payload, start, headOf(box));
  if (!isAscii(box)) at = putVarint(payload, at, box.utf8.length);
  payload.set(box.utf8, at);
  return at + box.utf8.length;
}

function isAscii({ utf8, units }: WireText): boolean {
  return units === utf8.length;
}

function headOf(box: WireText): number {
  return (box.units + 1) * 2 + (isAscii(box) ? 0 : 1);
}

function unpackBox(payload: Payload, cursor: { at: number }): WireText | null {
  const head = readVarint(payload, cursor);
  if (head === 0) return null;
  const units = Math.floor(head / 2) - 1;
  const length = head % 2 === 0 ? units : readVarint(payload, cursor);
  const utf8 = payload.subarray(cursor.at, cursor.at + length);
  assert(utf8.length === length, "a packed box is whole");
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
  let value = 0;
  for (let scale = 1; ; scale *= 0x80) {
    const byte = payload[cursor.at++];
    assert(byte !== undefined, "a packed varint is whole");
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return value;
  }
}
