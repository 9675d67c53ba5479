// The newest changes of the gateways' records at a node with the store, for all that wait for changes: its own watches,
// and those of the nodes without a store. One watch of the store feeds them all. Those that are further behind than the
// feed goes back read the store's history.

import { fail, RegistryError } from "../../base/errors.ts";
import type { Cancel, Timers } from "../../base/ports.ts";
import { GATEWAYS_RANGE } from "../../records/gatewayRecords.ts";
import { isIn } from "../../records/keys.ts";
import { changesPage, revisionOf } from "../../records/pages.ts";
import type { Change, ChangesPage, Compacted, KeyRange, Records } from "../../records/records.ts";
import type { ChangesQuestion } from "./recordsSource.ts";

/** The part of a store that it needs. */
export type FedStore = Pick<Records, "range" | "changes" | "watch">;

// Seconds of busy clients: a node that is further behind than that has lost its link, or the store was slow.
const CHANGES_KEPT_MAX = 5_000;
const BYTES_KEPT_MAX = 16 * 1024 * 1024;

// A few for each node of the largest cluster.
const WAITING_MAX = 5_000;

interface Waiting {
  readonly range: KeyRange;
  readonly after: bigint;
  resolve(page: ChangesPage): void;
  reject(error: unknown): void;
}

export class RecordsFeed {
  readonly #opened: () => Promise<FedStore>;
  readonly #timers: Timers;
  readonly #waiting = new Set<Waiting>();
  /** All changes after `#oldest`, in order. */
  #changes: Change[] = [];
  #bytes = 0;
  #oldest = 0n;
  /** Everything up to this revision was told. */
  #revision = 0n;
  #beginning: Promise<FedStore> | undefined;
  #cancelWatch: Cancel = () => undefined;
  #isClosed = false;

  constructor(opened: () => Promise<FedStore>, timers: Timers) {
    this.#opened = opened;
    this.#timers = timers;
  }

