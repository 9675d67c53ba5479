// Records in SQLite. One table has every version of every key: `until` is the revision that took its place, NULL for
// the present one; a version without a value is a deletion. So a read as of a revision, the changes after one, and the
// present are three questions to the same rows, and compaction deletes those whose time was over.

import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { defined } from "../../base/assert.ts";
import { fail } from "../../base/errors.ts";
import type { Cancel } from "../../base/ports.ts";
import { checkedLimit, checkRange, HISTORY_BYTES_MAX, oldestToKeep } from "../../records/bounds.ts";
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
  Operation,
  RangePage,
  RangeQuery,
  Records,
  StoredRecord,
  Watcher,
} from "../../records/records.ts";
import { Watches } from "../../records/watches.ts";
import { DamagedColumn, type Row, readBigint, readTable, readVersion } from "../columns.ts";
import { GroupCommit } from "../groupCommit.ts";
import { HOST_TIMERS } from "../hostTimers.ts";
import type { LocalLease } from "../localLease.ts";
import { guarded } from "./failure.ts";
import { inTransaction } from "./inTransaction.ts";

const RECORD_COLUMNS = "key, revision, created_revision, value";
const IN_RANGE = "key >= ?1 AND (?2 = '' OR key < ?2)";

const READ_NOW = `SELECT ${RECORD_COLUMNS} FROM record_version WHERE ${IN_RANGE} AND until IS NULL ORDER BY key`;
const READ_AT = `SELECT ${RECORD_COLUMNS} FROM record_version
  WHERE ${IN_RANGE} AND revision <= ?3 AND (until IS NULL OR until > ?3) ORDER BY key`;
const READ_CHANGES = `SELECT ${RECORD_COLUMNS} FROM record_version
  WHERE revision > ?3 AND ${IN_RANGE} ORDER BY revision, key`;

/** The numbers of the whole table. */
interface Head {
  readonly revision: bigint;
  readonly oldest: bigint;
  /** The bytes of values that are not present ones. */
  readonly historyBytes: bigint;
}

interface SqliteRecordsParts {
  readonly file: string;
  readonly database: DatabaseSync;
  readonly lease: LocalLease;
  /** Closes the file; may be called twice. */
  readonly close: () => void;
}

export class SqliteRecords implements Records {
  readonly place: Readonly<Record<string, string>>;
  readonly #parts: SqliteRecordsParts;
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #group = new GroupCommit(async (commits) => this.#writeGroup(commits));
  readonly #watches = new Watches((range, after) => this.changes(range, after), HOST_TIMERS);
  #isClosed = false;

  constructor(parts: SqliteRecordsParts) {
    this.place = { file: parts.file };
    this.#parts = parts;
    this.#database = parts.database;
  }

