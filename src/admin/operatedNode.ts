// A node as operations see it: its roles, each by the questions and changes that operators have for it, and the way to
// the other nodes.

import type { AccessEdit } from "../access/accessEdit.ts";
import type { AccessSet } from "../access/accessSet.ts";
import type { Principal } from "../access/principal.ts";
import type { Account } from "../base/budget.ts";
import type { RegistryError } from "../base/errors.ts";
import type { Secrets } from "../base/ports.ts";
import type { ConfigValue, Heartbeat, Member } from "../cluster/messages/membership.ts";
import type { DynamicKey } from "../model/dynamicKeys.ts";
import type { NodeId, ServiceKey } from "../model/ids.ts";
import type { Publication } from "../model/publication.ts";
import type { Rule, RuleEdit } from "../model/rule.ts";
import type { RuleSet } from "../model/ruleSet.ts";
import type { SlotTable } from "../model/slot.ts";
import type { PersistentRegistrations } from "../registry/persistent.ts";
import type { Registry } from "../registry/registry.ts";
import type { AuditPage, AuditQuery } from "./auditEntry.ts";
import type { MetaRow } from "./memberRows.ts";
import type { RawParameters } from "./parameter.ts";
import type { Json } from "./schema.ts";

export type NodeRole = "meta" | "data" | "session";

/** The role session of this node. */
export interface OperatedSession {
  readonly registry: Registry;
  /** The operators' rules, as this session has heard of them. */
  readonly rules: () => RuleSet;
  /** The number of connected clients. */
  readonly clients: () => number;
  /** Registrations that stay until they are taken back. */
  readonly persistent: PersistentRegistrations;
  /** The work of operators is counted here. */
  readonly account: Account;
}

/** A held service, with the beginning and the end of the hold. */
export interface HeldService {
  readonly serviceKey: ServiceKey;
  readonly sinceMs: number;
  readonly untilMs: number;
  /** The number of publishers that would go. */
  readonly lost: number;
  readonly publishers: number;
}

/** The role data of this node. */
export interface OperatedData {
  readonly heldLosses: () => readonly HeldService[];
  readonly releaseHeld: (serviceKey: ServiceKey) => void;
  readonly slotsLed: () => number;
  /** The services of led slots that have publications in no list. */
  readonly hiddenServices: () => Promise<readonly HiddenService[]>;
  /** The publications of a service that are in no list; undefined if this node does not lead its slot. */
  readonly hidden: (serviceKey: ServiceKey) => readonly HiddenPublication[] | undefined;
}

/** A service with publications that are in no list. */
export interface HiddenService {
  readonly serviceKey: ServiceKey;
  readonly version: bigint;
  readonly hidden: number;
  /** The number of those in its list. */
  readonly shown: number;
}

/** A publication that is in no list. */
export interface HiddenPublication {
  readonly publication: Publication;
  /** The ids of the rules that hide it; `!Blocked` for one that its publisher hides. */
  readonly rules: readonly string[];
}

/** A pause of the arrangement of slots: the operator who set it, why, and since when. */
export interface SlotPauseRow {
  readonly setBy: string;
  readonly reason: string;
  readonly sinceMs: number;
}

