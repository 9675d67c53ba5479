// Services are spread over a fixed number of slots by their key, and slots over data nodes. The slot count is a
// constant of the cluster, recorded at its first start: changing it would send every key elsewhere.

import { assert, defined } from "../base/assert.ts";
import { crc32c } from "../base/crc32.ts";
import type { NodeId, ServiceKey } from "./ids.ts";

/** SOFARegistry's default. */
export const SLOT_COUNT = 256;

const encoder = new TextEncoder();

// A sum over a key takes ten times as long as a lookup, so this many are remembered.
const SUMS_MAX = 100_000;
const sums = new Map<ServiceKey, number>();

/** The slot of a service, 0 to `slotCount - 1`. */
export function slotOf(serviceKey: ServiceKey, slotCount: number): number {
  return (sums.get(serviceKey) ?? sumOf(serviceKey)) % slotCount;
}

function sumOf(serviceKey: ServiceKey): number {
  const sum = crc32c(encoder.encode(serviceKey));
  if (sums.size >= SUMS_MAX) sums.clear();
  sums.set(serviceKey, sum);
  return sum;
}

/** The nodes of one slot. `leaderEpoch` grows with every change of leader, and fences the one before. */
export interface SlotOwner {
  readonly leader: NodeId;
  readonly leaderEpoch: bigint;
  readonly followers: readonly NodeId[];
}

/** The nodes of every slot. `epoch` grows with every change; a node refuses an older table. */
export interface SlotTable {
  readonly epoch: bigint;
  /** Indexed by slot number; every slot of a table has a leader. */
  readonly slots: readonly SlotOwner[];
}

/** The leader of a service's slot. */
export function leaderOf(table: SlotTable, serviceKey: ServiceKey): NodeId {
  return slotOwner(table, slotOf(serviceKey, table.slots.length)).leader;
}

export function slotOwner(table: SlotTable, slot: number): SlotOwner {
  assert(slot >= 0 && slot < table.slots.length, "a slot number is inside the table");
  return defined(table.slots[slot], "every slot of a table has an owner");
}
