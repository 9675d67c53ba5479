// Slots that have begun to be served: sessions that wait for their services are answered. A promoted node begins with
// hundreds of slots at once; work that does not fit in one step follows in the next ones.

import type { Datum } from "./datum.ts";
import type { LedSlot } from "./slots.ts";

// A service without waiting sessions takes 0.2 µs, an answer some twenty.
const WORK_PER_STEP = 50_000;
const WORK_PER_ANSWER = 100;

export class ShownSlots {
  readonly #show: (datum: Datum) => void;
  #rests: Iterator<Datum>[] = [];
  #left = WORK_PER_STEP;

  /** `show` knows whether a datum may still be shown. */
  constructor(show: (datum: Datum) => void) {
    this.#show = show;
  }

  /** The slot is shown now, as far as the step goes. */
  add(slot: LedSlot): void {
    const rest = slot.contents.datums.values();
    if (this.#rests.length > 0 || !this.#isDone(rest)) this.#rests.push(rest);
  }

  nextMs(): number {
    return this.#rests.length === 0 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  }

  /** Continues the work left by earlier steps. The step ends with this. */
  work(): void {
    let done = 0;
    for (const rest of this.#rests) {
      if (!this.#isDone(rest)) break;
      done++;
    }
    if (done > 0) this.#rests = this.#rests.slice(done);
    this.#left = WORK_PER_STEP;
  }

  #isDone(rest: Iterator<Datum>): boolean {
    while (this.#left > 0) {
      const next = rest.next();
      if (next.done === true) return true;
      this.#left -= 1 + WORK_PER_ANSWER * next.value.waiting.size;
      this.#show(next.value);
    }
    return false;
  }
}
