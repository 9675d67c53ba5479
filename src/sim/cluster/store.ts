// The database under meta as the meta nodes see it from afar: records that are strongly consistent, with a clock of its
// own that may jump, slow or away at times, and not always able to tell whether it has carried out a statement. A
// fail-over to a copy may lose the last commits.

import type { AccessSet } from "../../access/accessSet.ts";
import { assert } from "../../base/assert.ts";
import { ACCESS_PREFIX, accessIn } from "../../meta/accessRecords.ts";
import { META_PREFIX, type MetaState, metaStateOf, SLOT_PAUSE_RECORD } from "../../meta/metaRecords.ts";
import { rulesIn } from "../../meta/operatorRules.ts";
import type { StoredRules } from "../../meta/ruleKeeper.ts";
import { nodeId } from "../../model/ids.ts";
import { keysWith } from "../../records/keys.ts";
import type {
  KeyRange,
  LeaderLease,
  LeaseCandidate,
  RangePage,
  RangeQuery,
  StoredRecord,
} from "../../records/records.ts";
import type { RecordTable } from "../../records/recordTable.ts";
import type { MachineNetwork } from "../network/machineNetwork.ts";
import type { NetworkProcess } from "../network/nodeWire.ts";

/** Everything that is stored; it is never changed, only replaced. */
export interface StoreState {
  readonly table: RecordTable;
  readonly lease: { readonly epoch: bigint; readonly holder: string; readonly address: string; readonly endMs: number };
}

/** The effect of one statement: the answer, and the new state if it changes anything. */
export type Statement<Answer> = (state: StoreState, nowMs: number) => { answer: Answer; state?: StoreState };

interface Commit {
  readonly atMs: number;
  readonly before: StoreState;
}

/** The machine of the database, for partitions. */
export const STORE = "store";

// A client gives up a statement after this; the database may still carry it out.
const STATEMENT_MS_MAX = 4_000;
const DELAY_MS = 4;
const REFUSE_MS = 20;
// The slowest statement is done within this.
const SLOW_MS_MAX = 5_000;

const NO_LEASE: StoreState["lease"] = { epoch: 0n, holder: "", address: "", endMs: 0 };

export class Store {
  readonly #network: MachineNetwork;
  #state: StoreState;
  #commits: Commit[] = [];
  #read: { readonly table: RecordTable; readonly state: MetaState } | undefined;
  #clockOffsetMs = 0;
  #isDown = false;
  #delayMs = DELAY_MS;
  #unknownChance = 0;
  /** The time since which it has been well, earlier statements included; Infinity while it is not. */
  #wellMs = Number.NEGATIVE_INFINITY;

  constructor(network: MachineNetwork, table: RecordTable) {
    this.#network = network;
    this.#state = { table, lease: NO_LEASE };
  }

  /** The lease as stored, in force or not. */
  get lease(): StoreState["lease"] {
    return this.#state.lease;
  }

