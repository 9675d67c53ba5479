// Varints of numbers from 0 to 2^31 - 1: lengths, and the tags of fields.

/** The most bytes that one takes. */
export const VARINT_BYTES_MAX = 5;

export function varintBytes(value: number): number {
  let count = 1;
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) count++;
  return count;
}

/** Returns where the number ends. */
export function putVarint(target: Uint8Array, start: number, value: number): number {
  let at = start;
  let rest = value;
  for (; rest >= 0x80; rest >>>= 7) target[at++] = (rest & 0x7f) | 0x80;
  target[at] = rest;
  return at + 1;
}
