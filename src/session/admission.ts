// How many registrations a session takes in a second. Beyond that it refuses them with an error upon which clients try
// again, half a second later as a rule: a storm after the death of another session is spread out, and nobody who is
// served already waits behind it.

import { fail, type RegistryError } from "../base/errors.ts";

/** A bucket of as many registrations as come in a second, filled as time passes. */
export class Admission {
  readonly #perSecond: number;
  #left: number;
  #filledMs: number;

  constructor(perSecond: number, nowMs: number) {
    this.#perSecond = perSecond;
    this.#left = perSecond;
    this.#filledMs = nowMs;
  }

  /** Counts one registration; the error to answer it with if it is one too many. */
  refusal(nowMs: number): RegistryError | undefined {
    this.#fill(nowMs);
    if (this.#left < 1) return fail("OVERLOADED", { perSecondMax: this.#perSecond });
    this.#left--;
    return undefined;
  }

  #fill(nowMs: number): void {
    const came = ((nowMs - this.#filledMs) / 1_000) * this.#perSecond;
    this.#left = Math.min(this.#perSecond, this.#left + came);
    this.#filledMs = nowMs;
  }
}
