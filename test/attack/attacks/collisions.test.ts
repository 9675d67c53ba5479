import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { collidingUuids } from "./collisions.ts";

/** MurmurHash3's mixing without a seed, over a UUID's bytes: what registIds were found by. */
function unseededHash(uuid: string): number {
  const bytes = Buffer.from(uuid.replaceAll("-", ""), "hex");
  let hash = 64;
  for (let at = 0; at < bytes.length; at += 4) {
    let block = Math.imul(bytes.readUInt32LE(at), 0xcc9e2d51);
    block = Math.imul((block << 15) | (block >>> 17), 0x1b873593);
    const mixed = hash ^ block;
    hash = (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
  }
  return hash >>> 0;
}

test("the registIds are different UUIDs of one hash", () => {
  const uuids = collidingUuids(1_000);
  assert.equal(new Set(uuids).size, 1_000);
  for (const uuid of uuids) assert.match(uuid, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  assert.deepEqual([...new Set(uuids.map(unseededHash))], [0x12345678]);
});
