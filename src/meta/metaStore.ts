// What the meta role asks of a database: little, but strongly consistent. Several meta nodes may share one database, so
// every write that could race says what it expects to find, and is refused if somebody else was first.

import type { ConfigValue } from "../cluster/messages/membership.ts";
import type { DataInfoId, NodeId } from "../model/ids.ts";
import type { SlotTable } from "../model/slot.ts";

/** The cluster's constants, fixed at its first start. */
export interface Cluster {
  readonly name: string;
  readonly slotCount: number;
}

/** Everything that the store holds for the meta role. */
export interface MetaState {
  readonly cluster: Cluster | undefined;
  readonly slotTable: SlotTable | undefined;
  /** Removed values are kept, as null with their version: versions must go on growing if the value is set again. */
  readonly configs: ReadonlyMap<DataInfoId, ConfigValue>;
  /** Names of nodes that an operator has shut out. */
  readonly blockedNodes: ReadonlySet<string>;
}

/** Who leads the meta nodes. The epoch grows with every change of leader, and fences the leader before. */
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
 * STORE_UNAVAILABLE if the database does not do its part; then the change may or may not have been made, and whoever
 * asks again finds out.
 */
export interface MetaStore {
  loadAll(): Promise<MetaState>;

  /** Writes the cluster's constants if there are none yet. The answer is what stands, ours or those of before. */
  saveCluster(cluster: Cluster): Promise<Cluster>;

  /**
   * Takes the lead if nobody has it, or renews it if `candidate.holder` has it: then the answer's holder is the
   * candidate, with `leaseMs` remaining. Otherwise the answer says who has it. Taking it raises the epoch by one, also
   * when the holder is the same that let it end. Only the database's own clock counts.
   */
  acquireLease(candidate: { readonly holder: NodeId; readonly address: string }, leaseMs: number): Promise<LeaderLease>;

  /** Lets the lead go at once, if `epoch` still is the lease in force. */
  releaseLease(epoch: bigint): Promise<void>;

  /**
   * Replaces the slot table if the stored one has `expectedEpoch`, or if there is none and `undefined` is expected,
   * and if `leaseEpoch` is the lease in force. False: it is not so; nothing was changed.
   */
  saveSlotTable(
    table: SlotTable,
    expected: { readonly tableEpoch: bigint | undefined; readonly leaseEpoch: bigint },
  ): Promise<boolean>;

  /**
   * Stores a configuration if its version is higher than the stored one and `leaseEpoch` is the lease in force.
   * False: it is not so; nothing was changed.
   */
  putConfig(config: ConfigValue, leaseEpoch: bigint): Promise<boolean>;

  /** Shuts a node out by its name, or lets it in again. False: `leaseEpoch` is not the lease in force. */
  setNodeBlocked(node: string, isBlocked: boolean, leaseEpoch: bigint): Promise<boolean>;

  /** Lets go of the database. May be called twice. */
  close(): Promise<void>;
}
