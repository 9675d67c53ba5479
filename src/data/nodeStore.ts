// What one node keeps on its own disk. Publications are not among it: they come back from the clients. It is what lets
// a restarted node go on where it stopped: the same name, versions that do not go back, and how large each service was.

import type { DataInfoId, NodeId } from "../model/ids.ts";

/**
 * A node's own small disk. Calls are synchronous, take well below a millisecond, and are durable when they return.
 * They throw STORE_UNAVAILABLE if the disk does not do its part; then the change was not made.
 */
export interface NodeStore {
  /** The node's name: made at its first start, the same for ever. */
  nodeId(): NodeId;

  /** A bound that every datum version handed out so far is below; 0 at the first start. */
  loadVersionFloor(): bigint;

  /** Raises the bound; a lower one than the stored is ignored. */
  saveVersionFloor(floor: bigint): void;

  /** How many publishers each service had when it was last saved. */
  loadServiceSizes(): ReadonlyMap<DataInfoId, number>;

  /** Saves the sizes that changed, all or none; 0 forgets the service. */
  saveServiceSizes(changed: ReadonlyMap<DataInfoId, number>): void;

  /** Lets go of the disk. May be called twice. */
  close(): Promise<void>;
}
