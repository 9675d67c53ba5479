import assert from "node:assert/strict";
import { test } from "node:test";
import { fail, RegistryError } from "../base/errors.ts";
import type { Log } from "../base/ports.ts";
import type { ClusterConstants, MetaStore } from "../meta/metaStore.ts";
import { MemoryDisk, openMemoryStore } from "../store/memory/memoryStore.ts";
import { openMetaStore } from "./openMetaStore.ts";

const CLUSTER: ClusterConstants = { name: "c", slotCount: 256 };
const nothing = () => undefined;
const LOG: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
const hasCode = (code: string) => (error: unknown) => error instanceof RegistryError && error.code === code;

/** An opening that fails this many times, and the errors that it refused. */
function opening(store: MetaStore, failures: readonly RegistryError[] = []) {
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
  const store = await openMetaStore(opening(await openMemoryStore(new MemoryDisk()), [away(), away()]));
  await assert.rejects(store.loadAll(), hasCode("STORE_UNAVAILABLE"));
  assert.deepEqual((await store.loadAll()).cluster, CLUSTER);
  await store.close();
  await store.close();
});

test("a store of another cluster is refused at the start", async () => {
  const store = await openMemoryStore(new MemoryDisk());
  await store.saveCluster({ name: "other", slotCount: 256 });
  await assert.rejects(openMetaStore(opening(store)), hasCode("CONFIG_INVALID"));
});

test("a store with another number of slots is refused at the start", async () => {
  const store = await openMemoryStore(new MemoryDisk());
  await store.saveCluster({ name: "c", slotCount: 16 });
  await assert.rejects(openMetaStore(opening(store)), hasCode("CONFIG_INVALID"));
});

test("a newer schema is refused at the start, and later ends the node", async () => {
  const newer = () => fail("STORE_SCHEMA_NEWER", { found: 9 });
  await assert.rejects(
    openMetaStore(opening(await openMemoryStore(new MemoryDisk()), [newer()])),
    hasCode("STORE_SCHEMA_NEWER"),
  );
  const late = opening(await openMemoryStore(new MemoryDisk()), [away(), newer()]);
  const store = await openMetaStore(late);
  await assert.rejects(store.loadAll(), hasCode("STORE_SCHEMA_NEWER"));
  assert.deepEqual(
    late.refusals.map(({ code }) => code),
    ["STORE_SCHEMA_NEWER"],
  );
});

test("a store of another cluster that comes back later ends the node", async () => {
  const other = await openMemoryStore(new MemoryDisk());
  await other.saveCluster({ name: "other", slotCount: 256 });
  const late = opening(other, [away()]);
  const store = await openMetaStore(late);
  await assert.rejects(store.acquireLease({ holder: "m" as never, address: "" }, 1_000), hasCode("CONFIG_INVALID"));
  assert.equal(late.refusals.length, 1);
});

test("nothing is asked of a store that is closed", async () => {
  const store = await openMetaStore(opening(await openMemoryStore(new MemoryDisk())));
  await store.close();
  await assert.rejects(store.loadAll(), hasCode("STORE_UNAVAILABLE"));
});

test("a store that is damaged is refused at the start, and later ends the node", async () => {
  const damaged = async () => ({
    ...(await openMemoryStore(new MemoryDisk())),
    saveCluster: async () => CLUSTER,
    loadAll: () => Promise.reject(fail("STORE_DAMAGED", { reason: "table slot_table, row 1: no leader" })),
    close: async () => undefined,
  });
  await assert.rejects(openMetaStore(opening(await damaged())), hasCode("STORE_DAMAGED"));
  const late = opening(await damaged(), [away()]);
  const store = await openMetaStore(late);
  await assert.rejects(store.loadAll(), hasCode("STORE_DAMAGED"));
  assert.deepEqual(
    late.refusals.map(({ code }) => code),
    ["STORE_DAMAGED"],
  );
});
