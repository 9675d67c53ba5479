// The store under meta, in memory and on virtual time: fenced by the lease as it should be; it may be away, and its
// answers may be lost.

import type { NodeId } from "../../model/ids.ts";
import type { SlotTable } from "../../model/slot.ts";
import type { WholeRange } from "../../records/readAll.ts";
import type { Commit, CommitOutcome, LeaderLease, RangePage, RangeQuery } from "../../records/records.ts";
import { RecordTable } from "../../records/recordTable.ts";
import { APPS_PREFIX } from "../appRecords.ts";
import { type MetaState, metaStateOf } from "../metaRecords.ts";
import { readWhole, savedBy, tableWith } from "./storedState.ts";

/** The fate of a statement: without an answer it has failed, with an unknown outcome. */
export type Fault = "none" | "away" | "answer is lost";

export class FakeStore {
  #records = new RecordTable();
  fault: Fault = "none";
  /** Every table that was written, in order, with its lease. */
  readonly tables: { readonly table: SlotTable; readonly leaseEpoch: bigint }[] = [];
  #lease: { epoch: bigint; holder: NodeId; endMs: number } | undefined;

  get state(): MetaState {
    return metaStateOf(readWhole(this.#records).records);
  }

  /** The store has this now, as after a fail-over to an older copy. */
  set state(state: MetaState) {
    const { revision } = this.#records;
    this.#records = tableWith(state);
    this.#records.raise(revision);
  }

  acquireLease(holder: NodeId, leaseMs: number, nowMs: number): LeaderLease {
    const held = this.#lease;
    const isStanding = held !== undefined && held.endMs > nowMs;
    if (!isStanding || held.holder === holder) {
      const epoch = isStanding ? held.epoch : (held?.epoch ?? 0n) + 1n;
      this.#lease = { epoch, holder, endMs: nowMs + leaseMs };
    }
    const { epoch, holder: now, endMs } = this.#lease as { epoch: bigint; holder: NodeId; endMs: number };
    return { epoch, holder: now, address: `${now}:9611`, remainingMs: endMs - nowMs };
  }

  /** The lease in force lasts longer than its holder knows. */
  extendLease(byMs: number): void {
    if (this.#lease !== undefined) this.#lease.endMs += byMs;
  }

  releaseLease(epoch: bigint): void {
    if (this.#lease?.epoch === epoch) this.#lease.endMs = 0;
  }

  read(): WholeRange {
    return readWhole(this.#records);
  }

  range(query: RangeQuery): RangePage | undefined {
    const page = this.#records.range(query);
    return page.kind === "page" ? page : undefined;
  }

  commit(commit: Commit, nowMs: number): CommitOutcome {
    const outcome = this.#records.commit(commit, (epoch) => this.#isInForce(epoch, nowMs));
    if (commit.operations.some(({ key }) => key.startsWith(APPS_PREFIX))) return outcome;
    const saved = savedBy(commit);
    if (outcome.kind === "committed" && saved.kind === "table") this.tables.push(saved);
    return outcome;
  }

  #isInForce(epoch: bigint, nowMs: number): boolean {
    return this.#lease?.epoch === epoch && this.#lease.endMs > nowMs;
  }
}
