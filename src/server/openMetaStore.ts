// The records under the role meta, reachable or not. A registry whose store is away starts all the same and serves as
// it can; it must not become part of a foreign cluster, so the cluster's constants are compared before any other use of
// a store.

import { fail, RegistryError } from "../base/errors.ts";
import type { Log } from "../base/ports.ts";
import { accessIn } from "../meta/accessRecords.ts";
import {
  CLUSTER_RECORD,
  type ClusterConstants,
  decodeRecord,
  encodeRecord,
  META_PREFIX,
  metaStateOf,
} from "../meta/metaRecords.ts";
import { rulesIn } from "../meta/operatorRules.ts";
import { keyAlone, keysWith } from "../records/keys.ts";
import { readAll, type WholeRange } from "../records/readAll.ts";
import type {
  Commit,
  CommitOutcome,
  Compacted,
  LeaderLease,
  LeaseCandidate,
  LeaseStore,
  RangePage,
  RangeQuery,
  Records,
} from "../records/records.ts";

/** The calls that the role meta makes while it runs. */
export interface RunningStore extends LeaseStore {
  /** All records of the role meta. Rejects with STORE_DAMAGED if one of them is. */
  load(): Promise<WholeRange>;
  range(query: RangeQuery): Promise<RangePage | Compacted>;
  commit(commit: Commit): Promise<CommitOutcome>;
}

export interface OpenedStore extends RunningStore {
  /** Whether it has been reached. */
  readonly isOpen: boolean;
  /** The whole store, as soon as it can be reached. Rejects with the reason why it can't. */
  opened(): Promise<Records>;
  /** May be called twice. */
  close(): Promise<void>;
}

export interface StoreOpening {
  /** Opens the store and brings its tables up to date. */
  readonly open: () => Promise<Records>;
  readonly cluster: ClusterConstants;
  readonly log: Log;
  /** The store was reached later, and is not for this node; the process must end. */
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

// An available store answers long before; the start of the node does not wait longer for one that is away.
const FIRST_TRY_MS = 3_000;

// The role bounds its records when it writes them. This is far above.
const RECORDS_MAX = 20_000_000;

/**
 * Opens the store. Rejects with the reason if it is not for this node; if it can't be reached, every call rejects with
 * STORE_UNAVAILABLE, and tries again to open it.
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
  #records: Promise<Records> | undefined;
  #isClosed = false;
  #hasReported = false;
  hasStarted = false;
  isOpen = false;

  constructor(opening: StoreOpening) {
    this.#opening = opening;
  }

  /** The store, when it is open. One try is made at a time. */
  opened(): Promise<Records> {
    if (this.#isClosed) return Promise.reject(fail("STORE_UNAVAILABLE", { reason: "the store is closed" }));
    this.#records ??= this.#open();
    return this.#records;
  }

  async load(): Promise<WholeRange> {
    return this.#load(await this.opened());
  }

  async range(query: RangeQuery): Promise<RangePage | Compacted> {
    return (await this.opened()).range(query);
  }

  async commit(commit: Commit): Promise<CommitOutcome> {
    return (await this.opened()).commit(commit);
  }

  async acquireLease(candidate: LeaseCandidate, leaseMs: number): Promise<LeaderLease> {
    return (await this.opened()).acquireLease(candidate, leaseMs);
  }

  async releaseLease(epoch: bigint): Promise<void> {
    return (await this.opened()).releaseLease(epoch);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const [outcome] = await Promise.allSettled([this.#records]);
    if (outcome?.status === "fulfilled") await outcome.value?.close();
  }

  async #open(): Promise<Records> {
    let records: Records | undefined;
    try {
      records = await this.#opening.open();
      this.#checkCluster(await savedCluster(records, this.#opening.cluster));
      // The leader reads it once more. A node that found the damage only then would take registrations and push
      // nothing.
      await this.#load(records);
      this.isOpen = true;
      return records;
    } catch (error) {
      this.#records = undefined;
      await records?.close();
      this.#report(error);
      throw error;
    }
  }

  async #load(records: Records): Promise<WholeRange> {
    const range = await readAll(records, keysWith(META_PREFIX), RECORDS_MAX);
    try {
      const { cluster } = metaStateOf(range.records);
      rulesIn(range.records);
      accessIn(range.records);
      // The store may have been replaced by another one while we were connected.
      if (cluster !== undefined) this.#checkCluster(cluster);
      return range;
    } catch (error) {
      const isDamaged = error instanceof RegistryError && error.code === "STORE_DAMAGED";
      const placed = isDamaged ? fail("STORE_DAMAGED", { ...records.place, ...error.details }) : error;
      this.#report(placed);
      throw placed;
    }
  }

  #checkCluster(stored: ClusterConstants): void {
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

/** Writes the cluster's constants if there are none yet. Returns the constants in force, ours or the earlier ones. */
async function savedCluster(records: Records, cluster: ClusterConstants): Promise<ClusterConstants> {
  const key = CLUSTER_RECORD.prefix;
  await records.commit({
    conditions: [{ kind: "revision", key, revision: 0n }],
    operations: [{ kind: "put", key, value: encodeRecord(CLUSTER_RECORD, cluster) }],
  });
  const {
    records: [stored],
  } = await readAll(records, keyAlone(key), 1);
  if (stored === undefined) throw fail("STORE_UNAVAILABLE", { reason: "another program removes our records", key });
  return decodeRecord(CLUSTER_RECORD, stored);
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
