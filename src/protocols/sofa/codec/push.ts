// The content of pushes, independent of their receivers.

import type { Box, CompressedBoxes } from "./messages.ts";

/** The addresses of one zone. Zones and boxes may be iterated more than once. */
export interface PushZone {
  readonly zone: string;
  readonly boxes: Iterable<Box>;
  /** The number of boxes; the codec asserts it. */
  readonly count: number;
}

/** The service of a push. */
interface PushSubject {
  readonly dataId: string;
  readonly group: string;
  readonly instanceId: string;
  readonly scope: string;
  readonly localZone: string;
}

/** All addresses of one service in one segment at one version. */
export interface PushMessage extends PushSubject {
  readonly segment: string;
  readonly version: bigint;
  readonly zones: Iterable<PushZone>;
  /** Protobuf only: the zones' addresses, compressed; they are then sent in this form. */
  readonly compressed?: CompressedBoxes;
}

/** One segment of a push of several. */
export interface PushSegment {
  readonly segment: string;
  readonly version: bigint;
  readonly zones: Iterable<PushZone>;
  /** Protobuf only: the zones' addresses, compressed; they are then sent in this form. */
  readonly compressed?: CompressedBoxes;
}

/** All addresses of one service in several segments, each with its version. */
export interface MultiPush extends PushSubject {
  readonly localSegment: string;
  readonly segments: Iterable<PushSegment>;
}

// An address of a SOFA service takes 170 to 190 bytes; too low a guess costs a doubling, too high a guess unused
// memory.
const BOX_BYTES_EXPECTED = 192;
const HEAD_BYTES_EXPECTED = 1024;

/** A body in the form that is kept: without the spare room of its writer, if that is much. */
export function compact(body: Uint8Array): Uint8Array {
  return body.buffer.byteLength > body.length * SPARE_MAX ? body.slice() : body;
}

// A copy takes 10 µs for 200 kB; a quarter of spare room isn't worth it.
const SPARE_MAX = 1.25;

/** The approximate length of the encoding of these zones, in bytes. */
export function pushBytesExpected(zones: Iterable<PushZone>): number {
  let bytes = HEAD_BYTES_EXPECTED;
  for (const { count } of zones) bytes += count * BOX_BYTES_EXPECTED;
  return bytes;
}
