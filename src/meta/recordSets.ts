// The sets of records that change when operators ask for it, and their commits on the way to the store.

import { fail, type RegistryError } from "../base/errors.ts";
import type { WholeRange } from "../records/readAll.ts";
import type { Commit } from "../records/records.ts";
import type { AnyRecordSet, LeadTerm } from "./recordSet.ts";
import { type CommitResult, type SaveOutcome, saveOutcome } from "./saveOutcome.ts";
import { SAVES_WAITING_MAX } from "./saveQueue.ts";

/** The effects of operators' changes: commits, and the answer to a request; no error means that the change was made. */
export interface RecordSetsOutput {
  /** Returns the number under which the store's answer comes. */
  commit(commit: Commit): number;
  answer(request: number, error: RegistryError | undefined): void;
  /** The answer to a request at a node that does not lead. */
  refusal(): RegistryError;
}

/** The end of a set's commit. */
export interface EndedCommit {
  readonly outcome: SaveOutcome;
  /** The term of the lead in which it was begun. */
  readonly term: number;
}

export class RecordSets {
  readonly #output: RecordSetsOutput;
  readonly #sets: readonly AnyRecordSet[];
  /** The set of each commit under way: one for each set at most. */
  readonly #underWay = new Map<number, AnyRecordSet>();

  constructor(output: RecordSetsOutput, sets: readonly AnyRecordSet[]) {
    this.#output = output;
    this.#sets = sets;
  }

  /** Takes what the store holds. Throws STORE_DAMAGED. */
  load(range: WholeRange, nowMs: number): void {
    for (const set of this.#sets) set.load(range, nowMs);
  }

  /** An operator's change. It is refused if too many wait already. */
  change<Change>(set: { add(request: number, change: Change): boolean }, request: number, change: Change): void {
    if (!set.add(request, change)) this.#output.answer(request, tooMany());
  }

  /** Saves the waiting changes, one of each set at a time. */
  begin(lead: LeadTerm, nowMs: number): void {
    for (const set of this.#sets) {
      for (const { request, error } of set.refuseNext()) this.#output.answer(request, error);
      const commit = set.begin(lead, nowMs);
      if (commit !== undefined) this.#underWay.set(this.#output.commit(commit), set);
    }
  }

  /** The store has answered. Returns undefined if the commit was not one of these. */
  committed(commit: number, result: CommitResult, nowMs: number): EndedCommit | undefined {
    const set = this.#underWay.get(commit);
    this.#underWay.delete(commit);
    const ended = set?.ended();
    if (ended === undefined) return undefined;
    this.#output.answer(ended.request, this.#errorOf(result));
    if (result.kind === "committed") ended.saved(result.revision, nowMs);
    return { outcome: saveOutcome(result), term: ended.term };
  }

  /** This node no longer leads. A save under way still gets its answer from the store. */
  refuseWaiting(): void {
    for (const set of this.#sets) {
      for (const request of set.clear()) this.#output.answer(request, this.#output.refusal());
    }
  }

  #errorOf(result: CommitResult): RegistryError | undefined {
    switch (result.kind) {
      case "committed":
        return undefined;
      case "refused":
        return this.#output.refusal();
      case "failed":
        return result.error;
      default:
        return fail("STORE_OUTCOME_UNKNOWN");
    }
  }
}

function tooMany(): RegistryError {
  return fail("STORE_UNAVAILABLE", {
    reason: "too many changes are waiting for the store",
    waiting: SAVES_WAITING_MAX,
  });
}
