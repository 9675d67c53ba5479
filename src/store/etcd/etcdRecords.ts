// Records in etcd, for those who run it already. etcd has everything that the interface asks for; only two things are
// ours. Every commit that changes something writes the key `head` too, so a follower knows how far it has to read. And
// a commit that was refused reads its keys in the same transaction, and so knows the condition that did not hold.
//
// etcd has one history for all that use it, so it is left to etcd's own compaction, unless store-url says that this
// etcd is Roster's alone. Commits are not grouped here: etcd groups the requests of all its clients in its own log.

import { fail, RegistryError } from "../../base/errors.ts";
import type { Cancel } from "../../base/ports.ts";
import {
  CHANGES_MAX,
  checkCommit,
  checkedLimit,
  checkRange,
  HISTORY_REVISIONS_MAX,
  RANGE_BYTES_MAX,
} from "../../records/bounds.ts";
import { compareKeys, isIn, keyAfter } from "../../records/keys.ts";
import { behind, changesPage, rangePage, revisionOf } from "../../records/pages.ts";
import type {
  Change,
  ChangesPage,
  Commit,
  CommitOutcome,
  Compacted,
  Condition,
  KeyRange,
  LeaderLease,
  LeaseCandidate,
  Operation,
  RangePage,
  RangeQuery,
  Records,
  StoredRecord,
  Watcher,
} from "../../records/records.ts";
import { Watches } from "../../records/watches.ts";
import { Witness } from "../../records/witness.ts";
import { DamagedColumn } from "../columns.ts";
import { HOST_TIMERS } from "../hostTimers.ts";
import { type Etcd, EtcdCalls } from "./etcdCalls.ts";
import { EtcdLease } from "./etcdLease.ts";
import type { Json } from "./exchange.ts";
import { isCompacted, isFuture } from "./failure.ts";
import { HeadWatch } from "./headWatch.ts";
import {
  changeOf,
  Keys,
  leaseIs,
  numberIn,
  pairsIn,
  recordOf,
  revisionIn,
  revisionIs,
  revisionIsFrom,
} from "./messages.ts";
import { type EtcdTarget, etcdTargetOf } from "./target.ts";

/**
 * Opens the store at an `etcd://` URL. Throws CONFIG_INVALID for an invalid URL, and STORE_UNAVAILABLE with the reason
 * for everything else. The store survives any outage of etcd: each call is tried anew. After etcd was restored from a
 * backup every call throws STORE_UNAVAILABLE, also those for the lease: the process has to be started anew.
 */
export async function openEtcdRecords(url: string): Promise<Records> {
  const records = new EtcdRecords(etcdTargetOf(url));
  try {
    await records.range({ from: "", to: "", limit: 1 });
    return records;
  } catch (error) {
    await records.close();
    throw error;
  }
}

// Of the first question for a page. The next ones are as large as the values allow.
const FIRST_RECORDS = 32;

/**
 * etcd takes so many comparisons, or operations, of one transaction; of a transaction within it, as many as the outer
 * one leaves of them.
 */
const PARTS_MAX = 128;
/** Beside the comparisons of a commit, little more than a hundred, there is room for this many operations within. */
const OPERATIONS_WITHIN = 20;

/** History is compacted after so many commits of this process. */
const COMPACT_COMMITS = HISTORY_REVISIONS_MAX / 4;

class EtcdRecords implements Records {
  readonly place: Readonly<Record<string, string>>;
  readonly #calls: EtcdCalls;
  readonly #keys: Keys;
  readonly #lease: EtcdLease;
  readonly #headWatch: HeadWatch;
  readonly #compacts: boolean;
  readonly #witness = new Witness();
  readonly #watches = new Watches((range, after) => this.changes(range, after), HOST_TIMERS);
  /** The last revision of the head that was seen: a commit is not made in an etcd that has lost it. */
  #head = 0n;
  /** etcd was restored from a backup. Its revisions, given anew, would soon look like those that this process knows. */
  #hasLost = false;
  #commits = 0;
  #isClosed = false;

  constructor(target: EtcdTarget) {
    this.place = { server: target.server };
    this.#compacts = target.compacts;
    this.#calls = new EtcdCalls(target);
    this.#keys = new Keys(target.prefix);
    this.#lease = new EtcdLease(this.#keys);
    this.#headWatch = new HeadWatch(this.#calls, this.#keys.head, () => this.#watches.wake());
  }

