// The database under the role meta, reachable or not. A registry whose database is away starts all the same and serves
// as it can; it must not become part of a foreign cluster, so the cluster's constants are compared before any other use
// of a database.

import { fail, RegistryError } from "../base/errors.ts";
import type { Log } from "../base/ports.ts";
import type { ClusterConstants, MetaState, MetaStore } from "../meta/metaStore.ts";

/** The calls that the role meta makes while it runs. */
export type RunningStore = Omit<MetaStore, "saveCluster" | "close">;

export interface OpenedStore extends RunningStore {
  /** Whether it has been reached. */
  readonly isOpen: boolean;
  /** May be called twice. */
  close(): Promise<void>;
}

export interface StoreOpening {
  /** Opens the database and brings its tables up to date. */
  readonly open: () => Promise<MetaStore>;
  readonly cluster: ClusterConstants;
  readonly log: Log;
  /** The database was reached later, and is not for this node; the process must end. */
  readonly refused: (error: RegistryError) => void;
}

// Errors that another try will not change.
const FINAL: ReadonlySet<string> = new Set([
  "CONFIG_INVALID",
  "STORE_SCHEMA_NEWER",
  "DATA_DIR_IN_USE",
  "DATA_DIR_UNUSABLE",
  "STORE_DAMAGED",
]);

// An available database answers long before; the start of the node does not wait longer for one that is away.
const FIRST_TRY_MS = 3_000;

/**
 * Opens the store. Rejects with the reason if the database is not for this node; if it can't be reached, every call
 * rejects with STORE_UNAVAILABLE, and tries again to open it.
 */
export async function openMetaStore(opening: StoreOpening): Promise<OpenedStore> {
  const store = new AwaitedStore(opening);
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, FIRST_TRY_MS);
  try {
    await Promise.race([store.opened(), late]);
  } catch (error) {
    if (isFinal(error)) throw error;
    opening.log.error("the store can't be reached; this node starts without it", { reason: String(error) });
  } finally {
    clearTimeout(timer);
  }
  store.hasStarted = true;
  return store;
}

class AwaitedStore implements OpenedStore {
  readonly #opening: StoreOpening;
  #store: Promise<MetaStore> | undefined;
  #isClosed = false;
  #hasReported = false;
  hasStarted = false;
  isOpen = false;

  constructor(opening: StoreOpening) {
    this.#opening = opening;
  }

  /** The store, when it is open. One try is made at a time. */
  opened(): Promise<MetaStore> {
    if (this.#isClosed) return Promise.reject(fail("STORE_UNAVAILABLE", { reason: "the store is closed" }));
    this.#store ??= this.#open();
    return this.#store;
  }

  async loadAll(): Promise<MetaState> {
    const state = await (await this.opened()).loadAll();
    // The database may have been replaced by another one while we were connected.
    if (state.cluster !== undefined) this.#check(state.cluster);
    return state;
  }

  async acquireLease(...args: Parameters<MetaStore["acquireLease"]>) {
    return (await this.opened()).acquireLease(...args);
  }

  async releaseLease(epoch: bigint): Promise<void> {
    return (await this.opened()).releaseLease(epoch);
  }

  async saveSlotTable(...args: Parameters<MetaStore["saveSlotTable"]>): Promise<boolean> {
    return (await this.opened()).saveSlotTable(...args);
  }

  async putConfig(...args: Parameters<MetaStore["putConfig"]>): Promise<boolean> {
    return (await this.opened()).putConfig(...args);
  }

  async setNodeBlocked(...args: Parameters<MetaStore["setNodeBlocked"]>): Promise<boolean> {
    return (await this.opened()).setNodeBlocked(...args);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const [outcome] = await Promise.allSettled([this.#store]);
    if (outcome?.status === "fulfilled") await outcome.value?.close();
  }

  async #open(): Promise<MetaStore> {
    let store: MetaStore | undefined;
    try {
      store = await this.#opening.open();
      this.#check(await store.saveCluster(this.#opening.cluster));
      // The leader reads it once more. A node that found the damage only then would take registrations and push
      // nothing.
      await store.loadAll();
      this.isOpen = true;
      return store;
    } catch (error) {
      this.#store = undefined;
      await store?.close();
      this.#report(error);
      throw error;
    }
  }

  #check(stored: ClusterConstants): void {
    const error = clusterMismatch(this.#opening.cluster, stored);
    if (error === undefined) return;
    this.#report(error);
    throw error;
  }

  /** At the start it is enough to reject; later the process must end. Reported once. */
  #report(error: unknown): void {
    if (!this.hasStarted || this.#hasReported || !isFinal(error)) return;
    this.#hasReported = true;
    this.#opening.refused(error);
  }
}

function clusterMismatch(own: ClusterConstants, stored: ClusterConstants): RegistryError | undefined {
  if (stored.name !== own.name) {
    const allowed = "the name in the store, or a separate store for each cluster";
    return fail("CONFIG_INVALID", { key: "cluster-name", value: own.name, stored: stored.name, allowed });
  }
  if (stored.slotCount === own.slotCount) return undefined;
  const allowed = "a release with the stored number of slots, or a new store";
  return fail("CONFIG_INVALID", { slotCount: own.slotCount, stored: stored.slotCount, allowed });
}

function isFinal(error: unknown): error is RegistryError {
  return error instanceof RegistryError && FINAL.has(error.code);
}
