// A session reports when it has no subscribers of a service any more. That report may be lost with its link, or with
// the session, and an empty service has no change that would reveal it. So the node goes over its datums, a few at a
// time, and forgets sessions that have not asked for long.

import type { Datum } from "./datum.ts";
import type { Slots } from "./slots.ts";

// Some 0.2 ms of work. A million services take less than five minutes, ten thousand three seconds.
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

  /** Continues where it ended the last time, and drops datums that are no longer needed. */
  step(nowMs: number): void {
    this.#rest ??= ledDatums(this.#slots);
    for (let step = 0; step < DATUMS_PER_STEP; step++) {
      const { value: datum, done } = this.#rest.next();
      if (done === true) {
        this.#rest = undefined;
        return;
      }
      datum.interest.forgetBefore(nowMs - this.#interestMs);
      // The slot may be another node's since the round began.
      if (datum.isIdle) this.#slots.ledSlot(datum.slot)?.contents.dropIfIdle(datum);
    }
  }
}

/** Datums added or removed meanwhile may or may not be among them; the next round sees them. */
function* ledDatums(slots: Slots): Generator<Datum> {
  for (const { contents } of slots.led()) yield* contents.datums.values();
}
