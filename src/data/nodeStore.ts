// The content of a node's own disk. It excludes publications: the clients bring those back. It lets a restarted node
// continue where it stopped: with the same name, versions that do not go back, and the size of each service.

import type { NodeId, ServiceKey } from "../model/ids.ts";

/**
 * A node's own small disk. Calls are synchronous, take well below a millisecond, and are durable when they return. They
 * throw STORE_UNAVAILABLE if the disk fails; then the change was not made.
 */
export interface NodeStore {
  /** The node's name: made at its first start, the same for ever. */
  nodeId(): NodeId;

  /** A bound above every datum version given so far; 0 at the first start. */
  loadVersionFloor(): bigint;

  /** Raises the bound; a lower one than the stored is ignored. */
  saveVersionFloor(floor: bigint): void;

  /** The number of publishers of each service when it was last saved. */
  loadServiceSizes(): ReadonlyMap<ServiceKey, number>;

  /** Saves the sizes that changed, all or none; 0 forgets the service. */
  saveServiceSizes(changed: ReadonlyMap<ServiceKey, number>): void;

  /** Releases the disk. May be called twice. */
  close(): Promise<void>;
}
