import assert from "node:assert/strict";
import { test } from "node:test";
import { OPERATIONS_MAX } from "../../../records/bounds.ts";
import { openMemoryRecords } from "../../../store/memory/memoryRecords.ts";
import { refusedAs } from "../../../store/testing/testRecords.ts";
import { ConfigStore } from "./configStore.ts";
import { LOCK_TYPE, Locks } from "./locks.ts";

const silent = () => undefined;
const LOG = { debug: silent, info: silent, warn: silent, error: silent };

async function scene() {
  const time = { nowMs: 1_000 };
  const store = new ConfigStore({ records: await openMemoryRecords(), log: LOG });
  await store.copy.begin();
  const locks = new Locks(store, () => time.nowMs);
  return { time, store, locks };
}

const named = (key: string) => ({ type: LOCK_TYPE, key });

test("of those who want a lock at the same time one gets it", async () => {
  const { store, locks } = await scene();
  const all = await Promise.all(Array.from({ length: 8 }, () => locks.acquire(named("a"), 60_000)));
  assert.equal(all.filter(Boolean).length, 1);
  assert.equal(await locks.release(named("a")), true);
  assert.equal(await locks.release(named("a")), false);
  store.copy.close();
});

test("a lock whose time is over is free, and removed by the node that sweeps", async () => {
  const { time, store, locks } = await scene();
  for (let count = 0; count < OPERATIONS_MAX + 1; count++) await locks.acquire(named(String(count)), 100);
  await locks.acquire(named("long"), 60_000);
  time.nowMs += 100;
  assert.equal(await locks.acquire(named("0"), 60_000), true);
  locks.check(time.nowMs + 1, () => false);
  assert.equal(store.copy.size, OPERATIONS_MAX + 2);
  locks.check(time.nowMs + 20_000, () => true);
  await store.copy.catchUp();
  await store.copy.catchUp();
  assert.equal(store.copy.size, 2);
  assert.equal(await locks.release(named("long")), true);
  store.copy.close();
});

test("a lock of another type, or without a name, is refused", async () => {
  const { store, locks } = await scene();
  await assert.rejects(locks.acquire({ type: "OTHER", key: "a" }, 1), refusedAs("FIELD_INVALID", "lockType"));
  for (const key of ["", "x".repeat(257)]) {
    await assert.rejects(locks.acquire(named(key), 1), refusedAs("FIELD_INVALID", "key"));
  }
  store.copy.close();
});
