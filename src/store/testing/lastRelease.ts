// The content of the copies of stores that the release before records has written (testdata/): a cluster, a slot table,
// four configuration values, and two blocked nodes.

import assert from "node:assert/strict";
import { BLOCKED_NODE_RECORDS, decodeRecord, metaStateOf, recordsOf } from "../../meta/metaRecords.ts";
import { brandServiceKey, nodeId } from "../../model/ids.ts";
import type { WholeRange } from "../../records/readAll.ts";
import { ODD } from "./disks.ts";

export const RETRIES = brandServiceKey("retries#@#DEFAULT_INSTANCE_ID#@#DEFAULT_GROUP");
export const REMOVED = brandServiceKey("removed#@#I#@#G");
/** As long as a key's three parts may be together; its record is keyed by its digest. */
export const LONG = brandServiceKey("é".repeat(4_800));

/** Checks that all of it is there, and reads it as the role meta does. */
export function assertLastRelease({ records }: WholeRange): void {
  const { cluster, slotTable, configs, blockedNodes } = metaStateOf(records);
  assert.deepEqual(cluster, { name: "last", slotCount: 256 });
  assert.equal(slotTable?.epoch, 9_007_199_254_740_995n);
  assert.deepEqual(slotTable.slots[1], {
    leader: nodeId("data-1.abcdefgh"),
    leaderEpoch: 9_007_199_254_740_993n,
    followers: [nodeId("data-2.abcdefgh")],
  });
  assert.deepEqual(
    new Map([...configs].map(([key, { version, data }]) => [key, [version, data]])),
    new Map<string, unknown>([
      [RETRIES, [7n, "three"]],
      [REMOVED, [8n, null]],
      [ODD, [9_223_372_036_854_775_807n, "a\0b\udfff\n'\"é"]],
      [LONG, [9n, "long"]],
    ]),
  );
  assert.deepEqual(blockedNodes, new Set(["data-2", ODD]));
  assert.equal(records.length, 8, "and nothing else");
  for (const record of recordsOf(BLOCKED_NODE_RECORDS, records)) decodeRecord(BLOCKED_NODE_RECORDS, record);
}
