// Copies of payloads for whoever reads publications. A typed array with memory of its own takes half a microsecond to
// make; so small ones are cut from blocks of 8 KiB, as Node does with Buffers, in a quarter of that. The price is the
// same as there: one payload that is kept for long keeps its block alive.

import { EMPTY_PAYLOAD, type Payload } from "../../model/payload.ts";

const BLOCK_BYTES = 8 * 1024;
const CUT_BYTES_MAX = 2 * 1024;

let block = new Uint8Array(BLOCK_BYTES);
let used = 0;

/** Room for a payload; it shares no memory with any other. */
export function payloadRoom(length: number): Uint8Array {
  if (length > CUT_BYTES_MAX) return new Uint8Array(length);
  if (used + length > BLOCK_BYTES) {
    block = new Uint8Array(BLOCK_BYTES);
    used = 0;
  }
  const room = block.subarray(used, used + length);
  used += length;
  return room;
}

/** A copy of `bytes[start..end)`. */
export function payloadCopy(bytes: Uint8Array, start: number, end: number): Payload {
  if (start === end) return EMPTY_PAYLOAD;
  const copy = payloadRoom(end - start);
  copy.set(bytes.subarray(start, end));
  return copy;
}
