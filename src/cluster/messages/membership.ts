// The messages between the members of a cluster (its session and data nodes) and its meta nodes: heartbeats up, the
// cluster's shape and its configuration down.
//
// A member has a link to every meta node and sends everything to all of them. Only the leading meta node answers, so a
// member never has to find the leader, and a meta node that takes over already knows the members.

import type { NodeId, ServiceKey } from "../../model/ids.ts";
import type { Rule } from "../../model/rule.ts";
import type { SlotTable } from "../../model/slot.ts";
import { NO_VERSION } from "../../model/version.ts";
import type { AppAnswer, AppQuestion } from "./apps.ts";

/** The roles of a node apart from meta. */
export type MemberRole = "data" | "session";

/** A role on a node, as the cluster knows it. A node with several roles is a member once for each. */
export interface Member {
  readonly id: NodeId;
  readonly role: MemberRole;
}

/** A member and its address for other nodes: `host:port`, IPv6 in brackets. */
export interface MemberAddress extends Member {
  readonly address: string;
  /** The addresses for clients, for sessions that accept clients. Copied from the heartbeat. */
  readonly clientAddresses?: ClientAddresses;
  /** The zone of a session that accepts clients. Copied from the heartbeat; members of earlier releases name none. */
  readonly zone?: string;
}

/** `host:port` of each listener of a session, by its name (`bolt`): each client protocol has its own. */
export type ClientAddresses = ReadonlyMap<string, string>;

/** Whether two nodes, or one node before and after a change, have the same addresses. */
export function hasSameAddresses(a: ClientAddresses | undefined, b: ClientAddresses | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined || a.size !== b.size) return false;
  for (const [listener, address] of a) if (b.get(listener) !== address) return false;
  return true;
}

/** Identifies one state of the membership. `epoch` is the meta leader's lease, `serial` counts the changes under it. */
export interface MembersVersion {
  readonly epoch: bigint;
  readonly serial: number;
}

/** All members whose lease stands and whose process is not known to be gone. */
export interface Members extends MembersVersion {
  readonly list: readonly MemberAddress[];
  /** Names of nodes that an operator has blocked, members or not. */
  readonly blocked?: readonly string[];
}

/** The version before the first list. */
export const NO_MEMBERS: MembersVersion = { epoch: 0n, serial: 0 };

/** Positive if `a` is the later state, 0 if they are the same. */
export function compareMembers(a: MembersVersion, b: MembersVersion): number {
  if (a.epoch !== b.epoch) return a.epoch > b.epoch ? 1 : -1;
  return a.serial - b.serial;
}

/**
 * A value that operators set and clients watch ("configurator"). `data` is null if it was never set or was removed.
 */
export interface ConfigValue {
  readonly serviceKey: ServiceKey;
  readonly version: bigint;
  readonly data: string | null;
}

/**
 * The version of a value that was never set. It is constant, so that clients hear of it once, and older than every real
 * version, since a value may be set at any later time.
 */
export const UNSET_CONFIG_VERSION: bigint = NO_VERSION + 1n;

/** The number of clients of one session, one or a few seconds ago. */
export interface ClientCount {
  readonly session: NodeId;
  readonly clients: number;
}

/** The interval between a member's heartbeats. */
export const HEARTBEAT_INTERVAL_MS = 1_000;

/** A data node's report of its slots; it holds for the table that the heartbeat names. */
export interface SlotReport {
  /** Slots that it leads and serves: it has heard every live session. */
  readonly serving: readonly number[];
  /** Slots that it leads and in which a service is held since a restart: a copy of such a slot is incomplete. */
  readonly held: readonly number[];
  /** Slots that it follows and holds whole. */
  readonly inSync: readonly number[];
}

export interface Heartbeat {
  readonly kind: "heartbeat";
  readonly role: MemberRole;
  /** The sender's address for other nodes: `host:port`. */
  readonly address: string;
  /** The sender's addresses for clients, for sessions that accept clients. A change is a change of the members. */
  readonly clientAddresses?: ClientAddresses;
  /** The epoch of the sender's slot table, 0 for none; a newer table comes back. */
  readonly tableEpoch: bigint;
  /** The version of the sender's membership; a different membership comes back. */
  readonly members: MembersVersion;
  /** The sender wants to stop: its slots are to be led by others. It ends when it leads none. */
  readonly isLeaving: boolean;
  /** Data nodes only. */
  readonly slots?: SlotReport;
  /** Data nodes only: the highest version of a list that the sender gave or copied, in its earlier lives too. */
  readonly newestVersion?: bigint;
  /** Sessions only: the number of connected clients. */
  readonly clients?: number;
  /** Sessions that accept clients: the zone. A change is a change of the members. */
  readonly zone?: string;
  /** The epoch of the sender's rules; newer ones come back. Members of earlier releases know no rules. */
  readonly rulesEpoch?: bigint;
}

/** Operators' rules, on their way to a member. */
export interface RulesMessage {
  readonly kind: "rules";
  readonly epoch: bigint;
  /** The epoch of the rules that this changes; without it these are all rules. */
  readonly base?: bigint;
  readonly put: readonly Rule[];
  /** The ids of rules that are gone. */
  readonly removed: readonly string[];
}

export type MemberToMeta =
  /** Sent each second, and at once when a link to a meta node is made or the content has changed. */
  | Heartbeat
  /** Clients of the sender watch these values. Each is answered by one `config`; later changes follow unasked. */
  | { readonly kind: "watchConfig"; readonly serviceKeys: readonly ServiceKey[] }
  | { readonly kind: "unwatchConfig"; readonly serviceKeys: readonly ServiceKey[] }
  | AppQuestion;

export type MetaToMember =
  /** Clients may have seen versions up to `versionFloor`: a new leader of a slot gives higher ones. */
  | { readonly kind: "slotTable"; readonly table: SlotTable; readonly versionFloor: bigint }
  | { readonly kind: "members"; readonly members: Members }
  | { readonly kind: "config"; readonly value: ConfigValue }
  /** Sent before any slot table to a member that has others, so that no leader shows a list without them. */
  | RulesMessage
  /** The number of clients of each session that reports one. For sessions, which send clients where there are few. */
  | { readonly kind: "clientCounts"; readonly counts: readonly ClientCount[] }
  /** The sender of the heartbeat can't be a member. Its process must end with `reason`, which names the remedy. */
  | { readonly kind: "refused"; readonly reason: string }
  | AppAnswer;