/** The role meta of this node. */
export interface OperatedMeta {
  readonly isLeading: () => boolean;
  /** It leads and has read the store, or knows the node that leads. */
  readonly isReady: () => boolean;
  readonly isStoreReachable: () => boolean;
  /** The leading meta node, if one is known to lead. */
  readonly leader: () => NodeId | undefined;
  readonly members: () => Iterable<readonly [Member, Heartbeat]>;
  readonly slotTable: () => SlotTable | undefined;
  readonly blockedNodes: () => ReadonlySet<string>;
  /** This node and the other meta nodes that it knows. */
  readonly metas: () => readonly MetaRow[];
  /** The reason why this node would not give the lead up; undefined if it would. */
  readonly stepDownRefusal: () => RegistryError | undefined;
  /** Gives the lead to another meta node. Rejects with a RegistryError. */
  readonly stepDown: () => Promise<void>;
  /** The pause of the arrangement of slots, as of this node's lead; undefined while they are arranged. */
  readonly slotPause: () => SlotPauseRow | undefined;
  /** Begins a pause, or ends it (undefined). Rejects with a RegistryError. */
  readonly pauseSlots: (pause: Omit<SlotPauseRow, "sinceMs"> | undefined) => Promise<void>;
  /** Arranges slots now, in a pause, too. Rejects with SLOTS_FROZEN. */
  readonly arrangeSlots: () => Promise<void>;
  /** The reason why a node would not be blocked or unblocked; undefined if it would. */
  readonly blockRefusal: (node: string, isBlocked: boolean) => RegistryError | undefined;
  /** Blocks a node by its name, or unblocks it. Rejects with a RegistryError. */
  readonly blockNode: (node: string, isBlocked: boolean) => Promise<void>;
  /** All values that are set, and those that were removed, without data. */
  readonly configs: () => Iterable<ConfigValue>;
  readonly config: (serviceKey: ServiceKey) => ConfigValue | undefined;
  /** The reason why operators may not set this value; undefined if they may. */
  readonly configRefusal: (serviceKey: ServiceKey, data: string) => RegistryError | undefined;
  /**
   * Stores a value, or removes it with null; with `ifVersion` only if the value has this version (0: there is none).
   * Rejects with a RegistryError.
   */
  readonly putConfig: (serviceKey: ServiceKey, data: string | null, ifVersion?: bigint) => Promise<void>;
  /** The operators' rules, as the leading meta node has them. */
  readonly rules: () => RuleSet;
  /** Puts and removes rules at once, or none of them. Rejects with a RegistryError. */
  readonly changeRules: (edit: RuleEdit) => Promise<void>;
}

/** A setting that can be changed while the node runs, at this node. */
export interface SettingRow {
  readonly setting: DynamicKey;
  /** The values, as a flag has them. */
  readonly inForce: string;
  readonly configured: string;
  /** The rule that has set it; undefined for the configured value. */
  readonly rule: Rule | undefined;
}

/** Identities and policies, as this node knows them. */
export interface OperatedAccess {
  readonly set: () => AccessSet;
  readonly secrets: Secrets;
  /** Makes a change, at a node with the store. Rejects with a RegistryError. */
  readonly change: (edit: AccessEdit, setBy: string) => Promise<void>;
  /** Asks the meta nodes for changes now. */
  readonly refresh: () => Promise<void>;
  /** Throws CLAIM_REFUSED, or CREDENTIALS_LOCKED after several wrong ones from that address. */
  readonly checkClaim: (code: string, from: string) => void;
}

/** A node that answers operators. */
export interface OperatedNode {
  readonly id: NodeId;
  readonly roles: readonly NodeRole[];
  /** The release. */
  readonly version: string;
  readonly startedMs: number;
  readonly nowMs: () => number;
  readonly isStopping: () => boolean;
  /** Begins an orderly stop of the process. */
  readonly stop: () => void;
  /** The reason why each role does not work; undefined for one that does. */
  readonly notReady: () => ReadonlyMap<NodeRole, string | undefined>;
  readonly session: OperatedSession | undefined;
  readonly data: OperatedData | undefined;
  readonly meta: OperatedMeta | undefined;
  /** The settings that can be changed while it runs; none for a node that is neither a data node nor a session. */
  readonly settings: () => readonly SettingRow[];
  readonly access: OperatedAccess;
  /** The ways into this node that are open to the network, in words. */
  readonly open: () => readonly string[];
  /** Entries of the audit trail. Rejects with ROLE_NEEDED at a node without the store, or STORE_UNAVAILABLE. */
  readonly listAudit: (query: AuditQuery) => Promise<AuditPage>;
  /** The newest slot table that this node knows. */
  readonly slotTable: () => SlotTable | undefined;
  /** All nodes of the cluster that this one knows, itself with them, each with its roles. */
  readonly nodes: () => ReadonlyMap<NodeId, ReadonlySet<NodeRole>>;
  /** The principal that asks. */
  readonly caller: Principal;
  /** Has another operation answered, as if the caller had asked this node. */
  readonly ask: (operation: string, parameters: RawParameters) => Promise<Reply>;
}

/** The answer to an operation, as HTTP has it. */
export interface Reply {
  readonly status: number;
  readonly body: Json;
}
