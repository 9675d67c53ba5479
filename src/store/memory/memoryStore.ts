// Both stores on a Map: the obvious version, against which the shared suite compares every other one. The stored values
// live in a MemoryDisk apart from the store, so that a test can close a node's store and open it again on the same
// disk.

import { randomUUID } from "node:crypto";
import { assert } from "../../base/assert.ts";
import { fail } from "../../base/errors.ts";
import type { ConfigValue } from "../../cluster/messages/membership.ts";
import type { NodeStore } from "../../data/nodeStore.ts";
import type { ClusterConstants, LeaderLease, MetaState, MetaStore } from "../../meta/metaStore.ts";
import { type NodeId, nodeId, type ServiceKey } from "../../model/ids.ts";
import type { SlotTable } from "../../model/slot.ts";
import type { LeaseCandidate } from "../../records/records.ts";
import { LocalLease, type NowMs } from "../localLease.ts";

/** The content that survives a close. Like a data directory, a disk may be open only once at a time. */
export class MemoryDisk {
  readonly nodeId: NodeId = nodeId(randomUUID());
  readonly configs = new Map<ServiceKey, ConfigValue>();
  readonly blockedNodes = new Set<string>();
  readonly sizes = new Map<ServiceKey, number>();
  cluster: ClusterConstants | undefined;
  slotTable: SlotTable | undefined;
  leaseEpoch = 0n;
  versionFloor = 0n;
  open = false;
}

export interface MemoryStoreOptions {
  /** The clock for the end of the leader's lease. */
  readonly nowMs?: NowMs;
}

/** Opens a store on a disk; throws DATA_DIR_IN_USE if it is already open. */
export async function openMemoryStore(
  disk: MemoryDisk = new MemoryDisk(),
  { nowMs = () => performance.now() }: MemoryStoreOptions = {},
): Promise<MetaStore & NodeStore> {
  if (disk.open) throw fail("DATA_DIR_IN_USE", { dataDir: "memory" });
  disk.open = true;
  return new MemoryStore(disk, nowMs);
}

class MemoryStore implements MetaStore, NodeStore {
  #disk: MemoryDisk | undefined;
  readonly #lease: LocalLease;

  constructor(disk: MemoryDisk, nowMs: NowMs) {
    this.#disk = disk;
    this.#lease = new LocalLease(nowMs);
  }

  async loadAll(): Promise<MetaState> {
    const { cluster, slotTable, configs, blockedNodes } = this.#open();
    return structuredClone({ cluster, slotTable, configs, blockedNodes });
  }

  async saveCluster(cluster: ClusterConstants): Promise<ClusterConstants> {
    const disk = this.#open();
    disk.cluster ??= { ...cluster };
    return disk.cluster;
  }

  async acquireLease(candidate: LeaseCandidate, leaseMs: number): Promise<LeaderLease> {
    const disk = this.#open();
    return this.#lease.acquire(candidate, leaseMs, () => {
      disk.leaseEpoch += 1n;
      return disk.leaseEpoch;
    });
  }

  async releaseLease(epoch: bigint): Promise<void> {
    this.#open();
    this.#lease.release(epoch);
  }

  async saveSlotTable(
    table: SlotTable,
    { tableEpoch, leaseEpoch }: Parameters<MetaStore["saveSlotTable"]>[1],
  ): Promise<boolean> {
    assert(tableEpoch === undefined || table.epoch > tableEpoch, "a slot table never goes back");
    const disk = this.#open();
    if (!this.#lease.isInForce(leaseEpoch) || disk.slotTable?.epoch !== tableEpoch) return false;
    disk.slotTable = structuredClone(table);
    return true;
  }

  async putConfig(config: ConfigValue, leaseEpoch: bigint): Promise<boolean> {
    const { configs } = this.#open();
    const stored = configs.get(config.serviceKey);
    if (!this.#lease.isInForce(leaseEpoch)) return false;
    if (stored !== undefined && stored.version >= config.version) return false;
    configs.set(config.serviceKey, { ...config });
    return true;
  }

  async setNodeBlocked(node: string, isBlocked: boolean, leaseEpoch: bigint): Promise<boolean> {
    const { blockedNodes } = this.#open();
    if (!this.#lease.isInForce(leaseEpoch)) return false;
    if (isBlocked) blockedNodes.add(node);
    else blockedNodes.delete(node);
    return true;
  }

  nodeId(): NodeId {
    return this.#open().nodeId;
  }

  loadVersionFloor(): bigint {
    return this.#open().versionFloor;
  }

  saveVersionFloor(floor: bigint): void {
    const disk = this.#open();
    if (floor > disk.versionFloor) disk.versionFloor = floor;
  }

  loadServiceSizes(): ReadonlyMap<ServiceKey, number> {
    return new Map(this.#open().sizes);
  }

  saveServiceSizes(changed: ReadonlyMap<ServiceKey, number>): void {
    const { sizes } = this.#open();
    for (const [serviceKey, size] of changed) {
      if (size === 0) sizes.delete(serviceKey);
      else sizes.set(serviceKey, size);
    }
  }

  async close(): Promise<void> {
    if (this.#disk !== undefined) this.#disk.open = false;
    this.#disk = undefined;
  }

  #open(): MemoryDisk {
    if (this.#disk === undefined) throw fail("STORE_UNAVAILABLE", { reason: "the store is closed" });
    return this.#disk;
  }
}
