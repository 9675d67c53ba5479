// A publication's share of the list that its service's subscribers are pushed: the bytes of its boxes and of the names
// around them. Sessions and the leader bound a list in these bytes, so both count in the same way.
//
// Sizes are rounded up to one of 128 levels, eight for each power of two. A level is a number of seven bits, small
// enough to be kept with each publication, so that exactly the amount added to a list is taken off again.

import { formOf, type Payload } from "./payload.ts";

// Names, stamps, owner and one box; by measurement, a session's copy takes four times that, in small objects.
const PUBLICATION_BYTES = 120;
// Each further box is one more view of its text in every body made from the list: 650,000 of them took half a second of
// collections.
const BOX_BYTES = 100;

const LEAST_BITS = 8;
const STEP_BITS = 3;
const STEPS = 1 << STEP_BITS;
/** The highest level: 16 MiB and more. */
const LEVEL_MAX = 127;

/** The level of a publication with this payload. */
export function listLevelOf(payload: Payload): number {
  const bytes = PUBLICATION_BYTES + payload.length + BOX_BYTES * Math.max(0, boxesIn(payload) - 1);
  if (bytes <= 1 << LEAST_BITS) return 0;
  // Of `bytes - 1`, so that a size exactly at a level's upper end belongs to it.
  const bits = 31 - Math.clz32(bytes - 1);
  const step = ((bytes - 1) >> (bits - STEP_BITS)) & (STEPS - 1);
  return Math.min(LEVEL_MAX, (bits - LEAST_BITS) * STEPS + step + 1);
}

// As `boxCount`, for bytes that may not be a payload: a data node otherwise never looks into them.
function boxesIn(payload: Payload): number {
  if (formOf(payload) !== "boxes") return 1;
  let count = 0;
  let at = 0;
  while (at < payload.length) {
    let head = 0;
    let length = 0;
    let scale = 1;
    for (; (payload[at] ?? 0) > 0x7f; scale *= 0x80) head += ((payload[at++] as number) & 0x7f) * scale;
    head += (payload[at++] ?? 0) * scale;
    if (head % 2 === 0) length = Math.max(0, head / 2 - 1);
    else {
      for (scale = 1; (payload[at] ?? 0) > 0x7f; scale *= 0x80) length += ((payload[at++] as number) & 0x7f) * scale;
      length += (payload[at++] ?? 0) * scale;
    }
    at += length;
    count++;
  }
  return count;
}

const BYTES_OF = Array.from({ length: LEVEL_MAX + 1 }, (_, level) => {
  return 2 ** (LEAST_BITS + Math.floor(level / STEPS)) * (1 + (level % STEPS) / STEPS);
});

/** The upper end of a level in bytes. */
export function bytesOfLevel(level: number): number {
  return BYTES_OF[level] as number;
}

/** The most that it can add, whatever its content: cheap to tell. */
export function mayAdd(payload: Payload): number {
  return (PUBLICATION_BYTES + (1 + BOX_BYTES) * payload.length) * (1 + 1 / STEPS) + (1 << LEAST_BITS);
}

/** The approximate share of a publication with this payload in its service's list. */
export function listBytesOf(payload: Payload): number {
  return bytesOfLevel(listLevelOf(payload));
}
