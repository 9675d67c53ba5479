// What sessions answered for that did not come back within their lease, to be removed a part at a time: a million
// services at once would hold everybody up for seconds. A session that is back before it is all gone keeps the rest,
// and is asked what it has like any other.

import type { NodeId } from "../model/ids.ts";
import type { Datum } from "./datum.ts";
import type { LedSlot, Slots } from "./slots.ts";

/** A session's end in one slot. */
export interface SessionEnd {
  readonly slot: LedSlot;
  readonly session: NodeId;
  /** It answers for something in this slot. */
  readonly isOwner: boolean;
  /** What living sessions have been asked for first. */
  readonly offered: ReadonlySet<string>;
}

interface Effects {
  isAbsent(session: NodeId): boolean;
  /** Returns how many registrations go. */
  end(end: SessionEnd, datum: Datum): number;
}

// A service that is looked at takes a microsecond, one that loses something some ten: five milliseconds a step.
const WORK_PER_STEP = 4_000;
const WORK_PER_REMOVAL = 8;

export class EndedSessions {
  readonly #slots: Slots;
  readonly #effects: Effects;
  #ends: (SessionEnd & { readonly rest: Iterator<Datum> })[] = [];

  constructor(slots: Slots, effects: Effects) {
    this.#slots = slots;
    this.#effects = effects;
  }

  get isDone(): boolean {
    return this.#ends.length === 0;
  }

  add(end: SessionEnd): void {
    // A Map may change while it is iterated: what is removed is passed over, what is added comes last.
    this.#ends.push({ ...end, rest: end.slot.contents.datums.values() });
  }

  /** Does as much of it as a step may take. */
  work(): void {
    let left = WORK_PER_STEP;
    let done = 0;
    for (const end of this.#ends) {
      if (this.#isOn(end)) left = this.#go(end, left);
      if (left <= 0) break;
      done++;
    }
    if (done > 0) this.#ends = this.#ends.slice(done);
  }

  #isOn({ slot, session }: SessionEnd): boolean {
    return this.#slots.ledSlot(slot.contents.slot) === slot && this.#effects.isAbsent(session);
  }

  /** Goes on in one slot; returns what is left of the step, which is nothing if the slot is not done. */
  #go(end: SessionEnd & { readonly rest: Iterator<Datum> }, max: number): number {
    let left = max;
    while (left > 0) {
      const next = end.rest.next();
      if (next.done === true) return left;
      left -= 1 + WORK_PER_REMOVAL * this.#effects.end(end, next.value);
    }
    return 0;
  }
}
