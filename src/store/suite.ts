// What every store must do, whatever it is made of. Each store's test file runs this suite on its own disks.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { InvariantError } from "../base/assert.ts";
import { RegistryError } from "../base/errors.ts";
import type { NodeStore } from "../data/nodeStore.ts";
import type { MetaStore } from "../meta/metaStore.ts";
import { brandDataInfoId, nodeId } from "../model/ids.ts";
import type { SlotTable } from "../model/slot.ts";

/** A disk that a store is opened on, closed, and opened on again. */
export interface TestDisk {
  open(): Promise<MetaStore & NodeStore>;
}

/** Registers the suite under a name; `newDisk` gives a fresh disk for each test. */
export function storeSuite(name: string, newDisk: () => TestDisk): void {
  describe(`${name}: cluster and slot table`, () => clusterTests(newDisk));
  describe(`${name}: configuration`, () => configTests(newDisk));
  describe(`${name}: the node's own disk`, () => nodeTests(newDisk));
  describe(`${name}: open and close`, () => lifeTests(newDisk));
}

const ORDERS = brandDataInfoId("orders#@#DEFAULT_INSTANCE_ID#@#DEFAULT_GROUP");
const BILLS = brandDataInfoId("bills#@#DEFAULT_INSTANCE_ID#@#DEFAULT_GROUP");
// NUL ends a C string, and a lone surrogate has no UTF-8: the two texts that a store would quietly change.
const ODD = brandDataInfoId("or\0ders\ud800#@#💐#@#'\"\\");

function tableOf(epoch: bigint): SlotTable {
  const owner = { leader: nodeId("data-1"), leaderEpoch: epoch + 1n, followers: [nodeId("data-2"), nodeId("data-3")] };
  return { epoch, slots: [owner, { leader: nodeId("data-2"), leaderEpoch: 0n, followers: [] }] };
}

function clusterTests(newDisk: () => TestDisk): void {
  test("a new store holds nothing", async () => {
    const store = await newDisk().open();
    assert.deepEqual(await store.loadAll(), { cluster: undefined, slotTable: undefined, configs: new Map() });
    await store.close();
  });

  test("the cluster's constants are those of the first who wrote them", async () => {
    const store = await newDisk().open();
    assert.deepEqual(await store.saveCluster({ name: "first", slotCount: 256 }), { name: "first", slotCount: 256 });
    assert.deepEqual(await store.saveCluster({ name: "second", slotCount: 16 }), { name: "first", slotCount: 256 });
    assert.deepEqual((await store.loadAll()).cluster, { name: "first", slotCount: 256 });
    await store.close();
  });

  test("a slot table comes back as it was, with epochs beyond 2^53", async () => {
    const disk = newDisk();
    const table = tableOf(9_007_199_254_740_993n);
    const store = await disk.open();
    assert.equal(await store.saveSlotTable(table, undefined), true);
    await store.close();
    const reopened = await disk.open();
    assert.deepEqual((await reopened.loadAll()).slotTable, table);
    await reopened.close();
  });

  test("a slot table is written only over the one that the writer has seen", async () => {
    const store = await newDisk().open();
    assert.equal(await store.saveSlotTable(tableOf(5n), 4n), false, "nothing is there, 4 was expected");
    assert.equal(await store.saveSlotTable(tableOf(5n), undefined), true);
    assert.equal(await store.saveSlotTable(tableOf(6n), undefined), false, "5 is there, nothing was expected");
    assert.equal(await store.saveSlotTable(tableOf(7n), 6n), false, "5 is there, 6 was expected");
    assert.deepEqual((await store.loadAll()).slotTable, tableOf(5n));
    assert.equal(await store.saveSlotTable(tableOf(6n), 5n), true);
    assert.deepEqual((await store.loadAll()).slotTable, tableOf(6n));
    await store.close();
  });

  test("a slot table that goes back is a bug", async () => {
    const store = await newDisk().open();
    await assert.rejects(async () => store.saveSlotTable(tableOf(5n), 5n), InvariantError);
    await store.close();
  });
}

