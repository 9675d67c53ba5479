// Several small buffers as one, because a second buffer in a system call costs more than copying a few kilobytes: up to
// three times one write, measured. The copies are cut from slabs, one allocation for hundreds of small answers.

import { assert } from "../base/assert.ts";

/** Up to this a copy is cheaper than a second buffer; at 17 KB, a push of 100 addresses, it is dearer (W1). */
export const JOINED_BYTES_MAX = 4 * 1024;

/** As `join`, for bytes that will wait: a few of them must not keep a whole slab in memory. */
export function joinToKeep(parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}

const SLAB_BYTES = 1024 * 1024;

let slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
let used = 0;

/** The parts in one buffer of `bytes`, their sum, at most JOINED_BYTES_MAX. */
export function join(parts: readonly Uint8Array[], bytes: number): Uint8Array {
  assert(bytes <= JOINED_BYTES_MAX, "only small parts are joined");
  if (used + bytes > SLAB_BYTES) {
    // The old slab lives until the last write from it is done.
    slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
    used = 0;
  }
  const joined = slab.subarray(used, used + bytes);
  let at = used;
  for (const part of parts) {
    slab.set(part, at);
    at += part.length;
  }
  used = at;
  return joined;
}
