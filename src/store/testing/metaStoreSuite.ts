// The behaviour of every store under meta, of any make. Each store's test file runs this suite on its own disks.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { InvariantError } from "../../base/assert.ts";
import { brandServiceKey, nodeId } from "../../model/ids.ts";
import { KEY_PART_CHARS_MAX } from "../../model/serviceKey.ts";
import { A, isUnavailable, LONG_MS, lead, leading, type MetaTestDisk, ODD, ORDERS, tableOf } from "./disks.ts";
import { fenceTests, leaseTests } from "./leaseTests.ts";

/** Registers the suite of the store under meta; `newDisk` gives a fresh disk for each test. */
export function metaStoreSuite(name: string, newDisk: () => MetaTestDisk): void {
  describe(`${name}: cluster and slot table`, () => clusterTests(newDisk));
  describe(`${name}: configuration`, () => configTests(newDisk));
  describe(`${name}: blocked nodes`, () => blockedNodeTests(newDisk));
  describe(`${name}: the leader's lease`, () => leaseTests(newDisk));
  describe(`${name}: the fence of the lease`, () => fenceTests(newDisk));
  test(`${name}: close may be called twice, and a closed store says that it is`, async () => {
    const store = await newDisk().open();
    const { epoch } = await lead(store);
    await store.close();
    await store.close();
    await assert.rejects(async () => store.loadAll(), isUnavailable);
    await assert.rejects(async () => store.acquireLease(A, LONG_MS), isUnavailable);
    await assert.rejects(async () => store.setNodeBlocked("n", true, epoch), isUnavailable);
    await assert.rejects(
      async () => store.putConfig({ serviceKey: ORDERS, version: 1n, data: "" }, epoch),
      isUnavailable,
    );
    await assert.rejects(
      async () => store.saveSlotTable(tableOf(1n), { tableEpoch: undefined, leaseEpoch: epoch }),
      isUnavailable,
    );
    await assert.rejects(async () => store.saveCluster({ name: "c", slotCount: 1 }), isUnavailable);
    await assert.rejects(async () => store.releaseLease(epoch), isUnavailable);
  });
}

function clusterTests(newDisk: () => MetaTestDisk): void {
  test("a new store holds nothing", async () => {
    const store = await newDisk().open();
    const nothing = { cluster: undefined, slotTable: undefined, configs: new Map(), blockedNodes: new Set() };
    assert.deepEqual(await store.loadAll(), nothing);
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
    const { disk, store, leaseEpoch } = await leading(newDisk);
    const table = tableOf(9_007_199_254_740_993n);
    assert.equal(await store.saveSlotTable(table, { tableEpoch: undefined, leaseEpoch }), true);
    await store.close();
    const reopened = await disk.open();
    assert.deepEqual((await reopened.loadAll()).slotTable, table);
    await reopened.close();
  });

  test("a table of 256 slots comes back whole", async () => {
    const { store, leaseEpoch } = await leading(newDisk);
    const owner = (slot: number) => ({
      leader: nodeId(`data-${slot % 100}.abcdefgh`),
      leaderEpoch: 9_223_372_036_854_775_807n - BigInt(slot),
      followers: [nodeId(`data-${(slot + 1) % 100}.abcdefgh`)],
    });
    const table = { epoch: 9_223_372_036_854_775_807n, slots: Array.from({ length: 256 }, (_, slot) => owner(slot)) };
    await store.saveSlotTable(table, { tableEpoch: undefined, leaseEpoch });
    assert.deepEqual((await store.loadAll()).slotTable, table);
    await store.close();
  });

  test("a slot table is written only over the one that the writer has seen", async () => {
    const { store, leaseEpoch } = await leading(newDisk);
    const save = (epoch: bigint, tableEpoch: bigint | undefined) =>
      store.saveSlotTable(tableOf(epoch), { tableEpoch, leaseEpoch });
    assert.equal(await save(5n, 4n), false, "nothing is there, 4 was expected");
    assert.equal(await save(5n, undefined), true);
    assert.equal(await save(6n, undefined), false, "5 is there, nothing was expected");
    assert.equal(await save(7n, 6n), false, "5 is there, 6 was expected");
    assert.deepEqual((await store.loadAll()).slotTable, tableOf(5n));
    assert.equal(await save(6n, 5n), true);
    assert.deepEqual((await store.loadAll()).slotTable, tableOf(6n));
    await store.close();
  });

  test("of two saves over the same table one is made", async () => {
    const { store, leaseEpoch } = await leading(newDisk);
    const save = (epoch: bigint, tableEpoch: bigint | undefined) =>
      store.saveSlotTable(tableOf(epoch), { tableEpoch, leaseEpoch });
    const first = await Promise.all([save(1n, undefined), save(2n, undefined)]);
    assert.deepEqual([...first].sort(), [false, true]);
    const stored = (await store.loadAll()).slotTable?.epoch;
    const second = await Promise.all([save(5n, stored), save(6n, stored), save(7n, stored)]);
    assert.deepEqual([...second].sort(), [false, false, true]);
    await store.close();
  });

  test("a slot table that goes back is a bug", async () => {
    const { store, leaseEpoch } = await leading(newDisk);
    await assert.rejects(async () => store.saveSlotTable(tableOf(5n), { tableEpoch: 5n, leaseEpoch }), InvariantError);
    await store.close();
  });
}

