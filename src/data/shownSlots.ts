// Slots that have begun to be served: sessions that wait for their services are answered. A promoted node begins with
// hundreds of slots at once; work that does not fit in one step follows in the next ones.

import type { Datum } from "./datum.ts";
import type { LedSlot } from "./ledSlot.ts";

// A service without waiting sessions takes 0.2 µs, an answer some twenty.
const WORK_PER_STEP = 50_000;
const WORK_PER_ANSWER = 100;

export class ShownSlots {
  #rests: Iterator<Datum>[] = [];

  /** The slot is to be shown. */
  add(slot: LedSlot): void {
    this.#rests.push(slot.contents.datums.values());
  }

  nextMs(): number {
    return this.#rests.length === 0 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  }

  /** The datums to be shown next, as many as one step may; some may be other nodes' by now. */
  *next(): Generator<Datum> {
    let left = WORK_PER_STEP;
    let done = 0;
    for (const rest of this.#rests) {
      for (let next = rest.next(); next.done !== true; next = rest.next()) {
        left -= 1 + WORK_PER_ANSWER * next.value.interest.waitingSize;
        yield next.value;
        if (left <= 0) break;
      }
      if (left <= 0) break;
      done++;
    }
    if (done > 0) this.#rests = this.#rests.slice(done);
  }
}