  async range(query: RangeQuery): Promise<RangePage | Compacted> {
    return this.#guarded(() => {
      const limit = checkedLimit(query);
      const head = this.#head();
      const { from, to, at = head.revision } = query;
      if (at > head.revision) throw behind(at, head.revision);
      if (at < head.oldest) return { kind: "compacted", oldest: head.oldest };
      const rows =
        at === head.revision
          ? this.#statement(READ_NOW).iterate(from, to)
          : this.#statement(READ_AT).iterate(from, to, at);
      return rangePage(recordsOf(rows), { limit, revision: at });
    });
  }

  async commit(commit: Commit): Promise<CommitOutcome> {
    this.#checkOpen();
    return this.#group.commit(commit);
  }

  async changes(range: KeyRange, after: bigint): Promise<ChangesPage | Compacted> {
    return this.#guarded(() => {
      checkRange(range);
      const { revision, oldest } = this.#head();
      if (after > revision) throw behind(after, revision);
      if (after < oldest) return { kind: "compacted", oldest };
      const rows = this.#statement(READ_CHANGES).iterate(range.from, range.to, after);
      return changesPage(changesOf(rows), revision);
    });
  }

  watch(range: KeyRange, after: bigint, watcher: Watcher): Cancel {
    this.#checkOpen();
    return this.#watches.add(range, after, watcher);
  }

  async compact(oldest: bigint): Promise<void> {
    this.#guarded(() => inTransaction(this.#database, () => this.#compact(oldest)));
  }

  async acquireLease(candidate: LeaseCandidate, leaseMs: number): Promise<LeaderLease> {
    return this.#guarded(() => this.#parts.lease.acquire(candidate, leaseMs, () => this.#nextLeaseEpoch()));
  }

  async releaseLease(epoch: bigint): Promise<void> {
    this.#checkOpen();
    this.#parts.lease.release(epoch);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#watches.close();
    this.#parts.close();
  }

  #writeGroup(commits: readonly Commit[]): readonly CommitOutcome[] {
    const outcomes: CommitOutcome[] = [];
    this.#guarded(() =>
      inTransaction(this.#database, () => {
        for (const commit of commits) outcomes.push(this.#write(commit));
        this.#boundHistory();
      }),
    );
    this.#watches.wake();
    return outcomes;
  }

  #write({ conditions, operations }: Commit): CommitOutcome {
    const unmet = conditions.find((condition) => !this.#holds(condition));
    if (unmet !== undefined) return { kind: "refused", condition: unmet };
    const { revision: newest } = this.#head();
    const next = newest + 1n;
    let isChanged = false;
    for (const operation of operations) isChanged = this.#make(operation, next) || isChanged;
    if (!isChanged) return { kind: "committed", revision: newest };
    this.#change("UPDATE record_head SET revision = ?", next);
    return { kind: "committed", revision: next };
  }

  #holds(condition: Condition): boolean {
    if (condition.kind === "leads") return this.#parts.lease.isInForce(condition.epoch);
    const [row] = this.#rows("SELECT revision FROM record_version WHERE key = ? AND until IS NULL", condition.key);
    return (row === undefined ? 0n : readVersion(row, "revision")) === condition.revision;
  }

  /** False if there was nothing to delete. */
  #make(operation: Operation, revision: bigint): boolean {
    const { key } = operation;
    const replace =
      "UPDATE record_version SET until = ? WHERE key = ? AND until IS NULL RETURNING created_revision, length(value) AS bytes";
    const [replaced] = this.#rows(replace, revision, key);
    if (replaced !== undefined) {
      this.#change("UPDATE record_head SET history_bytes = history_bytes + ?", readVersion(replaced, "bytes"));
    }
    const insert = "INSERT INTO record_version (key, revision, created_revision, value, until) VALUES (?, ?, ?, ?, ?)";
    const created = replaced === undefined ? revision : readVersion(replaced, "created_revision");
    if (operation.kind === "put") return this.#change(insert, key, revision, created, operation.value, null);
    return replaced !== undefined && this.#change(insert, key, revision, created, null, revision);
  }

  #boundHistory(): void {
    const head = this.#head();
    const oldest = oldestToKeep(head.revision, head.oldest);
    this.#compact(head.historyBytes > HISTORY_BYTES_MAX ? this.#oldestOfHalf(oldest) : oldest);
  }

  /** The oldest revision of a history with half the bytes that it may have. */
  #oldestOfHalf(oldest: bigint): bigint {
    const sql = "SELECT until, length(value) AS bytes FROM record_version WHERE until IS NOT NULL ORDER BY until DESC";
    let bytes = 0;
    for (const row of this.#statement(sql).iterate()) {
      bytes += row["bytes"] === null ? 0 : Number(readBigint(row, "bytes"));
      if (bytes > HISTORY_BYTES_MAX / 2) return readBigint(row, "until");
    }
    return oldest;
  }

  #compact(oldest: bigint): void {
    const head = this.#head();
    if (oldest <= head.oldest) return;
    this.#change("DELETE FROM record_version WHERE until <= ?", oldest);
    const left = "(SELECT coalesce(sum(length(value)), 0) FROM record_version WHERE until IS NOT NULL)";
    this.#change(`UPDATE record_head SET oldest = ?, history_bytes = ${left}`, oldest);
  }

  #nextLeaseEpoch(): bigint {
    const sql = `INSERT INTO leader_lease (id, epoch) VALUES (1, 1)
      ON CONFLICT DO UPDATE SET epoch = epoch + 1 RETURNING epoch`;
    return readBigint(defined(this.#rows(sql)[0], "a row that was just written is there"), "epoch");
  }

  #head(): Head {
    const rows = this.#rows("SELECT revision, oldest, history_bytes FROM record_head");
    const [head] = readTable("record_head", rows, (row) => ({
      revision: readVersion(row, "revision"),
      oldest: readVersion(row, "oldest"),
      historyBytes: readVersion(row, "history_bytes"),
    }));
    if (head === undefined) throw new DamagedColumn("table record_head has no row");
    return head;
  }

  #guarded<T>(work: () => T): T {
    this.#checkOpen();
    return guarded(this.#parts.file, work);
  }

  #checkOpen(): void {
    if (this.#isClosed) throw fail("STORE_UNAVAILABLE", { file: this.#parts.file, reason: "the store is closed" });
  }

  #rows(sql: string, ...values: readonly SQLInputValue[]): readonly Row[] {
    return this.#statement(sql).all(...values);
  }

  /** Runs a writing statement; true if it changed anything. */
  #change(sql: string, ...values: readonly SQLInputValue[]): boolean {
    return this.#statement(sql).run(...values).changes !== 0n;
  }

  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    // Revisions are 64-bit; as a JavaScript number SQLite would round them.
    statement.setReadBigInts(true);
    this.#statements.set(sql, statement);
    return statement;
  }
}

function* recordsOf(rows: Iterable<Row>): Generator<StoredRecord> {
  for (const row of rows) yield readRecord(row, bytesIn(row));
}

function* changesOf(rows: Iterable<Row>): Generator<Change> {
  for (const row of rows) {
    const value = row["value"];
    if (value === null) yield { kind: "deleted", key: keyOf(row), revision: readVersion(row, "revision") };
    else yield { kind: "put", record: readRecord(row, bytesIn(row)) };
  }
}

function readRecord(row: Row, value: Uint8Array): StoredRecord {
  const revision = readVersion(row, "revision");
  return { key: keyOf(row), value, revision, createdRevision: readVersion(row, "created_revision") };
}

function keyOf(row: Row): string {
  const key = row["key"];
  if (typeof key !== "string") throw new DamagedColumn("table record_version: key is not text");
  return key;
}

function bytesIn(row: Row): Uint8Array {
  const value = row["value"];
  if (!(value instanceof Uint8Array))
    throw new DamagedColumn(`table record_version: the value of ${keyOf(row)} is not bytes`);
  return value;
}