  /** The records of the role meta, as values. */
  get state(): MetaState {
    const { table } = this.#state;
    if (this.#read?.table !== table) this.#read = { table, state: metaStateOf(recordsIn(table)) };
    return this.#read.state;
  }

  /** The records of a range; there are few. */
  recordsUnder(range: KeyRange): readonly StoredRecord[] {
    return recordsUnder(this.#state.table, range);
  }

  /** The identities and policies among them. */
  get access(): AccessSet {
    return accessIn(recordsUnder(this.#state.table, keysWith(ACCESS_PREFIX)));
  }

  /** The operators' rules among them. */
  get rules(): StoredRules {
    return rulesIn(recordsIn(this.#state.table));
  }

  /** Whether operators pause the arrangement of slots, by its records. */
  get isSlotPauseKept(): boolean {
    return recordsIn(this.#state.table).some(({ key }) => key === SLOT_PAUSE_RECORD.prefix);
  }

  get nowMs(): number {
    return this.#network.scheduler.nowMs + this.#clockOffsetMs;
  }

  setDown(isDown: boolean): void {
    this.#isDown = isDown;
    this.#changed();
  }

  /** Statements take up to `delayMs` longer from now on; 0 for the usual time. */
  setSlow(delayMs: number): void {
    this.#delayMs = Math.max(DELAY_MS, delayMs);
    this.#changed();
  }

  /** From now on the answer to an executed statement is lost with this chance. */
  setUnknown(chance: number): void {
    this.#unknownChance = chance;
    this.#changed();
  }

  /** Statements from there are answered within some milliseconds, and have been for a while. */
  isWellFor(machine: string): boolean {
    const isReached = !this.#network.isBlocked(machine, STORE) && !this.#network.isBlocked(STORE, machine);
    return isReached && this.#network.scheduler.nowMs >= this.#wellMs;
  }

  jumpClock(byMs: number): void {
    this.#clockOffsetMs += byMs;
  }

  /** Forgets the history: who has not followed it has to read everything anew. */
  compact(): void {
    const table = this.#state.table.copy();
    table.compact(table.revision);
    this.#state = { ...this.#state, table };
  }

  /** Fails over to a copy that lacks the commits of the last `lostMs`. */
  failOver(lostMs: number): void {
    const sinceMs = this.#network.scheduler.nowMs - lostMs;
    const first = this.#commits.find(({ atMs }) => atMs >= sinceMs);
    if (first !== undefined) this.#state = first.before;
    this.#commits = [];
  }

  /** Sends a statement; `undefined` comes back for "failed, and the outcome is not known". */
  ask<Answer>(from: NetworkProcess, statement: Statement<Answer>, done: (answer: Answer | undefined) => void): void {
    if (!from.isRunning) return;
    const { scheduler, dice } = this.#network;
    let isDone = false;
    const finish = (answer: Answer | undefined) => {
      if (isDone) return;
      isDone = true;
      from.gate.message(() => done(answer));
    };
    scheduler.after(STATEMENT_MS_MAX, () => finish(undefined));
    const isLost = this.#network.isBlocked(from.machine, STORE);
    if (isLost) return;
    if (this.#isDown) return void scheduler.after(dice.below(REFUSE_MS), () => finish(undefined));
    scheduler.after(dice.below(1 + this.#delayMs), () => {
      if (this.#isDown) return finish(undefined);
      const answer = this.#execute(statement);
      const isAnswerLost = this.#network.isBlocked(STORE, from.machine) || dice.chance(this.#unknownChance);
      if (!isAnswerLost) scheduler.after(dice.below(1 + DELAY_MS), () => finish(answer));
    });
  }

  #changed(): void {
    const isWell = !this.#isDown && this.#delayMs === DELAY_MS && this.#unknownChance === 0;
    if (!isWell) this.#wellMs = Number.POSITIVE_INFINITY;
    else if (this.#wellMs === Number.POSITIVE_INFINITY) this.#wellMs = this.#network.scheduler.nowMs + SLOW_MS_MAX;
  }

  #execute<Answer>(statement: Statement<Answer>): Answer {
    const before = this.#state;
    const { answer, state } = statement(before, this.nowMs);
    if (state === undefined) return answer;
    const { nowMs: atMs } = this.#network.scheduler;
    this.#commits.push({ atMs, before });
    if (this.#commits.length > COMMITS_KEPT) this.#commits.shift();
    this.#state = state;
    return answer;
  }
}

// Enough for the longest loss of a fail-over.
const COMMITS_KEPT = 100;

/** All records of the role meta. */
export function recordsIn(table: RecordTable): readonly StoredRecord[] {
  const page = table.range(keysWith(META_PREFIX));
  assert(page.kind === "page" && page.isLast, "a simulated store has few records");
  return page.records;
}

/** The records of a range; there are few. */
export function recordsUnder(table: RecordTable, range: KeyRange): readonly StoredRecord[] {
  return pageIn(table, range)?.records ?? [];
}

/** A part of the records; undefined if it is gone, or not yet there. */
export function pageIn(table: RecordTable, query: RangeQuery): RangePage | undefined {
  if (query.at !== undefined && query.at > table.revision) return undefined;
  const page = table.range(query);
  return page.kind === "page" ? page : undefined;
}

/** The newest revision that a process has seen, and the last lease that it was given. */
export interface Known {
  readonly revision: bigint;
  readonly leaseEpoch: bigint;
}

/** Takes or renews the lead, by the rules of records/records.ts. */
export function acquireLease(candidate: LeaseCandidate, leaseMs: number, known: Known): Statement<LeaderLease> {
  return (state, nowMs) => {
    const { lease } = state;
    // A clock that was set back must not make a lease longer than the longest possible.
    const isStanding = lease.endMs > nowMs && lease.endMs <= nowMs + leaseMs;
    const isBehind = state.table.revision < known.revision;
    const table = isBehind ? raised(state.table, known.revision) : state.table;
    if (isStanding && lease.holder !== candidate.holder) {
      return { answer: leaseAt(lease, nowMs), ...(isBehind && { state: { ...state, table } }) };
    }
    const epoch = isStanding && !isBehind ? lease.epoch : larger(lease.epoch, known.leaseEpoch) + 1n;
    const taken = { ...candidate, epoch, endMs: nowMs + leaseMs };
    return { answer: leaseAt(taken, nowMs), state: { table, lease: taken } };
  };
}

export function releaseLease(epoch: bigint): Statement<true> {
  return (state) => {
    if (state.lease.epoch !== epoch) return { answer: true };
    return { answer: true, state: { ...state, lease: { ...state.lease, holder: "", endMs: 0 } } };
  };
}

/** Whether `holder` leads under this epoch. */
export function leads({ lease }: StoreState, holder: string, at: { epoch: bigint; nowMs: number }): boolean {
  return lease.epoch === at.epoch && lease.holder === holder && lease.endMs > at.nowMs;
}

function raised(table: RecordTable, revision: bigint): RecordTable {
  const copy = table.copy();
  copy.raise(revision);
  return copy;
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function leaseAt({ epoch, holder, address, endMs }: StoreState["lease"], nowMs: number): LeaderLease {
  return { epoch, holder: nodeId(holder), address, remainingMs: endMs - nowMs };
}
