// The registrations of sessions that did not come back within their lease, removed a part at a time: a million services
// at once would hold up all other work for seconds. A session that is back before all are gone keeps the rest, and is
// compared like any other.

import type { NodeId } from "../model/ids.ts";
import type { Datum } from "./datum.ts";
import type { LedSlot } from "./ledSlot.ts";
import type { Sessions } from "./sessions.ts";
import type { Slots } from "./slots.ts";

/** A session's end in one slot. */
export interface SessionEnd {
  readonly slot: LedSlot;
  readonly session: NodeId;
  /** It answers for at least one publication in this slot. */
  readonly isOwner: boolean;
  /** Registrations for which living sessions were asked first. */
  readonly offered: ReadonlySet<string>;
}

/** Ends the session for one service; returns the number of registrations that go. */
type End = (end: SessionEnd, datum: Datum) => number;

// Checking a service takes a microsecond, removing from one some ten: five milliseconds a step.
const WORK_PER_STEP = 4_000;
const WORK_PER_REMOVAL = 8;

export class EndedSessions {
  readonly #slots: Pick<Slots, "ledSlot">;
  readonly #sessions: Pick<Sessions, "isAbsent">;
  #ends: (SessionEnd & { readonly rest: Iterator<Datum> })[] = [];

  constructor({ slots, sessions }: { slots: Pick<Slots, "ledSlot">; sessions: Pick<Sessions, "isAbsent"> }) {
    this.#slots = slots;
    this.#sessions = sessions;
  }

  get isDone(): boolean {
    return this.#ends.length === 0;
  }

  add(end: SessionEnd): void {
    // A Map may change while it is iterated: removed entries are skipped, added ones come last.
    this.#ends.push({ ...end, rest: end.slot.contents.datums.values() });
  }

  /** Does as much of it as a step may take. */
  work(endOne: End): void {
    let left = WORK_PER_STEP;
    let done = 0;
    for (const end of this.#ends) {
      if (this.#isOn(end)) left = this.#go(end, endOne, left);
      if (left <= 0) break;
      done++;
    }
    if (done > 0) this.#ends = this.#ends.slice(done);
  }

  #isOn({ slot, session }: SessionEnd): boolean {
    return this.#slots.ledSlot(slot.contents.slot) === slot && this.#sessions.isAbsent(session);
  }

  /** Continues in one slot; returns the rest of the step, which is nothing if the slot is not done. */
  #go(end: SessionEnd & { readonly rest: Iterator<Datum> }, endOne: End, max: number): number {
    let left = max;
    while (left > 0) {
      const next = end.rest.next();
      if (next.done === true) return left;
      left -= 1 + WORK_PER_REMOVAL * endOne(end, next.value);
    }
    return 0;
  }
}
