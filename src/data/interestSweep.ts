// A session says when it has no subscribers of a service any more. That word may be lost with its link, or with the
// session, and no change of an empty service comes along to find it out. So the node goes over its datums, a few at a
// time, and forgets who has not asked for long.

import type { Datum } from "./datum.ts";
import type { LedSlot, Slots } from "./slots.ts";

// Some 0.2 ms of work. A million services are gone over in less than five minutes, ten thousand in three seconds.
const DATUMS_PER_STEP = 4_000;

export class InterestSweep {
  readonly #slots: Slots;
  readonly #interestMs: number;
  #rest: Iterator<Datum> | undefined;

  /** An interest that was not repeated for `interestMs` is forgotten. */
  constructor(slots: Slots, interestMs: number) {
    this.#slots = slots;
    this.#interestMs = interestMs;
  }

  /** Goes on where it ended the last time; `idle` hears of datums that nobody needs any more. */
  step(nowMs: number, idle: (slot: LedSlot, datum: Datum) => void): void {
    this.#rest ??= ledDatums(this.#slots);
    for (let step = 0; step < DATUMS_PER_STEP; step++) {
      const { value: datum, done } = this.#rest.next();
      if (done === true) {
        this.#rest = undefined;
        return;
      }
      for (const [session, sinceMs] of datum.interested) {
        if (sinceMs < nowMs - this.#interestMs) datum.interested.delete(session);
      }
      // It may be another node's since the round began.
      const slot = datum.isIdle ? this.#slots.ledSlot(datum.slot) : undefined;
      if (slot !== undefined) idle(slot, datum);
    }
  }
}

/** What is added or removed meanwhile may be among it or not; the next round sees it. */
function* ledDatums(slots: Slots): Generator<Datum> {
  for (const { contents } of slots.led()) yield* contents.datums.values();
}
