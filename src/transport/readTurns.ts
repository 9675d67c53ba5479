// Bounds the client input that one turn of the event loop processes. Node reads every readable socket, and up to 2 MiB
// of each, before it looks at anything else: in a storm of registrations that took seconds, in which links to other
// nodes fell silent and were closed, and nothing could be handed on. Here input beyond a turn's time waits for the next
// turn, in the order of arrival, and its sockets are not read meanwhile.

import type { Clock } from "../base/ports.ts";

// Well below the time that a health check or a link notices, and far above the cost of switching between turns.
const TURN_MS_MAX = 20;

export class ReadTurns {
  readonly #clock: Clock;
  #waiting: (() => void)[] = [];
  #taken = 0;
  #endMs = 0;
  #isUnderWay = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether new input may be taken at once: the turn has time left, and no earlier input waits. */
  hasTime(nowMs: number): boolean {
    if (!this.#isUnderWay) this.#begin(nowMs);
    return this.#taken === this.#waiting.length && nowMs < this.#endMs;
  }

  /** Calls `take` in a later turn, after all that waits already. */
  later(take: () => void): void {
    this.#waiting.push(take);
  }

  #begin(nowMs: number): void {
    this.#isUnderWay = true;
    this.#endMs = nowMs + TURN_MS_MAX;
    setImmediate(() => this.#end());
  }

  /** Runs after all readable sockets of this turn; timers and everything else have their turn before the next. */
  #end(): void {
    this.#isUnderWay = false;
    if (this.#taken === this.#waiting.length) return;
    this.#begin(this.#clock.nowMs());
    while (this.#taken < this.#waiting.length && this.#clock.nowMs() < this.#endMs) {
      this.#waiting[this.#taken++]?.();
    }
    if (this.#taken * 2 < this.#waiting.length) return;
    this.#waiting = this.#waiting.slice(this.#taken);
    this.#taken = 0;
  }
}
