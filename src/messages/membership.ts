// What every role of every node and the meta leader say to each other: heartbeats up, the cluster's shape and its
// configuration down.

import type { DataInfoId, NodeId } from "../model/ids.ts";
import type { SlotTable } from "../model/slot.ts";

/** A role on a node, as the cluster knows it. A node with several roles is a member once for each. */
export interface Member {
  readonly id: NodeId;
  readonly role: "data" | "session";
}

/**
 * A value that operators set and clients watch ("configurator"). `data` is null when nobody set it, or it was removed.
 */
export interface ConfigValue {
  readonly dataInfoId: DataInfoId;
  readonly version: bigint;
  readonly data: string | null;
}

/** How often a member says that it is there. */
export const HEARTBEAT_INTERVAL_MS = 1_000;

export type MemberToMeta =
  /** Each second. `tableEpoch` is what the sender has (0 for none); a newer table comes back. */
  | { readonly kind: "heartbeat"; readonly role: Member["role"]; readonly tableEpoch: bigint }
  /** Clients of the sender watch these. Answered by one `config` each; later changes follow by themselves. */
  | { readonly kind: "watchConfig"; readonly dataInfoIds: readonly DataInfoId[] }
  | { readonly kind: "unwatchConfig"; readonly dataInfoIds: readonly DataInfoId[] };

export type MetaToMember =
  | { readonly kind: "slotTable"; readonly table: SlotTable }
  | { readonly kind: "config"; readonly value: ConfigValue };
