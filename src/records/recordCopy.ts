// A node's own copy of the records under a prefix, in order, with the revision up to which it is true. It is read once
// and then follows the changes. While the store is away it stays as it is. When it comes too late for the history, or
// the store has lost changes, it reads everything again and tells the difference as if that were changes.

import { fail, RegistryError } from "../base/errors.ts";
import type { Cancel } from "../base/ports.ts";
import type { GatewayRecords } from "./gatewayRecords.ts";
import { keysWith } from "./keys.ts";
import { OrderedRecords } from "./orderedRecords.ts";
import { revisionOf } from "./pages.ts";
import { readAll } from "./readAll.ts";
import type { Change, Commit, CommitOutcome, KeyRange, StoredRecord } from "./records.ts";

/** A change of the copy. */
export interface CopyChange {
  readonly key: string;
  /** The revision of the change; of a removal that was found by reading everything again, that of the reading. */
  readonly revision: bigint;
  readonly before: StoredRecord | undefined;
  /** Undefined: the record was removed. */
  readonly after: StoredRecord | undefined;
}

/** Hears of changes that the copy has made, in order, those of a commit together. It may not change the copy. */
export type CopyListener = (changes: readonly CopyChange[]) => void;

export interface CopyOptions {
  readonly records: GatewayRecords;
  /** Ends with `/`. */
  readonly prefix: string;
  /** More can't be read: those who write keep below it. */
  readonly recordsMax: number;
  /** Called when the store can't be read, once until it can. */
  readonly unread?: (error: RegistryError) => void;
  /** Called for a bug. */
  readonly failed: (error: unknown) => void;
}

// A store that is away is asked again after this; `check` comes twice a second.
const RETRY_MS = 1_000;

// Each belongs to a request of a client.
const WAITING_MAX = 50_000;

interface Waiting {
  readonly revision: bigint;
  readonly resolve: () => void;
  readonly reject: (error: RegistryError) => void;
}

export class RecordCopy {
  readonly #options: CopyOptions;
  readonly #range: KeyRange;
  #records = new OrderedRecords();
  /** Undefined before everything was read for the first time. */
  #revision: bigint | undefined;
  readonly #listeners = new Set<CopyListener>();
  /** In the order of their revisions. */
  #waiting: Waiting[] = [];
  #cancelWatch: Cancel | undefined;
  #reading: Promise<RegistryError | undefined> | undefined;
  #hasComplained = false;
  #isClosed = false;
  #retryMs = 0;

  constructor(options: CopyOptions) {
    this.#options = options;
    this.#range = keysWith(options.prefix);
  }

  /** Reads, and follows from then on. Resolves when the first try is over. */
  async begin(): Promise<void> {
    await this.#read();
  }

