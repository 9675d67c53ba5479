// Stands in for compression: puts one byte in front, which is enough to check that one side undoes the work of the
// other.

import { assert } from "../base/assert.ts";
import type { Compression } from "../base/ports.ts";
import { decodeReceivedDataBody } from "../protocols/sofa/codec/codec.ts";
import type { Box } from "../protocols/sofa/codec/messages.ts";

const MARKS = { gzip: 1, zstd: 2 } as const;

/** The server's side. */
export const MARKING: Compression = {
  gzip: (bytes) => marked(bytes, MARKS.gzip),
  zstd: (bytes) => marked(bytes, MARKS.zstd),
};

/** The client's side. */
export function unmark(encoding: string, body: Uint8Array): ReadonlyMap<string, readonly Box[]> {
  assert(body[0] === (encoding === "gzip" ? MARKS.gzip : MARKS.zstd), "a body is compressed as its message says");
  return decodeReceivedDataBody(body.subarray(1));
}

function marked(bytes: Uint8Array, mark: number): Uint8Array {
  const result = new Uint8Array(bytes.length + 1);
  result[0] = mark;
  result.set(bytes, 1);
  return result;
}
