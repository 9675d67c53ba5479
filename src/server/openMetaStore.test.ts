import assert from "node:assert/strict";
import { test } from "node:test";
import { fail, RegistryError } from "../base/errors.ts";
import type { Log } from "../base/ports.ts";
import { CLUSTER_RECORD, type ClusterConstants, encodeRecord, metaStateOf } from "../meta/metaRecords.ts";
import type { Operation, Records } from "../records/records.ts";
import { openMemoryRecords } from "../store/memory/memoryRecords.ts";
import { openMetaStore } from "./openMetaStore.ts";

const CLUSTER: ClusterConstants = { name: "c", slotCount: 256 };
const nothing = () => undefined;
const LOG: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
const hasCode = (code: string) => (error: unknown) => error instanceof RegistryError && error.code === code;

/** Records that hold this one. */
async function recordsWith(key: string, value: Uint8Array): Promise<Records> {
  const records = await openMemoryRecords();
  const put: Operation = { kind: "put", key, value };
  await records.commit({ conditions: [], operations: [put] });
  return records;
}

const recordsOfCluster = (constants: ClusterConstants) =>
  recordsWith(CLUSTER_RECORD.prefix, encodeRecord(CLUSTER_RECORD, constants));

/** An opening that fails this many times, and the errors that it refused. */
function opening(store: Records, failures: readonly RegistryError[] = []) {
  const left = [...failures];
  const refused: RegistryError[] = [];
  const open = async () => {
    const error = left.shift();
    if (error !== undefined) throw error;
    return store;
  };
  return {
    open,
    cluster: CLUSTER,
    log: LOG,
    refused: (error: RegistryError) => refused.push(error),
    refusals: refused,
  };
}

const away = () => fail("STORE_UNAVAILABLE", { reason: "it is away" });

test("a store that is away at the start is opened by a later call", async () => {
  const store = await openMetaStore(opening(await openMemoryRecords(), [away(), away()]));
  await assert.rejects(store.load(), hasCode("STORE_UNAVAILABLE"));
  assert.deepEqual(metaStateOf((await store.load()).records).cluster, CLUSTER);
  await store.close();
  await store.close();
});

test("a store of another cluster is refused at the start", async () => {
  const store = await recordsOfCluster({ name: "other", slotCount: 256 });
  await assert.rejects(openMetaStore(opening(store)), hasCode("CONFIG_INVALID"));
});

test("a store with another number of slots is refused at the start", async () => {
  const store = await recordsOfCluster({ name: "c", slotCount: 16 });
  await assert.rejects(openMetaStore(opening(store)), hasCode("CONFIG_INVALID"));
});

test("a newer schema is refused at the start, and later ends the node", async () => {
  const newer = () => fail("STORE_SCHEMA_NEWER", { found: 9 });
  await assert.rejects(openMetaStore(opening(await openMemoryRecords(), [newer()])), hasCode("STORE_SCHEMA_NEWER"));
  const late = opening(await openMemoryRecords(), [away(), newer()]);
  const store = await openMetaStore(late);
  await assert.rejects(store.load(), hasCode("STORE_SCHEMA_NEWER"));
  assert.deepEqual(
    late.refusals.map(({ code }) => code),
    ["STORE_SCHEMA_NEWER"],
  );
});

test("a store of another cluster that comes back later ends the node", async () => {
  const other = await recordsOfCluster({ name: "other", slotCount: 256 });
  const late = opening(other, [away()]);
  const store = await openMetaStore(late);
  await assert.rejects(store.acquireLease({ holder: "m" as never, address: "" }, 1_000), hasCode("CONFIG_INVALID"));
  assert.equal(late.refusals.length, 1);
});

test("nothing is asked of a store that is closed", async () => {
  const store = await openMetaStore(opening(await openMemoryRecords()));
  await store.close();
  await assert.rejects(store.load(), hasCode("STORE_UNAVAILABLE"));
});

test("a store that is damaged is refused at the start, and later ends the node", async () => {
  const damaged = () => recordsWith("meta/slot-table", new TextEncoder().encode('{"epoch":"5","slots":[]}'));
  await assert.rejects(openMetaStore(opening(await damaged())), (error) => {
    assert.ok(error instanceof RegistryError && error.code === "STORE_DAMAGED");
    assert.match(error.message, /store=memory.*meta\/slot-table.*slots is not a list of slots.*delete this record/);
    return true;
  });
  const late = opening(await damaged(), [away()]);
  const store = await openMetaStore(late);
  await assert.rejects(store.load(), hasCode("STORE_DAMAGED"));
  assert.deepEqual(
    late.refusals.map(({ code }) => code),
    ["STORE_DAMAGED"],
  );
});