  /** To be called twice a second: a store that could not be read is read again. */
  check(nowMs: number): void {
    if (this.#isClosed || this.#cancelWatch !== undefined || this.#reading !== undefined || nowMs < this.#retryMs)
      return;
    this.#retryMs = nowMs + RETRY_MS;
    void this.#read();
  }

  /** May be called twice. */
  close(): void {
    this.#isClosed = true;
    this.#cancelWatch?.();
    const error = fail("STORE_UNAVAILABLE", { reason: "this node stops" });
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  /** Whether everything was read once. */
  get isRead(): boolean {
    return this.#revision !== undefined;
  }

  /** Everything up to this revision is in the copy; 0 before it was read. */
  get revision(): bigint {
    return this.#revision ?? 0n;
  }

  get size(): number {
    return this.#records.size;
  }

  /** The bytes of all values. */
  get bytes(): number {
    return this.#records.bytes;
  }

  get(key: string): StoredRecord | undefined {
    return this.#records.get(key);
  }

  /** The records of a range, in the order of their keys; to be used before anything else happens. */
  range(range: KeyRange): Iterable<StoredRecord> {
    return this.#records.range(range);
  }

  /** Tells changes from now on, reading for the first time included. */
  listen(listener: CopyListener): Cancel {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * Resolves when the copy has everything up to a revision, and listeners have heard of it. The revision of records
   * elsewhere may take some seconds: `catchUp` is for those. Rejects with STORE_UNAVAILABLE if too many wait, or the
   * copy is closed.
   */
  whenReached(revision: bigint): Promise<void> {
    if (this.#revision !== undefined && revision <= this.#revision) return Promise.resolve();
    if (this.#isClosed || this.#waiting.length >= WAITING_MAX) {
      const waiting = this.#waiting.length;
      return Promise.reject(fail("STORE_UNAVAILABLE", { reason: "the node's copy is behind the store", waiting }));
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let at = this.#waiting.length;
    while (at > 0 && (this.#waiting[at - 1]?.revision ?? 0n) > revision) at--;
    this.#waiting.splice(at, 0, { revision, resolve, reject });
    return promise;
  }

  /**
   * Brings the copy to the state that the store has now, everything acknowledged before the call included; resolves to
   * its revision. Rejects with STORE_UNAVAILABLE.
   */
  async catchUp(): Promise<bigint> {
    if (this.#revision === undefined) await this.#readOrReject();
    for (;;) {
      const page = await this.#options.records.changes(this.#range, this.revision);
      if (page.kind === "changes") {
        this.#take(page.changes, page.revision);
        if (page.isLast) return this.revision;
      } else await this.#readOrReject();
    }
  }

  /**
   * Makes a commit. When it resolves, the copy has the commit's changes, or those because of which it was refused.
   * Rejects as the store does; the copy then does not know yet.
   */
  async commit(commit: Commit): Promise<CommitOutcome> {
    const outcome = await this.#options.records.commit(commit);
    // A put makes a change always; a deletion perhaps not, and then the revision is that of others.
    const isChange = commit.operations.some(({ kind }) => kind === "put");
    if (outcome.kind === "committed" && isChange) await this.whenReached(outcome.revision);
    else if (outcome.kind === "refused" || outcome.revision > this.revision) await this.catchUp();
    return outcome;
  }

  async #readOrReject(): Promise<void> {
    const error = await this.#read();
    if (error !== undefined) throw error;
  }

  /** Reads everything, and watches from there. Resolves to the reason if it can't. */
  #read(): Promise<RegistryError | undefined> {
    this.#reading ??= this.#readAll().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #readAll(): Promise<RegistryError | undefined> {
    this.#cancelWatch?.();
    this.#cancelWatch = undefined;
    try {
      const { records, revision } = await readAll(this.#options.records, this.#range, this.#options.recordsMax);
      if (this.#isClosed) return undefined;
      this.#hasComplained = false;
      this.#replace(records, revision);
      this.#watch();
      return undefined;
    } catch (error) {
      if (!(error instanceof RegistryError)) {
        this.#options.failed(error);
        throw error;
      }
      if (!this.#hasComplained && !this.#isClosed) this.#options.unread?.(error);
      this.#hasComplained = true;
      return error;
    }
  }

  #watch(): void {
    this.#cancelWatch = this.#options.records.watch(this.#range, this.revision, {
      changed: (changes, revision) => this.#take(changes, revision),
      reached: (revision) => this.#take([], revision),
      compacted: () => void this.#read().catch(this.#options.failed),
    });
  }

  /** Takes the changes that it does not have yet: they come by the watch, and by `catchUp`. */
  #take(changes: readonly Change[], revision: bigint): void {
    if (this.#isClosed || this.#revision === undefined || revision <= this.#revision) return;
    const known = this.#revision;
    const taken: CopyChange[] = [];
    for (const change of changes) if (revisionOf(change) > known) taken.push(this.#apply(change));
    this.#tell(taken, revision);
  }

  #apply(change: Change): CopyChange {
    const after = change.kind === "put" ? change.record : undefined;
    const key = change.kind === "put" ? change.record.key : change.key;
    const before = after === undefined ? this.#records.delete(key) : this.#records.get(key);
    if (after !== undefined) this.#records.set(after);
    return { key, revision: revisionOf(change), before, after };
  }

  /** Goes on with what was read; the difference are changes. */
  #replace(records: readonly StoredRecord[], revision: bigint): void {
    const old = this.#records;
    this.#records = new OrderedRecords();
    const changes: CopyChange[] = [];
    for (const record of records) {
      const before = old.delete(record.key);
      this.#records.set(record);
      if (before?.revision === record.revision && before.createdRevision === record.createdRevision) continue;
      changes.push({ key: record.key, revision: record.revision, before, after: record });
    }
    for (const before of old.range(this.#range)) changes.push({ key: before.key, revision, before, after: undefined });
    changes.sort((a, b) => (a.revision < b.revision ? -1 : Number(a.revision > b.revision)));
    this.#tell(changes, revision);
  }

  #tell(changes: readonly CopyChange[], revision: bigint): void {
    this.#revision = revision;
    if (changes.length > 0) for (const listener of this.#listeners) listener(changes);
    let reached = 0;
    while ((this.#waiting[reached]?.revision ?? revision + 1n) <= revision) reached++;
    for (const { resolve } of this.#waiting.splice(0, reached)) resolve();
  }
}
