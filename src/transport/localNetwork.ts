// The network between roles that run in one process. It delivers in order, never inside the sender's own step, and
// loses nothing; otherwise roles talk through it exactly as they would across machines.

import type { Clock } from "../base/ports.ts";

// After this the sockets have their turn, for as long (readTurns.ts). A number of deliveries would not do: the input of
// one turn may cause a thousand small ones, and with 500 a turn those behind them waited half a second and more.
const TURN_MS_MAX = 20;

/** Queues deliveries and runs them in order, after the step that caused them. */
export class LocalNetwork {
  readonly #clock: Clock;
  #queue: (() => void)[] = [];
  #head = 0;
  #isScheduled = false;
  #isClosed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Runs `deliver` soon, after everything that was sent before it. */
  send(deliver: () => void): void {
    if (this.#isClosed) return;
    this.#queue.push(deliver);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => this.#drain());
  }

  /** Drops everything under way; nothing is delivered any more. */
  close(): void {
    this.#isClosed = true;
    this.#queue = [];
    this.#head = 0;
  }

  // A delivery may send again: that is delivered here too, before any socket is read, but not without end.
  #drain(): void {
    const endMs = this.#clock.nowMs() + TURN_MS_MAX;
    try {
      while (this.#head < this.#queue.length && this.#clock.nowMs() < endMs) this.#queue[this.#head++]?.();
    } finally {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
      this.#isScheduled = this.#queue.length > 0;
      if (this.#isScheduled) setImmediate(() => this.#drain());
    }
  }
}
