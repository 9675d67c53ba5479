// What the members of a cluster, its session and data nodes, and its meta nodes say to each other: heartbeats up, the
// cluster's shape and its configuration down.
//
// A member has a link to every meta node and says everything to all of them. Only the meta node that leads answers, so
// a member never has to find out who that is, and a meta node that takes over knows the members already.

import type { DataInfoId, NodeId } from "../../model/ids.ts";
import type { SlotTable } from "../../model/slot.ts";
import { NO_VERSION } from "../../model/version.ts";

/** What a node can be to the cluster beside meta. */
export type MemberRole = "data" | "session";

/** A role on a node, as the cluster knows it. A node with several roles is a member once for each. */
export interface Member {
  readonly id: NodeId;
  readonly role: MemberRole;
}

/** A member and where other nodes reach it: `host:port`, IPv6 in brackets. */
export interface MemberAddress extends Member {
  readonly address: string;
  /** Sessions that take clients: where these reach it. Copied from its heartbeat. */
  readonly clientAddresses?: ClientAddresses;
}

/** `host:port` of each listener of a session, by its name (`bolt`): each client protocol has its own. */
export type ClientAddresses = ReadonlyMap<string, string>;

/** Whether two nodes, or the same one before and after, are reached at the same places. */
export function hasSameAddresses(a: ClientAddresses | undefined, b: ClientAddresses | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined || a.size !== b.size) return false;
  for (const [listener, address] of a) if (b.get(listener) !== address) return false;
  return true;
}

/** Names one state of the membership. `epoch` is the meta leader's lease, `serial` counts the changes under it. */
export interface MembersVersion {
  readonly epoch: bigint;
  readonly serial: number;
}

/** All members whose lease stands and whose process is not known to be gone. */
export interface Members extends MembersVersion {
  readonly list: readonly MemberAddress[];
  /** Names of nodes that an operator has shut out, members or not. */
  readonly blocked?: readonly string[];
}

/** Before the first list. */
export const NO_MEMBERS: MembersVersion = { epoch: 0n, serial: 0 };

/** Positive if `a` is the later state, 0 if they are the same. */
export function compareMembers(a: MembersVersion, b: MembersVersion): number {
  if (a.epoch !== b.epoch) return a.epoch > b.epoch ? 1 : -1;
  return a.serial - b.serial;
}

/**
 * A value that operators set and clients watch ("configurator"). `data` is null when nobody set it, or it was removed.
 */
export interface ConfigValue {
  readonly dataInfoId: DataInfoId;
  readonly version: bigint;
  readonly data: string | null;
}

/**
 * The version of a value that nobody has set, always the same, so that it is told once: older than every value, since
 * nobody could say later that it was set before.
 */
export const UNSET_CONFIG_VERSION: bigint = NO_VERSION + 1n;

/** The clients of one session, a second or a few ago. */
export interface ClientCount {
  readonly session: NodeId;
  readonly clients: number;
}

/** How often a member says that it is there. */
export const HEARTBEAT_INTERVAL_MS = 1_000;

/** What a data node says of its slots; it holds for the table that the heartbeat names. */
export interface SlotReport {
  /** Slots that it leads and for which it answers: every live session has been heard. */
  readonly serving: readonly number[];
  /** Slots that it leads and of which a service is held back since a restart: whoever copies them has less than all. */
  readonly held: readonly number[];
  /** Slots that it follows and holds whole. */
  readonly inSync: readonly number[];
}

export interface Heartbeat {
  readonly kind: "heartbeat";
  readonly role: MemberRole;
  /** Where other nodes reach the sender: `host:port`. */
  readonly address: string;
  /** Sessions that take clients: where these reach the sender. A change is a change of the members. */
  readonly clientAddresses?: ClientAddresses;
  /** The slot table that the sender has, 0 for none; a newer one comes back. */
  readonly tableEpoch: bigint;
  /** The membership that the sender knows; another one comes back. */
  readonly members: MembersVersion;
  /** The sender wants to stop: its slots are to be led by others. It goes when it leads none. */
  readonly isLeaving: boolean;
  /** Data nodes only. */
  readonly slots?: SlotReport;
  /** Data nodes only: no version of a list that the sender gave, or copied, is higher, in its earlier lives neither. */
  readonly newestVersion?: bigint;
  /** Sessions only: clients that are connected to it. */
  readonly clients?: number;
}

export type MemberToMeta =
  /** Each second, and at once when a link to a meta node is made or what it says has changed. */
  | Heartbeat
  /** Clients of the sender watch these. Answered by one `config` each; later changes follow by themselves. */
  | { readonly kind: "watchConfig"; readonly dataInfoIds: readonly DataInfoId[] }
  | { readonly kind: "unwatchConfig"; readonly dataInfoIds: readonly DataInfoId[] };

export type MetaToMember =
  /** Clients may have seen versions up to `versionFloor`: who begins to lead a slot gives higher ones. */
  | { readonly kind: "slotTable"; readonly table: SlotTable; readonly versionFloor: bigint }
  | { readonly kind: "members"; readonly members: Members }
  | { readonly kind: "config"; readonly value: ConfigValue }
  /** How many clients each session has, of those that say so. To sessions: they tell clients where there are few. */
  | { readonly kind: "clientCounts"; readonly counts: readonly ClientCount[] }
  /** The sender of the heartbeat can't be a member. Its process must end and say why; `reason` says what to do. */
  | { readonly kind: "refused"; readonly reason: string };
