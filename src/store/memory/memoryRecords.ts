// Records in memory: the pure table behind the interface. The database lives apart from the stores that are opened on
// it, so that a test opens several, as meta nodes do, closes one and opens it again, or has it fail over to a copy.

import { fail } from "../../base/errors.ts";
import type { Cancel } from "../../base/ports.ts";
import type {
  ChangesPage,
  Commit,
  CommitOutcome,
  Compacted,
  KeyRange,
  LeaderLease,
  LeaseCandidate,
  RangePage,
  RangeQuery,
  Records,
  Watcher,
} from "../../records/records.ts";
import { RecordTable } from "../../records/recordTable.ts";
import { Watches } from "../../records/watches.ts";
import { Witness } from "../../records/witness.ts";
import { HOST_TIMERS } from "../hostTimers.ts";
import type { NowMs } from "../localLease.ts";

interface HeldLease extends LeaseCandidate {
  readonly epoch: bigint;
  readonly endMs: number;
}

interface Content {
  readonly table: RecordTable;
  readonly lease: HeldLease | undefined;
}

/** The content that survives a close, and the clock that counts the lease. */
export class MemoryDatabase {
  readonly nowMs: NowMs;
  table = new RecordTable();
  lease: HeldLease | undefined;
  /** Called after every commit. */
  readonly wakes = new Set<() => void>();

  constructor(nowMs: NowMs = () => performance.now()) {
    this.nowMs = nowMs;
  }

  copy(): Content {
    return { table: this.table.copy(), lease: this.lease };
  }

  /** Goes on with a copy, as a database does that fails over to one. */
  failOver({ table, lease }: Content): void {
    this.table = table.copy();
    this.lease = lease;
  }
}

/** Opens a database for one process; several may be open at a time. */
export async function openMemoryRecords(database = new MemoryDatabase()): Promise<Records> {
  return new MemoryRecords(database);
}

class MemoryRecords implements Records {
  readonly place = { store: "memory" };
  #database: MemoryDatabase | undefined;
  readonly #witness = new Witness();
  readonly #watches = new Watches((range, after) => this.changes(range, after), HOST_TIMERS);
  readonly #wake = () => this.#watches.wake();
  /** The last lease given to this process. After a fail-over its epoch may be given a second time, to another. */
  #lease: { readonly epoch: bigint; readonly holder: string } | undefined;

  constructor(database: MemoryDatabase) {
    this.#database = database;
    database.wakes.add(this.#wake);
  }

  async range(query: RangeQuery): Promise<RangePage | Compacted> {
    return this.#current().table.range(query);
  }

  async commit(commit: Commit): Promise<CommitOutcome> {
    const { table, wakes } = this.#current();
    const outcome = table.commit(commit, (epoch) => this.#leads(epoch));
    this.#witness.note(table.revision);
    for (const wake of wakes) wake();
    return outcome;
  }

  async changes(range: KeyRange, after: bigint): Promise<ChangesPage | Compacted> {
    return this.#current().table.changes(range, after);
  }

  watch(range: KeyRange, after: bigint, watcher: Watcher): Cancel {
    return this.#watches.add(range, after, watcher);
  }

  async compact(oldest: bigint): Promise<void> {
    this.#current().table.compact(oldest);
  }

  async acquireLease({ holder, address }: LeaseCandidate, leaseMs: number): Promise<LeaderLease> {
    const database = this.#open();
    const nowMs = database.nowMs();
    const held = database.lease;
    const isStanding = held !== undefined && held.endMs > nowMs;
    if (isStanding && held.holder !== holder) {
      return { epoch: held.epoch, holder: held.holder, address: held.address, remainingMs: held.endMs - nowMs };
    }
    // A holder whose store lost changes has to load everything again, as after a change of leader.
    const isBehind = database.table.revision < this.#witness.revision;
    const epoch = isStanding && !isBehind ? held.epoch : this.#nextEpoch(held?.epoch ?? 0n);
    database.table.raise(this.#witness.revision);
    this.#witness.note(database.table.revision);
    database.lease = { epoch, holder, address, endMs: nowMs + leaseMs };
    this.#lease = { epoch, holder };
    return { epoch, holder, address, remainingMs: leaseMs };
  }

  async releaseLease(epoch: bigint): Promise<void> {
    const database = this.#open();
    if (this.#leads(epoch) && database.lease !== undefined) {
      database.lease = { ...database.lease, endMs: database.nowMs() };
    }
  }

  async close(): Promise<void> {
    this.#watches.close();
    this.#database?.wakes.delete(this.#wake);
    this.#database = undefined;
  }

  #nextEpoch(stored: bigint): bigint {
    const own = this.#lease?.epoch ?? 0n;
    return (own > stored ? own : stored) + 1n;
  }

  #leads(epoch: bigint): boolean {
    const { lease, nowMs } = this.#open();
    const isOwn = this.#lease?.epoch === epoch && lease?.epoch === epoch && lease.holder === this.#lease.holder;
    return isOwn && lease.endMs > nowMs();
  }

  #open(): MemoryDatabase {
    if (this.#database === undefined) throw fail("STORE_UNAVAILABLE", { reason: "the store is closed" });
    return this.#database;
  }

  #current(): MemoryDatabase {
    const database = this.#open();
    this.#witness.check(database.table.revision, this.#witness.revision);
    return database;
  }
}
