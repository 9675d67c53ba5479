// Decides whether a node may be blocked or unblocked. A typing error must not be answered with "done", and the cluster
// must keep a node for clients and one for publications: the operator could not undo that in time.

import { fail, type RegistryError } from "../base/errors.ts";
import type { Member } from "../cluster/messages/membership.ts";
import { nodeNameOf } from "../model/ids.ts";
import type { SlotTable } from "../model/slot.ts";
import type { NodeBlock } from "./blockedNodes.ts";

interface Cluster {
  readonly members: Iterable<Member>;
  readonly blocked: ReadonlySet<string>;
  /** Changes that are on their way to the store. */
  readonly toCome: readonly NodeBlock[];
  readonly slotTable: SlotTable | undefined;
}

/** The reason why the change is not made; undefined if it is. */
export function blockRefusal({ node, isBlocked }: NodeBlock, cluster: Cluster): RegistryError | undefined {
  const blocked = new Set(cluster.blocked);
  for (const change of cluster.toCome) {
    if (change.isBlocked) blocked.add(change.node);
    else blocked.delete(change.node);
  }
  // A request for the present state is not a mistake.
  if (isBlocked && blocked.has(node)) return undefined;
  if (!isBlocked) return blocked.has(node) ? undefined : fail("NODE_UNKNOWN", { node, blocked: [...blocked] });
  const members = [...cluster.members];
  const known = namesOf(members, cluster.slotTable);
  if (!known.has(node)) return fail("NODE_UNKNOWN", { node, known: [...known] });
  for (const role of ["data", "session"] as const) {
    const names = new Set(members.filter((each) => each.role === role).map(({ id }) => nodeNameOf(id)));
    const others = [...names].filter((name) => name !== node && !blocked.has(name));
    if (names.has(node) && others.length === 0) return fail("NODE_NEEDED", { node, role });
  }
  return undefined;
}

/** Nodes that are members, or own a slot. */
function namesOf(members: readonly Member[], slotTable: SlotTable | undefined): Set<string> {
  const names = new Set(members.map(({ id }) => nodeNameOf(id)));
  for (const { leader, followers } of slotTable?.slots ?? []) {
    for (const owner of [leader, ...followers]) names.add(nodeNameOf(owner));
  }
  return names;
}
