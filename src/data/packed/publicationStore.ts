// The store of a slot's publications. Two implementations are behind these interfaces: Maps of objects (plainStore.ts),
// obvious and the oracle of the tests, and packed bytes off the heap (packedStore.ts).

import type { ServiceKey } from "../../model/ids.ts";
import type { Condition, Owner, Publication, Registration } from "../../model/publication.ts";

/** The publications of a whole node: slots share slabs and common strings. */
export interface PublicationMemory {
  /** A store for one slot. It costs next to nothing while it is empty. */
  store(): PublicationStore;
  /** Memory held off the heap, for all slots. */
  readonly bytes: number;
  /** Services that hold publications. */
  readonly services: number;
  /**
   * Does up to `steps` of the deferred work, each of at most some microseconds; false if none is left. Every change
   * does a little of it anyway, so this is for idle times only.
   */
  tidy(steps: number): boolean;
}

/** The publications of one slot, by service. */
export interface PublicationStore {
  /**
   * A new and empty handle, to be kept by the service's datum; two calls return two independent ones. A handle that
   * holds publications must be cleared before it is forgotten; an empty one holds nothing.
   */
  service(serviceKey: ServiceKey): ServicePublications;
  /** Memory held off the heap by this slot: its records and its index. */
  readonly bytes: number;
}

/** Numbers of hosts (`hostNumberOf`). */
export interface HostNumbers {
  has(host: number): boolean;
}

/** A publication without its payload, and whether operators' rules hide it. */
export interface MarkedPublication extends Omit<Publication, "payload"> {
  readonly isHidden: boolean;
}

/**
 * A search through one service, a part at a time. The store may change between two parts: what is removed is not found
 * any more, and what comes meanwhile is, so a registration that goes and comes again may be found twice.
 */
export interface HostSearch {
  /** Goes over up to `max` more; returns the first one that is at one of the hosts, or undefined if none of them is. */
  next(max: number): Registration | undefined;
  /** The number that the last call of `next` has gone over. */
  readonly looked: number;
  /** There are no more. */
  readonly isDone: boolean;
}

/**
 * The publications of one service. Returned values share no memory with the store, so later changes of the store do not
 * affect them. The order is that of a Map: by insertion, and a replacement keeps its place. During an iteration no
 * store of the node may be changed.
 */
export interface ServicePublications {
  readonly size: number;
  /** The approximate size of the pushed list (model/listBytes.ts). */
  readonly listBytes: number;
  /** The share of one publication in it; 0 if there is none. */
  listBytesOf(registId: string): number;
  get(registId: string): Publication | undefined;
  /** As `get`, without zone, application, attributes and payload. */
  registration(registId: string): Registration | undefined;
  /** Whether the holding under this registId looks the same to subscribers (`showsTheSame`). */
  shows(publication: Publication): boolean;
  /** Inserts or replaces; `isHidden` is the mark that it has from now on. */
  set(publication: Publication, isHidden?: boolean): void;
  delete(registId: string): boolean;
  /** Whether the holding under this registId is marked as hidden. */
  isHidden(registId: string): boolean;
  /** Gives the holding under this registId another mark. */
  mark(registId: string, isHidden: boolean): void;
  /** Gives the holding under this registId another condition, or none. Its content is not written anew. */
  setCondition(registId: string, condition: Condition | undefined): void;
  values(): Iterable<Publication>;
  /** Those that are not hidden. */
  shown(): Iterable<Publication>;
  /** All with their marks, or those of clients whose hosts have one of these numbers. */
  marked(hosts?: HostNumbers): Iterable<MarkedPublication>;
  /** All registrations, or those of owners that are `wanted`: the others are not decoded. */
  registrations(wanted?: (owner: Owner) => boolean): Iterable<Registration>;
  /**
   * Begins to search for those of clients whose hosts have one of these numbers: the others are not looked at. A search
   * that was begun before ends.
   */
  searchAt(hosts: HostNumbers): HostSearch;
  clear(): void;
}
