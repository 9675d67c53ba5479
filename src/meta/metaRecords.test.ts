import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { RegistryError } from "../base/errors.ts";
import { brandServiceKey, nodeId } from "../model/ids.ts";
import { KEY_PART_CHARS_MAX } from "../model/serviceKey.ts";
import { checkKey } from "../records/bounds.ts";
import {
  BLOCKED_NODE_RECORDS,
  BLOCKED_PLACE_RECORDS,
  CLUSTER_RECORD,
  CONFIG_RECORDS,
  decodeRecord,
  encodeRecord,
  keyOf,
  metaStateOf,
  type RecordCodec,
  SLOT_PAUSE_RECORD,
  SLOT_TABLE_RECORD,
} from "./metaRecords.ts";
import { RULE_RECORDS } from "./ruleRecords.ts";

const recordOf = <Value>(codec: RecordCodec<Value>, value: Value) => ({
  key: keyOf(codec, value),
  value: encodeRecord(codec, value),
  revision: 1n,
  createdRevision: 1n,
});

const record = (key: string, text: string) => ({
  ...recordOf(BLOCKED_NODE_RECORDS, { node: "" }),
  key,
  value: bytes(text),
});
const bytes = (text: string) => new TextEncoder().encode(text);

function comesBack<Value>(codec: RecordCodec<Value>, value: Value): void {
  const stored = recordOf(codec, value);
  checkKey(stored.key);
  assert.ok(
    stored.value.every((byte) => byte >= 0x20 && byte < 0x7f),
    "its JSON is in ASCII",
  );
  assert.deepEqual(decodeRecord(codec, stored), value);
}

test("every value comes back as it was, every text and every 64-bit number in it", () => {
  const odd = "or\0ders\ud800#@#\u{1f490}#@#'\"\\";
  const [a, b, c] = [nodeId("a"), nodeId("b"), nodeId("c")];
  comesBack(CLUSTER_RECORD, { name: odd, slotCount: 256 });
  comesBack(SLOT_TABLE_RECORD, {
    epoch: 2n ** 63n - 1n,
    slots: [
      { leader: a, leaderEpoch: 2n ** 63n - 1n, followers: [b, c] },
      { leader: b, leaderEpoch: 0n, followers: [] },
    ],
  });
  for (const data of [null, "", "a\0b\udfff\n'\"\u00e9"]) {
    comesBack(CONFIG_RECORDS, { serviceKey: brandServiceKey(odd), version: 2n ** 63n - 1n, data });
  }
  comesBack(BLOCKED_NODE_RECORDS, { node: odd });
  comesBack(BLOCKED_PLACE_RECORDS, { node: odd, host: "fe80::1", roles: ["session", "data"] });
  comesBack(SLOT_PAUSE_RECORD, { setBy: odd, reason: "", sinceMs: Number.MAX_SAFE_INTEGER });
  const words = { setBy: odd, setMs: 1, reason: odd, epoch: 2n ** 63n - 1n };
  comesBack(RULE_RECORDS, {
    id: "off",
    effect: "hidePublications",
    match: { zones: [odd] },
    isInForce: true,
    ...words,
  });
  const settings = new Map([
    ["push-compress", "false"],
    ["__proto__", odd],
  ]);
  comesBack(RULE_RECORDS, { id: "set", effect: "changeSettings", match: {}, settings, isInForce: false, ...words });
});

test("the key of a long name has its digest instead, and the name is in the value", () => {
  const long = brandServiceKey("\u00e9".repeat(3 * KEY_PART_CHARS_MAX));
  const config = { serviceKey: long, version: 1n, data: "x" };
  comesBack(CONFIG_RECORDS, config);
  const json = `"${"\\u00e9".repeat(3 * KEY_PART_CHARS_MAX)}"`;
  assert.equal(keyOf(CONFIG_RECORDS, config), `meta/config/sha256:${createHash("sha256").update(json).digest("hex")}`);
  const short = { ...config, serviceKey: brandServiceKey("retries#@#I#@#G") };
  assert.equal(keyOf(CONFIG_RECORDS, short), 'meta/config/"retries#@#I#@#G"');
});

const tableText = (epoch: unknown, slots: unknown) => JSON.stringify({ epoch, slots });

