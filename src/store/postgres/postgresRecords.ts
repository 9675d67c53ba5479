// Records in PostgreSQL, shared by all meta nodes of a cluster. Every change is one statement that is its own
// transaction. The server runs it to its end or not at all, even if we or the network fail meanwhile, so no node that
// was stopped in the middle holds a lock that the others wait for.

import { fail } from "../../base/errors.ts";
import type { Cancel } from "../../base/ports.ts";
import {
  CHANGES_MAX,
  checkedLimit,
  checkRange,
  HISTORY_BYTES_MAX,
  HISTORY_REVISIONS_MAX,
  OPERATIONS_MAX,
  RANGE_BYTES_MAX,
} from "../../records/bounds.ts";
import { behind, changesPage, rangePage } from "../../records/pages.ts";
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
  RangePage,
  RangeQuery,
  Records,
  StoredRecord,
  Watcher,
} from "../../records/records.ts";
import { Watches } from "../../records/watches.ts";
import { Witness } from "../../records/witness.ts";
import { DamagedColumn, type Row, readVersion } from "../columns.ts";
import { GroupCommit } from "../groupCommit.ts";
import { HOST_TIMERS } from "../hostTimers.ts";
import type { SqlValue } from "./connection.ts";
import { Connections } from "./connections.ts";
import { Listening } from "./listening.ts";
import { PostgresLease } from "./postgresLease.ts";
import { CHANGES, COMPACT, commitStatement, rangeStatement } from "./recordStatements.ts";
import { isUpToDate, MIGRATION_MS, migrate } from "./schema.ts";
import { type Target, targetOf } from "./target.ts";

export interface PostgresOptions {
  /** The schema with our tables, `roster` by default; it is created if it is missing. */
  readonly schema?: string;
}

/**
 * Opens the store at a `postgres://` URL and brings its tables up to date. Throws CONFIG_INVALID for an invalid URL,
 * STORE_SCHEMA_NEWER if a newer release has written tables that this one can't use, and STORE_UNAVAILABLE with the
 * reason for everything else. The store survives any outage of the database: each call is tried anew.
 */
export async function openPostgresRecords(url: string, options: PostgresOptions = {}): Promise<Records> {
  const target = targetOf(url, options.schema ?? "roster");
  const connections = new Connections(target);
  try {
    const isCurrent = await connections.use((ask) => isUpToDate(ask, target.schema));
    if (!isCurrent) await connections.use((ask) => migrate(ask, target.schema), MIGRATION_MS);
    return new PostgresRecords(target, connections);
  } catch (error) {
    await connections.close();
    throw error;
  }
}

// A page ends with the first commit beyond CHANGES_MAX; one more row shows whether anything follows.
const CHANGE_ROWS = CHANGES_MAX + OPERATIONS_MAX + 1;

class PostgresRecords implements Records {
  readonly place: Readonly<Record<string, string>>;
  readonly #connections: Connections;
  readonly #lease: PostgresLease;
  readonly #listening: Listening;
  readonly #witness = new Witness();
  readonly #group = new GroupCommit((commits) => this.#write(commits));
  readonly #watches = new Watches((range, after) => this.changes(range, after), HOST_TIMERS);
  #isClosed = false;

  constructor(target: Target, connections: Connections) {
    this.place = { server: target.server };
    this.#connections = connections;
    this.#lease = new PostgresLease(connections);
    this.#listening = new Listening(target, () => this.#watches.wake());
  }

