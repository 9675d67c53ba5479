// What the meta role asks of a database: little, but strongly consistent. Several meta nodes may share one database, so
// every write that could race says what it expects to find, and is refused if somebody else was first.

import type { ConfigValue } from "../messages/membership.ts";
import type { DataInfoId } from "../model/ids.ts";
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
}

/**
 * The strongly consistent store under meta. A write is durable when its promise resolves. Every method throws
 * STORE_UNAVAILABLE if the database does not do its part; then the change was not made.
 */
export interface MetaStore {
  loadAll(): Promise<MetaState>;

  /** Writes the cluster's constants if there are none yet. The answer is what stands, ours or those of before. */
  saveCluster(cluster: Cluster): Promise<Cluster>;

  /**
   * Replaces the slot table if the stored one has `expectedEpoch`, or if there is none and `undefined` is expected.
   * False: another meta node was first; nothing was changed.
   */
  saveSlotTable(table: SlotTable, expectedEpoch: bigint | undefined): Promise<boolean>;

  /** Stores a configuration if its version is higher than the stored one. False: it is not; nothing was changed. */
  putConfig(config: ConfigValue): Promise<boolean>;

  /** Lets go of the database. May be called twice. */
  close(): Promise<void>;
}
