// Which data node leads which slot. A slot stays where it is while its leader lives: moving one costs more than a small
// imbalance.

import { assert, defined } from "../base/assert.ts";
import type { NodeId } from "../model/ids.ts";
import type { SlotOwner, SlotTable } from "../model/slot.ts";

/**
 * A table in which every slot is led by one of `nodes`, or undefined if `table` is that already. Slots without a living
 * leader go to the node that leads fewest. `slotCount` counts for the first table only.
 */
export function assignSlots(
  table: SlotTable | undefined,
  nodes: readonly NodeId[],
  slotCount: number,
): SlotTable | undefined {
  assert(nodes.length > 0, "slots are assigned to at least one data node");
  const epoch = (table?.epoch ?? 0n) + 1n;
  const slots: (SlotOwner | undefined)[] =
    table === undefined ? new Array(slotCount).fill(undefined) : [...table.slots];
  const led = new Map<NodeId, number>(nodes.map((node) => [node, 0]));
  for (const owner of slots) if (owner !== undefined) count(led, owner.leader);
  let hasChanged = false;
  const assigned = slots.map((owner) => {
    if (owner !== undefined && led.has(owner.leader)) return owner;
    const leader = leastLoaded(led);
    count(led, leader);
    hasChanged = true;
    return { leader, leaderEpoch: epoch, followers: [] };
  });
  return hasChanged ? { epoch, slots: assigned } : undefined;
}

function count(led: Map<NodeId, number>, node: NodeId): void {
  const slots = led.get(node);
  if (slots !== undefined) led.set(node, slots + 1);
}

function leastLoaded(led: ReadonlyMap<NodeId, number>): NodeId {
  let least: [NodeId, number] | undefined;
  for (const entry of led) if (least === undefined || entry[1] < least[1]) least = entry;
  return defined(least, "there is at least one data node")[0];
}
