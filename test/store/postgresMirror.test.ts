// A database of the release before records: it is carried over, and while nodes of both releases work on it, each sees
// what the other has written. The statements of the release before stand here as it made them, without its fence.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  BLOCKED_NODE_RECORDS,
  CONFIG_RECORDS,
  encodeRecord,
  keyOf,
  metaStateOf,
  type RecordCodec,
  SLOT_TABLE_RECORD,
} from "../../src/meta/metaRecords.ts";
import { nodeId } from "../../src/model/ids.ts";
import { keysWith } from "../../src/records/keys.ts";
import { readAll } from "../../src/records/readAll.ts";
import type { Records } from "../../src/records/records.ts";
import { openPostgresRecords } from "../../src/store/postgres/postgresRecords.ts";
import { ODD } from "../../src/store/testing/disks.ts";
import { assertLastRelease, LONG, RETRIES } from "../../src/store/testing/lastRelease.ts";
import { B, LONG_MS } from "../../src/store/testing/testRecords.ts";
import type { PostgresServer } from "./postgres.ts";
import { withPostgres } from "./withPostgres.ts";

const COPY = readFileSync(join(import.meta.dirname, "testdata", "last-release.sql"), "utf8");

const everything = (records: Records) => readAll(records, keysWith(""), 100);
const stateOf = async (records: Records) => metaStateOf((await everything(records)).records);

/** A leader of this release saves a value, or removes it. */
async function save<Value>(records: Records, codec: RecordCodec<Value>, value: Value, kind = "put"): Promise<void> {
  const key = keyOf(codec, value);
  const put = { kind: "put", key, value: encodeRecord(codec, value) } as const;
  const operation = kind === "put" ? put : ({ kind: "delete", key } as const);
  assert.equal((await records.commit({ conditions: [], operations: [operation] })).kind, "committed");
}

await withPostgres("a database of the release before", (server) => {
  test("it is carried over once, with its lease, and keeps what it was", async () => {
    await server.sql(COPY);
    const [one, other] = await Promise.all([openPostgresRecords(server.url), openPostgresRecords(server.url)]);
    const { revision } = await everything(one);
    assertLastRelease(await everything(one));
    assertLastRelease(await everything(other));
    assert.equal((await one.acquireLease(B, LONG_MS)).epoch, 2n, "epochs go on growing");
    assert.equal((await server.sql("SELECT 1 FROM roster.config")).length, 4);
    await Promise.all([one.close(), other.close()]);
    const again = await openPostgresRecords(server.url);
    assert.equal((await everything(again)).revision, revision);
    await again.close();
  });

  test("a node of the release before still writes its tables, and one of this release reads that", async () => {
    const records = await openPostgresRecords(server.url);
    let woken = 0;
    const cancel = records.watch(keysWith("meta/"), (await everything(records)).revision, {
      changed: (changes) => {
        woken += changes.length;
      },
      compacted: () => assert.fail("nothing is compacted"),
    });
    const owners = `[["data-9","6",[]]]`;
    await server.sql("UPDATE roster.slot_table SET epoch = $1, slots_json = $2", 9_007_199_254_740_996n, owners);
    await putConfig(server, RETRIES, 70n, "four");
    await putConfig(server, LONG, 71n, null);
    await putConfig(server, "new", 72n, "first");
    await block(server, "data-2", false);
    await block(server, "data-3", true);
    const { slotTable, configs, blockedNodes } = metaStateOf(
      (await everything(records)).records.filter(({ key }) => key !== "meta/cluster"),
    );
    assert.deepEqual(slotTable, {
      epoch: 9_007_199_254_740_996n,
      slots: [{ leader: nodeId("data-9"), leaderEpoch: 6n, followers: [] }],
    });
    assert.deepEqual(configs.get(RETRIES), { serviceKey: RETRIES, version: 70n, data: "four" });
    assert.deepEqual(configs.get(LONG), { serviceKey: LONG, version: 71n, data: null });
    assert.equal(configs.size, 5);
    assert.deepEqual(blockedNodes, new Set(["data-3", ODD]));
    while (woken < 6) await new Promise((resolve) => setTimeout(resolve, 5));
    cancel();
    await records.close();
  });

  test("a node of this release writes records, and one of the release before reads them in its tables", async () => {
    const records = await openPostgresRecords(server.url);
    const slots = Array.from({ length: 256 }, () => ({ leader: nodeId("data-1"), leaderEpoch: 7n, followers: [] }));
    await save(records, SLOT_TABLE_RECORD, { epoch: 9_007_199_254_740_997n, slots });
    await save(records, CONFIG_RECORDS, { serviceKey: RETRIES, version: 80n, data: "five" });
    await save(records, CONFIG_RECORDS, { serviceKey: LONG, version: 81n, data: "back" });
    await save(records, CONFIG_RECORDS, { serviceKey: ODD, version: 82n, data: null });
    await save(records, BLOCKED_NODE_RECORDS, { node: "data-4" });
    await save(records, BLOCKED_NODE_RECORDS, { node: ODD }, "remove");
    const [table] = await server.sql("SELECT epoch::text, slots_json FROM roster.slot_table");
    assert.deepEqual(table?.["epoch"], "9007199254740997");
    assert.equal(JSON.parse(String(table["slots_json"])).length, 256);
    const values = await server.sql("SELECT data_info_id_json, version::text, data_json FROM roster.config");
    const rowOf = (name: string) => values.find((row) => JSON.parse(String(row["data_info_id_json"])) === name);
    assert.deepEqual([rowOf(RETRIES)?.["version"], rowOf(RETRIES)?.["data_json"]], ["80", '"five"']);
    assert.deepEqual([rowOf(LONG)?.["version"], rowOf(LONG)?.["data_json"]], ["81", '"back"']);
    assert.deepEqual([rowOf(ODD)?.["version"], rowOf(ODD)?.["data_json"]], ["82", "null"]);
    assert.equal(values.length, 5, "each value has one row");
    const blocked = await server.sql("SELECT name_json FROM roster.blocked_node WHERE is_blocked ORDER BY 1");
    assert.deepEqual(
      blocked.map((row) => JSON.parse(String(row["name_json"]))),
      ["data-3", "data-4"],
    );
    assert.deepEqual((await stateOf(records)).blockedNodes, new Set(["data-3", "data-4"]));
    await records.close();
  });
});

async function putConfig(server: PostgresServer, name: string, version: bigint, data: string | null): Promise<void> {
  const key = createHash("sha256").update(ascii(name)).digest();
  const sql = `INSERT INTO roster.config AS stored (key_sha256, data_info_id_json, version, data_json)
    VALUES ($1::bytea, $2::text, $3::bigint, $4::text)
    ON CONFLICT (key_sha256) DO UPDATE SET version = excluded.version, data_json = excluded.data_json
    WHERE excluded.version > stored.version`;
  await server.sql(sql, key, ascii(name), version, ascii(data));
}

async function block(server: PostgresServer, node: string, isBlocked: boolean): Promise<void> {
  const sql = `INSERT INTO roster.blocked_node (name_json, is_blocked) VALUES ($1::text, $2::boolean)
    ON CONFLICT (name_json) DO UPDATE SET is_blocked = excluded.is_blocked`;
  await server.sql(sql, ascii(node), isBlocked);
}

function ascii(text: string | null): string {
  const escaped = (char: string) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return JSON.stringify(text).replace(/[^ -~]/g, escaped);
}