for (const [what, key, text, reason] of [
  ["no JSON", "meta/slot-table", "[", "it is not JSON"],
  ["a list", "meta/slot-table", "[]", "it is not an object"],
  ["a number", "meta/cluster", "7", "it is not an object"],
  ["no slots", "meta/slot-table", tableText("5", []), "slots is not a list of slots"],
  ["slots that are none", "meta/slot-table", tableText("5", "a"), "slots is not a list of slots"],
  ["a negative epoch", "meta/slot-table", tableText("-5", [["a", "1", []]]), "epoch is not a number from 0 to"],
  ["an epoch beyond 64 bits", "meta/slot-table", tableText("9223372036854775808", [["a", "1", []]]), "epoch is not a"],
  ["an epoch that is no text", "meta/slot-table", tableText(5, [["a", "1", []]]), "epoch is not text"],
  ["a hole", "meta/slot-table", tableText("5", [["a", "5", []], ["b"]]), "slot 1 has no leader"],
  ["a leader without a name", "meta/slot-table", tableText("5", [["", "5", []]]), "slot 0 has no leader"],
  [
    "a leader whose name moves the cursor",
    "meta/slot-table",
    tableText("5", [["d\u001b[2J", "5", []]]),
    "slot 0 has no",
  ],
  ["a leader epoch that is none", "meta/slot-table", tableText("5", [["a", "5x", []]]), "slot 0 has no leader"],
  ["a leader from after the table", "meta/slot-table", tableText("5", [["a", "6", []]]), "has a leader from after"],
  ["a leader that follows itself", "meta/slot-table", tableText("5", [["a", "5", ["a"]]]), "slot 0 has a node twice"],
  ["a follower twice", "meta/slot-table", tableText("5", [["a", "5", ["b", "b"]]]), "slot 0 has a node twice"],
  ["followers that are no names", "meta/slot-table", tableText("5", [["a", "5", [1]]]), "slot 0 has no followers"],
  ["no name", "meta/cluster", '{"slotCount":2}', "name is not text"],
  ["no slots to have", "meta/cluster", '{"name":"c","slotCount":-1}', "slotCount is below 1"],
  ["half a slot", "meta/cluster", '{"name":"c","slotCount":0.5}', "slotCount is no integer"],
  ["a version of the past", 'meta/config/"a"', '{"serviceKey":"a","version":"-1","data":null}', "version is not a"],
  ["a number as its value", 'meta/config/"a"', '{"serviceKey":"a","version":"1","data":1}', "data is not text"],
  [
    "another's value",
    'meta/config/"a"',
    '{"serviceKey":"b","version":"1","data":null}',
    'its key should be meta/config/"b"',
  ],
  ["a pause without a beginning", "meta/slot-pause", '{"setBy":"a","reason":""}', "sinceMs is not text"],
  [
    "a pause that began never",
    "meta/slot-pause",
    '{"setBy":"a","reason":"","sinceMs":"-1"}',
    "sinceMs is not a number",
  ],
  ["a place without roles", 'meta/blocked-place/"a"', '{"node":"a","host":"h"}', "roles is no list"],
  ["no node", 'meta/blocked-node/"a"', '{"name":"a"}', "node is not text"],
] as const) {
  test(`a record with ${what} is an error that names it and says what to do`, () => {
    assert.throws(
      () => metaStateOf([record(key, text)]),
      (error) => {
        assert.ok(error instanceof RegistryError && error.code === "STORE_DAMAGED");
        assert.deepEqual(error.details["record"], key);
        assert.ok(String(error.details["reason"]).includes(reason), error.message);
        assert.match(error.message, /restore a backup/);
        return true;
      },
    );
  });
}

test("a value that is no text is an error", () => {
  const broken = { ...record("meta/cluster", ""), value: Uint8Array.of(0xff) };
  assert.throws(() => metaStateOf([broken]), /it is not text/);
});

test("a table has as many slots as its cluster, where both are there", () => {
  const table = recordOf(SLOT_TABLE_RECORD, {
    epoch: 5n,
    slots: [{ leader: nodeId("a"), leaderEpoch: 5n, followers: [] }],
  });
  const cluster = (slotCount: number) => recordOf(CLUSTER_RECORD, { name: "c", slotCount });
  assert.throws(() => metaStateOf([cluster(2), table]), /meta\/slot-table.*1 slots of 2/);
  assert.equal(metaStateOf([cluster(1), table]).slotTable?.slots.length, 1);
  assert.equal(metaStateOf([table]).cluster, undefined);
});
