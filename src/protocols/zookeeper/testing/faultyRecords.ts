// A store that is away at times, for one node or for all, and whose commits may be made without an answer. Faults come
// from a seed.

import { fail } from "../../../base/errors.ts";
import type { Commit, Records } from "../../../records/records.ts";

/** Numbers from a seed, in [0, 1). */
export function dice(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface Faults {
  readonly next: () => number;
  /** The part of commits that are answered as unknown; half of these are made. */
  readonly unknownPart: number;
  /** A bug of the test's own. */
  readonly planted?: "conditions are ignored" | undefined;
}

export class FaultyRecords implements Pick<Records, "range" | "commit" | "changes" | "watch"> {
  readonly #records: Records;
  readonly #faults: Faults;
  /** This node does not reach it. */
  isAway = false;
  #held: (() => void)[] = [];

  constructor(records: Records, faults: Faults) {
    this.#records = records;
    this.#faults = faults;
  }

  async range(query: Parameters<Records["range"]>[0]) {
    this.#check();
    return this.#records.range(query);
  }

  async changes(...asked: Parameters<Records["changes"]>) {
    this.#check();
    return this.#records.changes(...asked);
  }

  async commit(commit: Commit) {
    this.#check();
    const { next, unknownPart, planted } = this.#faults;
    const isUnknown = next() < unknownPart;
    if (isUnknown && next() < 0.5) throw fail("STORE_OUTCOME_UNKNOWN", { reason: "a fault of the test" });
    const made = planted === "conditions are ignored" ? { ...commit, conditions: [] } : commit;
    const outcome = await this.#records.commit(made);
    if (isUnknown) throw fail("STORE_OUTCOME_UNKNOWN", { reason: "a fault of the test" });
    return outcome;
  }

  watch(...[range, after, watcher]: Parameters<Records["watch"]>) {
    return this.#records.watch(range, after, {
      compacted: (oldest) => watcher.compacted(oldest),
      changed: (changes, revision) => {
        if (this.isAway || this.#held.length > 0) this.#held.push(() => watcher.changed(changes, revision));
        else watcher.changed(changes, revision);
      },
    });
  }

  /** The store is reached again: changes come that were missed. */
  return(): void {
    this.isAway = false;
    const held = this.#held;
    this.#held = [];
    for (const tell of held) tell();
  }

  #check(): void {
    if (this.isAway) throw fail("STORE_UNAVAILABLE", { reason: "a fault of the test" });
  }
}