  async range(query: RangeQuery): Promise<RangePage | Compacted> {
    const limit = checkedLimit(query);
    const { at } = query;
    const seen = this.#witness.revision;
    const values = [...boundsOf(query), limit + 1, RANGE_BYTES_MAX];
    const rows =
      at === undefined ? this.#ask(rangeStatement("now"), values) : this.#ask(rangeStatement("at"), [...values, at]);
    return this.#read(await rows, seen, (found, { newest, oldest }) => {
      const revision = at ?? newest;
      if (revision > newest) throw behind(revision, newest);
      if (revision < oldest) return { kind: "compacted", oldest };
      return rangePage(found.map(readRecord), { limit, revision });
    });
  }

  async commit(commit: Commit): Promise<CommitOutcome> {
    this.#checkOpen();
    return this.#group.commit(commit);
  }

  async changes(range: KeyRange, after: bigint): Promise<ChangesPage | Compacted> {
    checkRange(range);
    const seen = this.#witness.revision;
    const rows = await this.#ask(CHANGES, [...boundsOf(range), CHANGE_ROWS, RANGE_BYTES_MAX, after]);
    return this.#read(rows, seen, (found, { newest, oldest }) => {
      if (after > newest) throw behind(after, newest);
      if (after < oldest) return { kind: "compacted", oldest };
      return changesPage(found.map(readChange), newest);
    });
  }

  watch(range: KeyRange, after: bigint, watcher: Watcher): Cancel {
    this.#checkOpen();
    const cancelWatch = this.#watches.add(range, after, watcher);
    const cancelListening = this.#listening.need();
    return () => {
      cancelWatch();
      cancelListening();
    };
  }

  async compact(oldest: bigint): Promise<void> {
    await this.#ask(COMPACT, [oldest]);
  }

  async acquireLease(candidate: LeaseCandidate, leaseMs: number): Promise<LeaderLease> {
    return this.#lease.acquire(candidate, leaseMs, this.#witness.revision);
  }

  async releaseLease(epoch: bigint): Promise<void> {
    await this.#lease.release(epoch);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#watches.close();
    await this.#listening.close();
    await this.#connections.close();
  }

  async #write(commits: readonly Commit[]): Promise<readonly CommitOutcome[]> {
    const seen = this.#witness.revision;
    const contents: Uint8Array[] = [];
    const texts = commits.map((commit) => this.#textOf(commit, contents));
    const isFenced = commits.some(({ conditions }) => conditions.some(({ kind }) => kind === "leads"));
    const kept = [HISTORY_REVISIONS_MAX, HISTORY_BYTES_MAX];
    const values = [JSON.stringify(texts), String(isFenced), seen, ...kept, ...contents];
    const [row] = await this.#ask(commitStatement(contents.length), values);
    const answers = row?.["answers"];
    if (typeof answers === "string") throw this.#witness.refusal(BigInt(answers));
    if (!Array.isArray(answers)) throw new DamagedColumn("function record_commit is not ours");
    const outcomes = commits.map((commit, at) => outcomeOf(commit, answers[at]));
    for (const outcome of outcomes) if (outcome.kind === "committed") this.#witness.note(outcome.revision);
    this.#watches.wake();
    return outcomes;
  }

  /** The commit as record_commit takes it; its contents are appended to `contents`. */
  #textOf({ conditions, operations }: Commit, contents: Uint8Array[]) {
    const isMet = (condition: Condition) =>
      condition.kind === "leads"
        ? ["leads", String(condition.epoch), this.#lease.holderOf(condition.epoch)]
        : ["revision", hexOf(condition.key), String(condition.revision)];
    const made = operations.map((operation) => {
      // PostgreSQL counts from 1.
      if (operation.kind === "put") return [hexOf(operation.key), contents.push(operation.value)];
      return [hexOf(operation.key), null];
    });
    return { if: conditions.map(isMet), do: made };
  }

  async #ask(sql: string, values: readonly SqlValue[]): Promise<readonly Row[]> {
    return (await this.#connections.use((ask) => ask(sql, ...values))).rows;
  }

  /** Reads rows behind the head of the table, as of their common moment. */
  #read<Answer>(
    rows: readonly Row[],
    seen: bigint,
    read: (found: readonly Row[], head: { readonly newest: bigint; readonly oldest: bigint }) => Answer,
  ): Promise<Answer> {
    return this.#connections.reading(() => {
      const [first] = rows;
      if (first === undefined) throw new DamagedColumn("table record_head has no row");
      // A standby may be behind, and is never read.
      if (first["read_only"] === "on") throw this.#connections.readOnly();
      const head = { newest: readVersion(first, "newest"), oldest: readVersion(first, "oldest") };
      this.#witness.check(head.newest, seen);
      return read(first["key"] === null ? [] : rows, head);
    });
  }

  #checkOpen(): void {
    if (this.#isClosed) throw fail("STORE_UNAVAILABLE", { reason: "the store is closed" });
  }
}

/** An answer of record_commit: a revision, or the number of the condition that did not hold. */
function outcomeOf({ conditions }: Commit, answer: unknown): CommitOutcome {
  if (typeof answer === "string") return { kind: "committed", revision: BigInt(answer) };
  const condition = typeof answer === "number" ? conditions[answer] : undefined;
  if (condition === undefined) throw new DamagedColumn("function record_commit is not ours");
  return { kind: "refused", condition };
}

function boundsOf({ from, to }: KeyRange): readonly [Uint8Array, Uint8Array | null] {
  return [Buffer.from(from), to === "" ? null : Buffer.from(to)];
}

function hexOf(key: string): string {
  return Buffer.from(key).toString("hex");
}

function readRecord(row: Row): StoredRecord {
  const value = row["value"];
  return {
    key: readKey(row),
    // Left out at the end of a page that is full; the page ends before it.
    value: value instanceof Uint8Array ? value : NOTHING,
    revision: readVersion(row, "revision"),
    createdRevision: readVersion(row, "created_revision"),
  };
}

function readChange(row: Row): Change {
  if (row["is_deleted"] === true) return { kind: "deleted", key: readKey(row), revision: readVersion(row, "revision") };
  return { kind: "put", record: readRecord(row) };
}

function readKey(row: Row): string {
  const key = row["key"];
  if (!(key instanceof Buffer)) throw new DamagedColumn("table record_version: key is not bytes");
  return key.toString();
}

const NOTHING = new Uint8Array(0);
