// The nodes of a cluster as `roster get nodes` shows them: a row for each role of each node, with its state.

import type { Heartbeat, Member } from "../cluster/messages/membership.ts";
import { type NodeId, nodeNameOf } from "../model/ids.ts";
import type { SlotTable } from "../model/slot.ts";

export interface MemberSource {
  readonly members: Iterable<readonly [Member, Heartbeat]>;
  readonly blocked: ReadonlySet<string>;
  readonly slotTable: SlotTable | undefined;
  readonly metas: readonly MetaRow[];
}

/** A meta node: this one, or another one from the list of meta addresses. */
export interface MetaRow {
  readonly address: string;
  /** Undefined for a node that can't be reached. */
  readonly id: NodeId | undefined;
  readonly isLeading: boolean;
}

export interface MemberRow {
  readonly id: string | null;
  readonly role: string | null;
  readonly state: string;
  readonly address: string | null;
  /** Sessions: the addresses for clients, by listener. */
  readonly clientAddresses?: Readonly<Record<string, string>>;
  /** Sessions: connected clients. */
  readonly clients?: number;
  /** Data nodes: the number of slots that it leads. */
  readonly leads?: number;
}

/** Meta nodes first, then members, then blocked nodes that are not there. */
export function memberRows({ members, blocked, slotTable, metas }: MemberSource): MemberRow[] {
  const led = new Map<NodeId, number>();
  for (const { leader } of slotTable?.slots ?? []) led.set(leader, (led.get(leader) ?? 0) + 1);
  const absent = new Set(blocked);
  const rows = [...members].map(([{ id, role }, heartbeat]): MemberRow => {
    const { address, clientAddresses, clients, isLeaving } = heartbeat;
    const isBlocked = blocked.has(nodeNameOf(id));
    absent.delete(nodeNameOf(id));
    const willing = isLeaving ? "leaving" : "up";
    const state = isBlocked ? "blocked" : willing;
    const counts = role === "data" ? { leads: led.get(id) ?? 0 } : { ...(clients !== undefined && { clients }) };
    return {
      id,
      role,
      state,
      address,
      ...(clientAddresses && { clientAddresses: Object.fromEntries(clientAddresses) }),
      ...counts,
    };
  });
  const away = [...absent].map((id): MemberRow => ({ id, role: null, state: "blocked", address: null }));
  return [...metas.map(metaRow), ...rows.sort(byRole), ...away];
}

function byRole(one: MemberRow, other: MemberRow): number {
  const [a, b] = [one, other].map(({ role, address, id }) => `${role} ${address} ${id}`);
  return (a ?? "") < (b ?? "") ? -1 : 1;
}

function metaRow({ id, address, isLeading }: MetaRow): MemberRow {
  if (id === undefined) return { id: null, role: "meta", state: "unreachable", address };
  return { id, role: "meta", state: isLeading ? "leads" : "stands by", address };
}
