// The common part of the stores' suites: disks to open a store on, and values to write.

import { RegistryError } from "../../base/errors.ts";
import type { LeaderLease, MetaStore } from "../../meta/metaStore.ts";
import { brandServiceKey, nodeId } from "../../model/ids.ts";
import type { SlotTable } from "../../model/slot.ts";

/** A disk on which a store is opened, closed, and opened again. */
export interface TestDisk<Store> {
  open(): Promise<Store>;
}

/** A disk whose leases end by a clock that the suite can wait for: a virtual one, or that of a real database. */
export interface MetaTestDisk extends TestDisk<MetaStore> {
  pass(ms: number): Promise<void>;
}

export const isUnavailable = (error: unknown) => error instanceof RegistryError && error.code === "STORE_UNAVAILABLE";

export const ORDERS = brandServiceKey("orders#@#DEFAULT_INSTANCE_ID#@#DEFAULT_GROUP");
// NUL ends a C string, and a lone surrogate has no UTF-8: the two texts that a store would quietly change.
export const ODD = brandServiceKey("or\0ders\ud800#@#💐#@#'\"\\");

export function tableOf(epoch: bigint): SlotTable {
  const owner = { leader: nodeId("data-1"), leaderEpoch: epoch, followers: [nodeId("data-2"), nodeId("data-3")] };
  return { epoch, slots: [owner, { leader: nodeId("data-2"), leaderEpoch: 0n, followers: [] }] };
}

export const A = { holder: nodeId("meta-1.aaaaaaaa"), address: "10.0.0.1:9615" };
export const B = { holder: nodeId("meta-2.bbbbbbbb"), address: "[2001:db8::2]:9615" };
/** A lease that no test outlives, and one that ends while a test waits. */
export const LONG_MS = 60_000;
export const SHORT_MS = 300;
export const OVER_MS = SHORT_MS + 20;

export function lead(store: MetaStore): Promise<LeaderLease> {
  return store.acquireLease(A, LONG_MS);
}

/** Opens a new disk's store and takes the lead, for tests that write. */
export async function leading(newDisk: () => MetaTestDisk) {
  const disk = newDisk();
  const store = await disk.open();
  const { epoch: leaseEpoch } = await lead(store);
  return { disk, store, leaseEpoch };
}

export async function opened(newDisk: () => MetaTestDisk) {
  const disk = newDisk();
  return { disk, store: await disk.open(), pass: (ms: number) => disk.pass(ms) };
}
