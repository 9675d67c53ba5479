// The obvious store: every version of every key in memory. It is the oracle of the shared suite, the store of tests,
// and the database of the simulation. Pure and synchronous.

import { assert } from "../base/assert.ts";
import { checkCommit, checkedLimit, checkRange, oldestToKeep } from "./bounds.ts";
import { compareKeys, isIn } from "./keys.ts";
import { behind, changesPage, rangePage, revisionOf } from "./pages.ts";
import type {
  Change,
  ChangesPage,
  Commit,
  CommitOutcome,
  Compacted,
  Condition,
  KeyRange,
  Operation,
  RangePage,
  RangeQuery,
  StoredRecord,
} from "./records.ts";

/** One value of a key, from its revision on until another takes its place; undefined: the key is not there. */
interface Entry {
  readonly revision: bigint;
  readonly record: StoredRecord | undefined;
}

export class RecordTable {
  /** The values of each key, oldest first. */
  #entries: ReadonlyMap<string, readonly Entry[]> = new Map();
  #revision = 0n;
  #oldest = 0n;

  get revision(): bigint {
    return this.#revision;
  }

  /** The same content, which goes its own way from now on. */
  copy(): RecordTable {
    const copy = new RecordTable();
    copy.#entries = this.#entries;
    copy.#revision = this.#revision;
    copy.#oldest = this.#oldest;
    return copy;
  }

  /** `leads` says whether a lease epoch is in force. */
  commit(commit: Commit, leads: (epoch: bigint) => boolean): CommitOutcome {
    checkCommit(commit);
    const unmet = commit.conditions.find((condition) => !this.#holds(condition, leads));
    if (unmet !== undefined) return { kind: "refused", condition: unmet };
    const changing = commit.operations.filter(({ kind, key }) => kind === "put" || this.#current(key) !== undefined);
    if (changing.length === 0) return { kind: "committed", revision: this.#revision };
    this.#revision += 1n;
    const entries = new Map(this.#entries);
    for (const operation of changing) {
      entries.set(operation.key, [...(entries.get(operation.key) ?? []), this.#entryOf(operation)]);
    }
    this.#entries = entries;
    this.compact(oldestToKeep(this.#revision, this.#oldest));
    return { kind: "committed", revision: this.#revision };
  }

  range(query: RangeQuery): RangePage | Compacted {
    const limit = checkedLimit(query);
    const { at = this.#revision } = query;
    if (at > this.#revision) throw behind(at, this.#revision);
    if (at < this.#oldest) return { kind: "compacted", oldest: this.#oldest };
    const records = this.#keys(query).flatMap((key) => {
      const record = this.#entries.get(key)?.findLast(({ revision }) => revision <= at)?.record;
      return record === undefined ? [] : [{ ...record, value: record.value.slice() }];
    });
    return rangePage(records, { limit, revision: at });
  }

  changes(range: KeyRange, after: bigint): ChangesPage | Compacted {
    checkRange(range);
    if (after > this.#revision) throw behind(after, this.#revision);
    if (after < this.#oldest) return { kind: "compacted", oldest: this.#oldest };
    const all: Change[] = [];
    const isChanged = (entries: readonly Entry[]) => (entries.at(-1)?.revision ?? 0n) > after;
    for (const key of this.#keys(range, isChanged)) {
      for (const { revision, record } of this.#entries.get(key) ?? []) {
        if (revision <= after) continue;
        if (record === undefined) all.push({ kind: "deleted", key, revision });
        else all.push({ kind: "put", record: { ...record, value: record.value.slice() } });
      }
    }
    // A stable sort: the changes of one commit stay in the order of keys.
    all.sort((a, b) => Number(revisionOf(a) - revisionOf(b)));
    return changesPage(all, this.#revision);
  }

  /** Forgets everything that only a read as of before `oldest` would show. */
  compact(oldest: bigint): void {
    assert(oldest <= this.#revision, "the present is not compacted");
    if (oldest <= this.#oldest) return;
    this.#oldest = oldest;
    const entries = new Map<string, readonly Entry[]>();
    for (const [key, all] of this.#entries) {
      const first = all.findLastIndex(({ revision }) => revision <= oldest);
      const kept = all.slice(Math.max(0, first));
      if (kept[0]?.record === undefined && (kept[0]?.revision ?? 0n) <= oldest) kept.shift();
      if (kept.length > 0) entries.set(key, kept);
    }
    this.#entries = entries;
  }

  /** Continues above a revision that this copy has lost; changes from before it can't be followed any more. */
  raise(revision: bigint): void {
    if (revision <= this.#revision) return;
    this.#revision = revision + 1n;
    this.compact(this.#revision);
  }

  /** The keys of a range whose values are wanted, in order. The test by values is the cheaper one. */
  #keys(range: KeyRange, isWanted: (entries: readonly Entry[]) => boolean = () => true): string[] {
    const keys: string[] = [];
    for (const [key, entries] of this.#entries) if (isWanted(entries) && isIn(range, key)) keys.push(key);
    return keys.sort(compareKeys);
  }

  #current(key: string): StoredRecord | undefined {
    return this.#entries.get(key)?.at(-1)?.record;
  }

  #holds(condition: Condition, leads: (epoch: bigint) => boolean): boolean {
    if (condition.kind === "leads") return leads(condition.epoch);
    return (this.#current(condition.key)?.revision ?? 0n) === condition.revision;
  }

  #entryOf(operation: Operation): Entry {
    const revision = this.#revision;
    if (operation.kind === "delete") return { revision, record: undefined };
    const { key, value } = operation;
    const createdRevision = this.#current(key)?.createdRevision ?? revision;
    return { revision, record: { key, value: value.slice(), revision, createdRevision } };
  }
}
