// The leader's lease, and its fence around every write of a leader.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { LeaderLease, MetaStore } from "../../meta/metaStore.ts";
import { A, B, LONG_MS, leading, type MetaTestDisk, ORDERS, OVER_MS, opened, SHORT_MS, tableOf } from "./disks.ts";

export function leaseTests(newDisk: () => MetaTestDisk): void {
  test("the first who asks leads, under epoch 1", async () => {
    const store = await newDisk().open();
    assertLease(await store.acquireLease(A, LONG_MS), { ...A, epoch: 1n }, LONG_MS);
    await store.close();
  });

  test("renewing keeps the epoch, and takes on a new time and a new address", async () => {
    const store = await newDisk().open();
    await store.acquireLease(A, LONG_MS);
    const moved = { ...A, address: "10.0.0.9:9615" };
    assertLease(await store.acquireLease(moved, 2 * LONG_MS), { ...moved, epoch: 1n }, 2 * LONG_MS);
    assertLease(await store.acquireLease(B, LONG_MS), { ...moved, epoch: 1n }, 2 * LONG_MS);
    await store.close();
  });

  test("while one leads, another is told who and for how long", async () => {
    const { pass, store } = await opened(newDisk);
    await store.acquireLease(A, LONG_MS);
    await pass(50);
    const told = await store.acquireLease(B, 10);
    assertLease(told, { ...A, epoch: 1n }, LONG_MS - 50);
    assert.ok(told.remainingMs <= LONG_MS - 40, "time has passed");
    await store.close();
  });

  test("a lease that has ended is taken by whoever asks, under the next epoch", async () => {
    const { pass, store } = await opened(newDisk);
    await store.acquireLease(A, SHORT_MS);
    await pass(OVER_MS);
    assertLease(await store.acquireLease(B, LONG_MS), { ...B, epoch: 2n }, LONG_MS);
    assertLease(await store.acquireLease(A, LONG_MS), { ...B, epoch: 2n }, LONG_MS);
    await store.close();
  });

  test("who let the lease end and takes it again has a new epoch", async () => {
    const { pass, store } = await opened(newDisk);
    await store.acquireLease(A, SHORT_MS);
    await pass(OVER_MS);
    assertLease(await store.acquireLease(A, LONG_MS), { ...A, epoch: 2n }, LONG_MS);
    await store.close();
  });

  test("renewed in time, a lease outlasts its first end", async () => {
    const { pass, store } = await opened(newDisk);
    await store.acquireLease(A, 3 * SHORT_MS);
    await store.acquireLease(A, LONG_MS);
    await pass(3 * OVER_MS);
    assertLease(await store.acquireLease(B, LONG_MS), { ...A, epoch: 1n }, LONG_MS - 3 * OVER_MS);
    await store.close();
  });

  test("a lease that is let go is free at once; an older epoch lets nothing go", async () => {
    const store = await newDisk().open();
    await store.acquireLease(A, LONG_MS);
    await store.releaseLease(1n);
    assertLease(await store.acquireLease(B, LONG_MS), { ...B, epoch: 2n }, LONG_MS);
    await store.releaseLease(1n);
    await store.releaseLease(3n);
    assertLease(await store.acquireLease(A, LONG_MS), { ...B, epoch: 2n }, LONG_MS);
    await store.close();
  });

  test("epochs go on growing when the store is closed and opened", async () => {
    const { disk, store } = await opened(newDisk);
    await store.releaseLease((await store.acquireLease(A, LONG_MS)).epoch);
    await store.close();
    const reopened = await disk.open();
    assertLease(await reopened.acquireLease(B, LONG_MS), { ...B, epoch: 2n }, LONG_MS);
    await reopened.close();
  });
}

/** A real database takes its time: less may remain, never more. */
const SLACK_MS = 5_000;

function assertLease(
  { remainingMs, ...lease }: LeaderLease,
  expected: Omit<LeaderLease, "remainingMs">,
  leaseMs: number,
): void {
  assert.deepEqual(lease, expected);
  assert.ok(remainingMs <= leaseMs && remainingMs > leaseMs - SLACK_MS, `${remainingMs} of ${leaseMs} ms remain`);
}

export function fenceTests(newDisk: () => MetaTestDisk): void {
  /** Tries every kind of write under an epoch and returns the answers. */
  const writes = async (store: MetaStore, leaseEpoch: bigint) => [
    await store.saveSlotTable(tableOf(1n), { tableEpoch: undefined, leaseEpoch }),
    await store.putConfig({ serviceKey: ORDERS, version: 1n, data: "one" }, leaseEpoch),
    await store.setNodeBlocked("data-1", true, leaseEpoch),
  ];

  const refused = async (store: MetaStore, leaseEpoch: bigint) => {
    assert.deepEqual(await writes(store, leaseEpoch), [false, false, false]);
    const { slotTable, configs, blockedNodes } = await store.loadAll();
    assert.deepEqual([slotTable, configs.size, blockedNodes.size], [undefined, 0, 0]);
  };

  test("the leader writes", async () => {
    const { store, leaseEpoch } = await leading(newDisk);
    assert.deepEqual(await writes(store, leaseEpoch), [true, true, true]);
    await store.close();
  });

  test("nobody writes while nobody has led", async () => {
    const store = await newDisk().open();
    await refused(store, 0n);
    await refused(store, 1n);
    await store.close();
  });

  test("an epoch that is not the one in force writes nothing", async () => {
    const { store, leaseEpoch } = await leading(newDisk);
    await refused(store, leaseEpoch - 1n);
    await refused(store, leaseEpoch + 1n);
    await store.close();
  });

  test("a lease that has ended writes nothing, although nobody else has taken it", async () => {
    const { pass, store } = await opened(newDisk);
    const { epoch } = await store.acquireLease(A, SHORT_MS);
    await pass(OVER_MS);
    await refused(store, epoch);
    await store.close();
  });

  test("a lease that was let go writes nothing", async () => {
    const { store, leaseEpoch } = await leading(newDisk);
    await store.releaseLease(leaseEpoch);
    await refused(store, leaseEpoch);
    await store.close();
  });

  test("the leader before writes nothing over the one who followed", async () => {
    const { store, leaseEpoch } = await leading(newDisk);
    await store.releaseLease(leaseEpoch);
    const next = await store.acquireLease(B, LONG_MS);
    await refused(store, leaseEpoch);
    assert.deepEqual(await writes(store, next.epoch), [true, true, true]);
    const stale = { tableEpoch: 1n, leaseEpoch };
    assert.equal(await store.saveSlotTable(tableOf(2n), stale), false);
    assert.equal(await store.putConfig({ serviceKey: ORDERS, version: 2n, data: "two" }, leaseEpoch), false);
    assert.equal(await store.setNodeBlocked("data-1", false, leaseEpoch), false);
    const { slotTable, configs, blockedNodes } = await store.loadAll();
    assert.deepEqual([slotTable?.epoch, configs.get(ORDERS)?.data, [...blockedNodes]], [1n, "one", ["data-1"]]);
    await store.close();
  });
}