  async range(query: RangeQuery): Promise<RangePage | Compacted> {
    const limit = checkedLimit(query);
    const seen = this.#witness.revision;
    return this.#calls.use(async (etcd) => {
      try {
        return await this.#page(etcd, query, { limit, seen });
      } catch (error) {
        if (isCompacted(error)) return { kind: "compacted", oldest: await this.#oldest(etcd) };
        if (isFuture(error)) throw behind(query.at ?? 0n, this.#witness.revision);
        throw error;
      }
    });
  }

  async commit(commit: Commit): Promise<CommitOutcome> {
    checkCommit(commit);
    const { conditions, operations } = commit;
    const seen = this.#witness.revision;
    const demands = [...conditions.map((condition) => this.#demand(condition)), ...this.#demandHead()];
    const compare = demands.flatMap((demand) => demand.compare);
    const request = {
      compare,
      success: this.#requests(operations, compare.length),
      failure: demands.map(({ key }) => ({ request_range: { key } })),
    };
    const outcome = await this.#calls.use(async ({ ask }): Promise<CommitOutcome> => {
      const answer = await ask("/v3/kv/txn", request);
      const revision = revisionIn(answer);
      this.#check(revision, seen);
      if (answer["succeeded"] === true) return { kind: "committed", revision };
      const condition = conditions[unmet(demands, answer)];
      if (condition === undefined) throw this.#lost(revision);
      return { kind: "refused", condition };
    });
    if (outcome.kind === "refused") return outcome;
    if (operations.some(({ kind }) => kind === "put")) this.#noteHead(outcome.revision);
    this.#watches.wake();
    if (this.#compacts) await this.#boundHistory(outcome.revision);
    return outcome;
  }

  async changes(range: KeyRange, after: bigint): Promise<ChangesPage | Compacted> {
    checkRange(range);
    const seen = this.#witness.revision;
    return this.#calls.use(async (etcd) => {
      const { newest, last } = await this.#readHead(etcd, seen);
      if (after > newest) throw behind(after, newest);
      if (last <= after) return { kind: "changes", changes: [], revision: newest, isLast: true };
      return this.#changesUpTo(etcd, { range, after, last, newest });
    });
  }

  watch(range: KeyRange, after: bigint, watcher: Watcher): Cancel {
    if (this.#isClosed) throw fail("STORE_UNAVAILABLE", { reason: "the store is closed" });
    const cancelWatch = this.#watches.add(range, after, watcher);
    const cancelHead = this.#headWatch.need();
    return () => {
      cancelWatch();
      cancelHead();
    };
  }

  /** Compacts the history of all that use this etcd, if store-url says that it is Roster's alone; else nothing. */
  compact(oldest: bigint): Promise<void> {
    const seen = this.#witness.revision;
    return this.#calls.use(async (etcd) => {
      const { newest } = await this.#readHead(etcd, seen);
      const goal = oldest < newest ? oldest : newest;
      if (goal <= 0n || !this.#compacts) return;
      try {
        await etcd.ask("/v3/kv/compaction", { revision: String(goal) });
      } catch (error) {
        // It was done before, by us or by another.
        if (!isCompacted(error)) throw error;
      }
    });
  }

  acquireLease(candidate: LeaseCandidate, leaseMs: number): Promise<LeaderLease> {
    const seen = this.#witness.revision;
    return this.#calls.use(async (etcd) => {
      await this.#readHead(etcd, seen);
      return this.#lease.acquire(etcd, candidate, leaseMs);
    });
  }

  releaseLease(epoch: bigint): Promise<void> {
    return this.#calls.use((etcd) => this.#lease.release(etcd, epoch));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#watches.close();
    this.#headWatch.close();
    await this.#calls.close();
  }

  async #page(
    { ask }: Etcd,
    { from, to, at }: RangeQuery,
    { limit, seen }: { readonly limit: number; readonly seen: bigint },
  ): Promise<RangePage> {
    const records: StoredRecord[] = [];
    let revision = at;
    let { key, range_end } = this.#keys.range({ from, to });
    for (let wanted = Math.min(limit, FIRST_RECORDS); ; ) {
      const asOf = revision === undefined ? {} : { revision: String(revision) };
      const answer = await ask("/v3/kv/range", { key, range_end, limit: String(wanted), ...asOf });
      this.#check(revisionIn(answer), seen);
      revision ??= revisionIn(answer);
      for (const pair of pairsIn(answer)) {
        const name = this.#keys.recordKey(pair["key"]);
        if (name !== undefined) records.push(recordOf(name, pair));
      }
      const page = rangePage(records, { limit, revision });
      const last = records.at(-1);
      if (!page.isLast || answer["more"] !== true || last === undefined) return page;
      const bytes = records.reduce((sum, { value }) => sum + value.length, 0);
      if (records.length >= limit || bytes > RANGE_BYTES_MAX) return { ...page, isLast: false };
      const average = Math.max(1, bytes / records.length);
      wanted = Math.max(1, Math.min(limit - records.length, Math.ceil((RANGE_BYTES_MAX - bytes) / average)));
      key = this.#keys.record(keyAfter(last.key));
    }
  }

  /** Reads the changes until the head has the revision `last`, or a page is full. */
  #changesUpTo({ find }: Etcd, { range, after, last, newest }: Following): Promise<ChangesPage | Compacted> {
    const found: Change[] = [];
    let bytes = 0;
    // From the revision before the first that is asked for: a watch that begins at the compacted revision is allowed,
    // and lacks the deletions of that revision.
    const start = after > 1n ? after : 1n;
    return find({ ...this.#keys.all, start_revision: String(start) }, (answer) => {
      if (answer["compact_revision"] !== undefined) {
        return { kind: "compacted", oldest: numberIn(answer, "compact_revision") };
      }
      let reached = 0n;
      for (const event of eventsIn(answer)) {
        const pair = event["kv"] as Json;
        reached = numberIn(pair, "mod_revision");
        const isAsked = reached > after && reached <= newest;
        const key = isAsked ? this.#keys.recordKey(pair["key"]) : undefined;
        if (key === undefined || !isIn(range, key)) continue;
        const change = changeOf(key, event, pair);
        found.push(change);
        if (change.kind === "put") bytes += change.record.value.length;
      }
      if (reached >= last) return changesPage(inOrder(found), newest);
      if (found.length <= CHANGES_MAX && bytes <= RANGE_BYTES_MAX) return undefined;
      return { ...changesPage(inOrder(found), reached), isLast: false };
    });
  }

  /** The oldest revision that can be read; 0 if nothing was compacted. */
  async #oldest(etcd: Etcd): Promise<bigint> {
    const { newest } = await this.#readHead(etcd, this.#witness.revision);
    // A watch from the first revision is told at once how much of that is gone.
    const oldest = await etcd.find({ key: this.#keys.head, start_revision: "1" }, (answer) => {
      if (answer["compact_revision"] !== undefined) return numberIn(answer, "compact_revision");
      return answer["created"] === true ? undefined : 0n;
    });
    return oldest > newest ? newest : oldest;
  }

  #demand(condition: Condition): Demand {
    if (condition.kind === "leads") {
      const { lease: key } = this.#keys;
      const { epoch } = condition;
      const id = this.#lease.idOf(epoch);
      const isMet = (pair: Json) =>
        numberIn(pair, "create_revision") === epoch && numberIn(pair, "lease") === BigInt(id);
      return { key, compare: leaseIs(key, { epoch, id }), isMet };
    }
    const key = this.#keys.record(condition.key);
    const { revision } = condition;
    return { key, compare: [revisionIs(key, revision)], isMet: (pair) => numberIn(pair, "mod_revision") === revision };
  }

  /** An etcd that was restored from a backup has an older head, and takes no commit of a process that knows better. */
  #demandHead(): readonly Demand[] {
    const { head: key } = this.#keys;
    const known = this.#head;
    if (known === 0n) return [];
    return [{ key, compare: [revisionIsFrom(key, known)], isMet: (pair) => numberIn(pair, "mod_revision") >= known }];
  }

  #noteHead(revision: bigint): void {
    if (revision > this.#head) this.#head = revision;
  }

  /** The newest revision, and that of our last commit. */
  async #readHead({ ask }: Etcd, seen: bigint): Promise<{ readonly newest: bigint; readonly last: bigint }> {
    const known = this.#head;
    const answer = await ask("/v3/kv/range", { key: this.#keys.head });
    const newest = revisionIn(answer);
    this.#check(newest, seen);
    const [head] = pairsIn(answer);
    const last = head === undefined ? 0n : numberIn(head, "mod_revision");
    if (last < known) throw this.#lost(newest);
    this.#noteHead(last);
    return { newest, last };
  }

  /** etcd has answered with its newest revision; `seen` was known before the question. */
  #check(revision: bigint, seen: bigint): void {
    if (revision < seen || this.#hasLost) throw this.#lost(revision);
    this.#witness.note(revision);
  }

  #lost(revision: bigint): RegistryError {
    this.#hasLost = true;
    return fail("STORE_UNAVAILABLE", {
      ...this.place,
      reason: "etcd has lost changes that it had acknowledged, as one that was restored from a backup",
      revision,
      seen: this.#witness.revision,
      advice: "restart this node, and all other meta nodes",
    });
  }

  #requests(operations: readonly Operation[], comparisons: number): readonly Json[] {
    const made = operations.map((operation): Json => {
      const key = this.#keys.record(operation.key);
      if (operation.kind === "delete") return { request_delete_range: { key } };
      return { request_put: { key, value: Buffer.from(operation.value).toString("base64") } };
    });
    const putHead = { request_put: { key: this.#keys.head } };
    if (operations.some(({ kind }) => kind === "put")) return inParts([...made, putHead]);
    // Of so many deletions etcd can't say whether one finds something. A revision without a change does no harm.
    if (comparisons + made.length + 1 > PARTS_MAX) return inParts([...made, putHead]);
    const absent = operations.map(({ key }) => revisionIs(this.#keys.record(key), 0n));
    return [{ request_txn: { compare: absent, failure: [...made, putHead] } }];
  }

  async #boundHistory(revision: bigint): Promise<void> {
    this.#commits += 1;
    const oldest = revision - BigInt(HISTORY_REVISIONS_MAX);
    if (this.#commits < COMPACT_COMMITS || oldest <= 0n) return;
    this.#commits = 0;
    try {
      await this.compact(oldest);
    } catch (error) {
      // The commit is made. The history is compacted after as many more.
      if (!(error instanceof RegistryError)) throw error;
    }
  }
}

/** A condition as etcd compares it. */
interface Demand {
  readonly key: string;
  readonly compare: readonly Json[];
  /** Whether the key as it was found meets it; an empty object if it is not there. */
  isMet(pair: Json): boolean;
}

interface Following {
  readonly range: KeyRange;
  readonly after: bigint;
  readonly last: bigint;
  readonly newest: bigint;
}

/** The number of the first demand that did not hold, by what was found in the same transaction. */
function unmet(demands: readonly Demand[], answer: Json): number {
  const responses = Array.isArray(answer["responses"]) ? (answer["responses"] as readonly Json[]) : [];
  const at = demands.findIndex(({ isMet }, number) => {
    const [pair] = pairsIn((responses[number]?.["response_range"] ?? {}) as Json);
    return !isMet(pair ?? {});
  });
  if (at < 0) throw new DamagedColumn("etcd refuses a commit whose conditions hold");
  return at;
}

/** All of the requests in one transaction. */
function inParts(requests: readonly Json[]): readonly Json[] {
  if (requests.length <= PARTS_MAX) return requests;
  const parts: Json[] = [];
  for (let at = 0; at < requests.length; at += OPERATIONS_WITHIN) {
    parts.push({ request_txn: { success: requests.slice(at, at + OPERATIONS_WITHIN) } });
  }
  return parts;
}

function eventsIn(answer: Json): readonly Json[] {
  return Array.isArray(answer["events"]) ? (answer["events"] as readonly Json[]) : [];
}

function inOrder(changes: readonly Change[]): readonly Change[] {
  const keyOf = (change: Change) => (change.kind === "put" ? change.record.key : change.key);
  return changes.toSorted((a, b) => Number(revisionOf(a) - revisionOf(b)) || compareKeys(keyOf(a), keyOf(b)));
}
