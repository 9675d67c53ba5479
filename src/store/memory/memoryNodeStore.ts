// A node's own store on a Map: the obvious version, against which the shared suite compares the other one. The stored
// values live in a MemoryDisk apart from the store, so that a test can close a node's store and open it again.

import { randomUUID } from "node:crypto";
import { fail } from "../../base/errors.ts";
import type { NodeStore } from "../../data/nodeStore.ts";
import { type NodeId, nodeId, type ServiceKey } from "../../model/ids.ts";

/** The content that survives a close. Like a data directory, a disk may be open only once at a time. */
export class MemoryDisk {
  readonly nodeId: NodeId = nodeId(randomUUID());
  readonly sizes = new Map<ServiceKey, number>();
  versionFloor = 0n;
  open = false;
}

/** Opens a store on a disk; throws DATA_DIR_IN_USE if it is already open. */
export async function openMemoryNodeStore(disk: MemoryDisk = new MemoryDisk()): Promise<NodeStore> {
  if (disk.open) throw fail("DATA_DIR_IN_USE", { dataDir: "memory" });
  disk.open = true;
  return new MemoryNodeStore(disk);
}

class MemoryNodeStore implements NodeStore {
  #disk: MemoryDisk | undefined;

  constructor(disk: MemoryDisk) {
    this.#disk = disk;
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