function configTests(newDisk: () => TestDisk): void {
  test("a configuration is replaced by a higher version only", async () => {
    const store = await newDisk().open();
    assert.equal(await store.putConfig({ dataInfoId: ORDERS, version: 2n, data: "two" }), true);
    assert.equal(await store.putConfig({ dataInfoId: ORDERS, version: 2n, data: "again" }), false);
    assert.equal(await store.putConfig({ dataInfoId: ORDERS, version: 1n, data: "late" }), false);
    assert.equal((await store.loadAll()).configs.get(ORDERS)?.data, "two");
    assert.equal(await store.putConfig({ dataInfoId: ORDERS, version: 3n, data: "three" }), true);
    assert.equal((await store.loadAll()).configs.get(ORDERS)?.data, "three");
    await store.close();
  });

  test("a removed configuration keeps its version, so that a value set later is newer", async () => {
    const store = await newDisk().open();
    await store.putConfig({ dataInfoId: ORDERS, version: 1n, data: "one" });
    await store.putConfig({ dataInfoId: ORDERS, version: 2n, data: null });
    assert.equal(await store.putConfig({ dataInfoId: ORDERS, version: 2n, data: "late" }), false);
    assert.deepEqual((await store.loadAll()).configs.get(ORDERS), { dataInfoId: ORDERS, version: 2n, data: null });
    await store.close();
  });

  test("every text and every 64-bit version comes back exactly", async () => {
    const disk = newDisk();
    const config = { dataInfoId: ODD, version: 9_223_372_036_854_775_807n, data: "a\0b\udfff\n'\"" };
    const store = await disk.open();
    await store.putConfig(config);
    await store.close();
    const reopened = await disk.open();
    assert.deepEqual([...(await reopened.loadAll()).configs], [[ODD, config]]);
    await reopened.close();
  });

  test("what was loaded does not change the store", async () => {
    const store = await newDisk().open();
    const table = tableOf(1n);
    await store.saveSlotTable(table, undefined);
    const loaded = await store.loadAll();
    Object.assign(loaded.slotTable ?? {}, { epoch: 99n });
    assert.deepEqual((await store.loadAll()).slotTable, table);
    await store.close();
  });
}

function nodeTests(newDisk: () => TestDisk): void {
  test("a node keeps its name for ever, and no two have the same", async () => {
    const disk = newDisk();
    const store = await disk.open();
    const id = store.nodeId();
    await store.close();
    const reopened = await disk.open();
    const other = await newDisk().open();
    assert.equal(reopened.nodeId(), id);
    assert.notEqual(other.nodeId(), id);
    await Promise.all([reopened.close(), other.close()]);
  });

  test("the version floor begins at 0, is exact beyond 2^53, and never goes back", async () => {
    const disk = newDisk();
    const store = await disk.open();
    assert.equal(store.loadVersionFloor(), 0n);
    store.saveVersionFloor(9_007_199_254_740_993n);
    store.saveVersionFloor(9_007_199_254_740_992n);
    await store.close();
    const reopened = await disk.open();
    assert.equal(reopened.loadVersionFloor(), 9_007_199_254_740_993n);
    await reopened.close();
  });

  test("service sizes are changed one by one, and 0 forgets a service", async () => {
    const disk = newDisk();
    const store = await disk.open();
    store.saveServiceSizes(
      new Map([
        [ORDERS, 3],
        [BILLS, 1],
        [ODD, 7],
      ]),
    );
    store.saveServiceSizes(
      new Map([
        [ORDERS, 4],
        [BILLS, 0],
      ]),
    );
    store.saveServiceSizes(new Map());
    await store.close();
    const reopened = await disk.open();
    assert.deepEqual(
      reopened.loadServiceSizes(),
      new Map([
        [ORDERS, 4],
        [ODD, 7],
      ]),
    );
    await reopened.close();
  });
}

function lifeTests(newDisk: () => TestDisk): void {
  test("a disk is open once at a time", async () => {
    const disk = newDisk();
    const store = await disk.open();
    await assert.rejects(disk.open(), (error) => error instanceof RegistryError && error.code === "DATA_DIR_IN_USE");
    await store.close();
    await (await disk.open()).close();
  });

  test("close may be called twice, and a closed store says that it is", async () => {
    const store = await newDisk().open();
    await store.close();
    await store.close();
    const isUnavailable = (error: unknown) => error instanceof RegistryError && error.code === "STORE_UNAVAILABLE";
    await assert.rejects(async () => store.loadAll(), isUnavailable);
    assert.throws(() => store.saveVersionFloor(1n), isUnavailable);
  });
}
