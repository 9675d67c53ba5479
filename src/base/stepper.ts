// Drives one role: passes events with the time, and wakes the role when it asks for it. Roles have no timers of their
// own.

import type { Cancel, Clock, Timers } from "./ports.ts";

/** The interface of every role towards its host. */
export interface SteppedRole<Event> {
  step(event: Event, nowMs: number): void;
  nextWakeMs(): number;
}

export interface StepperEnvironment {
  readonly clock: Clock;
  readonly timers: Timers;
  /** Reports a broken invariant of the role: its state can't be trusted any more, so the node must end. */
  readonly failed: (error: unknown) => void;
}

export class Stepper<Event> {
  readonly #role: SteppedRole<Event | { kind: "woken" }>;
  readonly #environment: StepperEnvironment;
  #cancelWake: Cancel = () => undefined;
  #wakeMs = Number.POSITIVE_INFINITY;
  #isClosed = false;

  constructor(role: SteppedRole<Event | { kind: "woken" }>, environment: StepperEnvironment) {
    this.#role = role;
    this.#environment = environment;
  }

  step(event: Event | { kind: "woken" }, nowMs = this.#environment.clock.nowMs()): void {
    if (this.#isClosed) return;
    try {
      this.#role.step(event, nowMs);
      this.#arm(nowMs);
    } catch (error) {
      this.close();
      this.#environment.failed(error);
    }
  }

  /** Stops stepping the role. May be called twice. */
  close(): void {
    this.#isClosed = true;
    this.#cancelWake();
  }

  // A timer that fires a little early costs one empty step; resetting it at each step would cost more.
  #arm(nowMs: number): void {
    const wakeMs = this.#role.nextWakeMs();
    if (wakeMs >= this.#wakeMs || wakeMs === Number.POSITIVE_INFINITY) return;
    this.#cancelWake();
    this.#wakeMs = wakeMs;
    this.#cancelWake = this.#environment.timers.after(wakeMs - nowMs, (firedMs) => {
      this.#wakeMs = Number.POSITIVE_INFINITY;
      this.step({ kind: "woken" }, firedMs);
    });
  }
}