  /** Rejects with STORE_UNAVAILABLE. */
  async changes({ range, after, waitMs }: ChangesQuestion): Promise<ChangesPage | Compacted> {
    const store = await this.#begun();
    if (waitMs === 0 || after < this.#oldest || after > this.#revision) {
      const page = await storedChanges(store, range, after);
      const isNews = page.kind === "compacted" || page.changes.length > 0 || page.revision > after;
      if (waitMs === 0 || isNews) return page;
    }
    const found = this.#after(after).filter((change) => isIn(range, keyOf(change)));
    return found.length > 0 ? changesPage(found, this.#revision) : this.#wait({ range, after, waitMs });
  }

  /** May be called twice. */
  close(): void {
    this.#isClosed = true;
    this.#cancelWatch();
    const error = closed();
    for (const waiting of [...this.#waiting]) waiting.reject(error);
  }

  /** The store, followed from now on. */
  #begun(): Promise<FedStore> {
    if (this.#isClosed) return Promise.reject(closed());
    this.#beginning ??= this.#begin().catch((error: unknown) => {
      this.#beginning = undefined;
      throw error;
    });
    return this.#beginning;
  }

  async #begin(): Promise<FedStore> {
    const store = await this.#opened();
    const page = await store.range({ ...GATEWAYS_RANGE, limit: 1 });
    if (page.kind === "compacted") throw fail("STORE_UNAVAILABLE", { reason: "the present is not readable" });
    if (this.#isClosed) throw closed();
    this.#changes = [];
    this.#bytes = 0;
    this.#oldest = page.revision;
    this.#revision = page.revision;
    this.#cancelWatch = store.watch(GATEWAYS_RANGE, page.revision, {
      changed: (changes, revision) => this.#changed(changes, revision),
      reached: (revision) => {
        this.#revision = revision;
      },
      compacted: () => this.#beginAnew(),
    });
    return store;
  }

  /** The feed was too slow for the history, or the store has lost changes: all who wait have to ask again. */
  #beginAnew(): void {
    this.#beginning = undefined;
    const error = fail("STORE_UNAVAILABLE", { reason: "the history of changes is followed anew" });
    for (const waiting of [...this.#waiting]) waiting.reject(error);
  }

  #changed(changes: readonly Change[], revision: bigint): void {
    this.#keep(changes);
    this.#revision = revision;
    // Those that wait for the same range share a page: nodes ask for a few ranges.
    const pages = new Map<string, ChangesPage | undefined>();
    for (const waiting of [...this.#waiting]) {
      const { range, after } = waiting;
      const name = `${range.from}\0${range.to}\0${after > this.#beforeOf(changes) ? after : ""}`;
      if (!pages.has(name)) pages.set(name, pageOf(changes, { range, after, revision }));
      const page = pages.get(name);
      if (page !== undefined) waiting.resolve(page);
    }
  }

  /** A revision below all these changes. */
  #beforeOf([first]: readonly Change[]): bigint {
    return first === undefined ? this.#revision : revisionOf(first) - 1n;
  }

  #keep(changes: readonly Change[]): void {
    for (const change of changes) {
      this.#changes.push(change);
      this.#bytes += bytesOf(change);
    }
    if (this.#changes.length <= CHANGES_KEPT_MAX && this.#bytes <= BYTES_KEPT_MAX) return;
    // Half of it goes, so that this is rare. A commit goes as a whole.
    let dropped = 0;
    for (const change of this.#changes) {
      const isEnough = this.#changes.length - dropped <= CHANGES_KEPT_MAX / 2 && this.#bytes <= BYTES_KEPT_MAX / 2;
      if (isEnough && revisionOf(change) > this.#oldest) break;
      this.#oldest = revisionOf(change);
      this.#bytes -= bytesOf(change);
      dropped++;
    }
    this.#changes.splice(0, dropped);
  }

  #after(revision: bigint): readonly Change[] {
    let low = 0;
    let high = this.#changes.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const change = this.#changes[middle];
      if (change !== undefined && revisionOf(change) <= revision) low = middle + 1;
      else high = middle;
    }
    return this.#changes.slice(low);
  }

  #wait({ range, after, waitMs }: ChangesQuestion): Promise<ChangesPage> {
    if (this.#isClosed) return Promise.reject(closed());
    if (this.#waiting.size >= WAITING_MAX) {
      const reason = "too many wait for changes of records";
      return Promise.reject(fail("STORE_UNAVAILABLE", { reason, waiting: WAITING_MAX }));
    }
    return new Promise((resolve, reject) => {
      const end = <Value>(done: (value: Value) => void) => {
        return (value: Value) => {
          cancel();
          this.#waiting.delete(waiting);
          done(value);
        };
      };
      const waiting = { range, after, resolve: end(resolve), reject: end(reject) };
      const cancel = this.#timers.after(waitMs, () => {
        const revision = after > this.#revision ? after : this.#revision;
        waiting.resolve({ kind: "changes", changes: [], revision, isLast: true });
      });
      this.#waiting.add(waiting);
    });
  }
}

function pageOf(
  changes: readonly Change[],
  { range, after, revision }: { readonly range: KeyRange; readonly after: bigint; readonly revision: bigint },
): ChangesPage | undefined {
  const found = changes.filter((change) => revisionOf(change) > after && isIn(range, keyOf(change)));
  return found.length > 0 ? changesPage(found, revision) : undefined;
}

/** The changes as the store has them now. A revision that it has not reached is one that it has lost. */
async function storedChanges(store: FedStore, range: KeyRange, after: bigint): Promise<ChangesPage | Compacted> {
  try {
    return await store.changes(range, after);
  } catch (error) {
    if (!(error instanceof RegistryError) || error.code !== "STORE_UNAVAILABLE") throw error;
    const page = await store.range({ ...range, limit: 1 });
    // It may have passed that revision since, with other changes.
    const wasBehind = error.details["asked"] === after;
    if (page.kind === "page" && (wasBehind || page.revision < after))
      return { kind: "compacted", oldest: page.revision };
    throw error;
  }
}

function keyOf(change: Change): string {
  return change.kind === "put" ? change.record.key : change.key;
}

function bytesOf(change: Change): number {
  return change.kind === "put" ? change.record.value.length : 0;
}

function closed(): RegistryError {
  return fail("STORE_UNAVAILABLE", { reason: "this node stops" });
}
