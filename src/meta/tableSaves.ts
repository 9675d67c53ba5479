// Slot tables on their way to the store.

import type { SlotTable } from "../model/slot.ts";
import type { Commit } from "../records/records.ts";
import { type TableSave, tableCommit } from "./slotKeeper.ts";

export class TableSaves {
  readonly #commit: (commit: Commit) => number;
  /** By the numbers of their commits. */
  readonly #underWay = new Map<number, SlotTable>();

  /** `commit` makes a commit, and returns the number under which the answer comes. */
  constructor(commit: (commit: Commit) => number) {
    this.#commit = commit;
  }

  save(save: TableSave, leaseEpoch: bigint): void {
    this.#underWay.set(this.#commit(tableCommit(save, leaseEpoch)), save.table);
  }

  /** The store has answered: takes the table of this commit, if it was one of a table. */
  take(commit: number): SlotTable | undefined {
    const table = this.#underWay.get(commit);
    this.#underWay.delete(commit);
    return table;
  }
}
