// The meta role's demands on a database: little, but strongly consistent. Several meta nodes may share one database, so
// every write that could race states what it expects to find, and is refused if another write came first.

import type { ConfigValue } from "../cluster/messages/membership.ts";
import type { NodeId, ServiceKey } from "../model/ids.ts";
import type { SlotTable } from "../model/slot.ts";

/** The cluster's constants, fixed at its first start. */
export interface ClusterConstants {
  readonly name: string;
  readonly slotCount: number;
}

/** Everything that the store holds for the meta role. */
export interface MetaState {
  readonly cluster: ClusterConstants | undefined;
  readonly slotTable: SlotTable | undefined;
  /** Removed values are kept, as null with their version: versions must keep growing if the value is set again. */
  readonly configs: ReadonlyMap<ServiceKey, ConfigValue>;
  /** Names of nodes that an operator has blocked. */
  readonly blockedNodes: ReadonlySet<string>;
}

/** The lead of a meta node. The epoch grows with every change of leader, and fences the previous leader. */
export interface LeaderLease {
  readonly epoch: bigint;
  readonly holder: NodeId;
  /** The HTTP address of the holder, `host:port`, to which the other meta nodes send operators. */
  readonly address: string;
  /** By the database's clock, at the time of the answer; 0 or less if it is over. */
  readonly remainingMs: number;
}

/**
 * The strongly consistent store under meta. A write is durable when its promise resolves. Every method throws
 * STORE_UNAVAILABLE if the database fails; the change may or may not have been made then, and the caller finds out by
 * asking again.
 */
export interface MetaStore {
  loadAll(): Promise<MetaState>;

  /** Writes the cluster's constants if there are none yet. Returns the constants in force, ours or the earlier ones. */
  saveCluster(cluster: ClusterConstants): Promise<ClusterConstants>;

  /**
   * Takes the lead if it is free, or renews it if `candidate.holder` has it: the answer's holder is then the candidate,
   * with `leaseMs` remaining. Otherwise the answer names the holder. Taking it raises the epoch by one, even for the
   * same holder after its lease has ended. Only the database's own clock counts.
   */
  acquireLease(candidate: { readonly holder: NodeId; readonly address: string }, leaseMs: number): Promise<LeaderLease>;

  /** Releases the lead at once, if `epoch` still is the lease in force. */
  releaseLease(epoch: bigint): Promise<void>;

  /**
   * Replaces the slot table if the stored one has `expectedEpoch`, or if there is none and `undefined` is expected, and
   * if `leaseEpoch` is the lease in force. Returns false, and changes nothing, if that is not so.
   */
  saveSlotTable(
    table: SlotTable,
    expected: { readonly tableEpoch: bigint | undefined; readonly leaseEpoch: bigint },
  ): Promise<boolean>;

  /**
   * Stores a configuration if its version is higher than the stored one and `leaseEpoch` is the lease in force. Returns
   * false, and changes nothing, if that is not so.
   */
  putConfig(config: ConfigValue, leaseEpoch: bigint): Promise<boolean>;

  /** Blocks a node by its name, or unblocks it. Returns false if `leaseEpoch` is not the lease in force. */
  setNodeBlocked(node: string, isBlocked: boolean, leaseEpoch: bigint): Promise<boolean>;

  /** Releases the database. May be called twice. */
  close(): Promise<void>;
}