function configTests(newDisk: () => MetaTestDisk): void {
  test("a configuration is replaced by a higher version only", async () => {
    const { store, leaseEpoch } = await leading(newDisk);
    const put = (version: bigint, data: string) => store.putConfig({ serviceKey: ORDERS, version, data }, leaseEpoch);
    assert.equal(await put(2n, "two"), true);
    assert.equal(await put(2n, "again"), false);
    assert.equal(await put(1n, "late"), false);
    assert.equal((await store.loadAll()).configs.get(ORDERS)?.data, "two");
    assert.equal(await put(3n, "three"), true);
    assert.equal((await store.loadAll()).configs.get(ORDERS)?.data, "three");
    await store.close();
  });

  test("a removed configuration keeps its version, so that a value set later is newer", async () => {
    const { store, leaseEpoch } = await leading(newDisk);
    const put = (version: bigint, data: string | null) =>
      store.putConfig({ serviceKey: ORDERS, version, data }, leaseEpoch);
    await put(1n, "one");
    await put(2n, null);
    assert.equal(await put(2n, "late"), false);
    assert.deepEqual((await store.loadAll()).configs.get(ORDERS), { serviceKey: ORDERS, version: 2n, data: null });
    await store.close();
  });

  test("every text and every 64-bit version comes back exactly", async () => {
    const { disk, store, leaseEpoch } = await leading(newDisk);
    const config = { serviceKey: ODD, version: 9_223_372_036_854_775_807n, data: "a\0b\udfff\n'\"é" };
    await store.putConfig(config, leaseEpoch);
    await store.close();
    const reopened = await disk.open();
    assert.deepEqual([...(await reopened.loadAll()).configs], [[ODD, config]]);
    await reopened.close();
  });

  test("a key may be as long as three parts can be, and a value a megabyte", async () => {
    const { store, leaseEpoch } = await leading(newDisk);
    const key = (end: string) => brandServiceKey(`${"é".repeat(3 * KEY_PART_CHARS_MAX)}${end}`);
    const data = "0123456789abcdef".repeat(65_536);
    assert.equal(await store.putConfig({ serviceKey: key("1"), version: 1n, data }, leaseEpoch), true);
    assert.equal(await store.putConfig({ serviceKey: key("2"), version: 1n, data: "small" }, leaseEpoch), true);
    const { configs } = await store.loadAll();
    assert.equal(configs.get(key("1"))?.data, data);
    assert.equal(configs.get(key("2"))?.data, "small");
    await store.close();
  });

  test("what was loaded does not change the store", async () => {
    const { store, leaseEpoch } = await leading(newDisk);
    const table = tableOf(1n);
    await store.saveSlotTable(table, { tableEpoch: undefined, leaseEpoch });
    const loaded = await store.loadAll();
    Object.assign(loaded.slotTable ?? {}, { epoch: 99n });
    assert.deepEqual((await store.loadAll()).slotTable, table);
    await store.close();
  });
}

function blockedNodeTests(newDisk: () => MetaTestDisk): void {
  test("a node is blocked until it is unblocked, also by a store opened anew", async () => {
    const { disk, store, leaseEpoch } = await leading(newDisk);
    for (const node of ["data-1", "data-2", ODD])
      assert.equal(await store.setNodeBlocked(node, true, leaseEpoch), true);
    assert.equal(await store.setNodeBlocked("data-1", false, leaseEpoch), true);
    await store.close();
    const reopened = await disk.open();
    assert.deepEqual((await reopened.loadAll()).blockedNodes, new Set(["data-2", ODD]));
    await reopened.close();
  });

  test("blocking twice succeeds, and so does unblocking a node that was never blocked", async () => {
    const { store, leaseEpoch } = await leading(newDisk);
    assert.equal(await store.setNodeBlocked("data-1", true, leaseEpoch), true);
    assert.equal(await store.setNodeBlocked("data-1", true, leaseEpoch), true);
    assert.deepEqual((await store.loadAll()).blockedNodes, new Set(["data-1"]));
    assert.equal(await store.setNodeBlocked("data-1", false, leaseEpoch), true);
    assert.equal(await store.setNodeBlocked("data-1", false, leaseEpoch), true);
    assert.equal(await store.setNodeBlocked("data-9", false, leaseEpoch), true);
    assert.deepEqual((await store.loadAll()).blockedNodes, new Set());
    await store.close();
  });
}
