// The behaviour of every store of a node's own, of any make.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { RegistryError } from "../../base/errors.ts";
import type { NodeStore } from "../../data/nodeStore.ts";
import { brandServiceKey } from "../../model/ids.ts";
import { isUnavailable, ODD, ORDERS, type TestDisk } from "./disks.ts";

/** Registers the suite of a node's own store; `newDisk` gives a fresh disk for each test. */
export function nodeStoreSuite(name: string, newDisk: () => TestDisk<NodeStore>): void {
  describe(`${name}: the node's own disk`, () => nodeTests(newDisk));
  describe(`${name}: open and close`, () => lifeTests(newDisk));
}

const BILLS = brandServiceKey("bills#@#DEFAULT_INSTANCE_ID#@#DEFAULT_GROUP");

function nodeTests(newDisk: () => TestDisk<NodeStore>): void {
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

function lifeTests(newDisk: () => TestDisk<NodeStore>): void {
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
    assert.throws(() => store.saveVersionFloor(1n), isUnavailable);
    assert.throws(() => store.saveServiceSizes(new Map([[ORDERS, 1]])), isUnavailable);
    for (const load of ["nodeId", "loadVersionFloor", "loadServiceSizes"] as const) {
      assert.throws(() => store[load](), isUnavailable);
    }
  });
}
