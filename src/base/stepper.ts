// Drives one role: passes events with the time, wakes the role when it asks for it, and tells it when the process had
// stood still. Roles have no timers of their own.

import type { Cancel, Clock, Timers } from "./ports.ts";

/** The interface of every role towards its host. */
export interface SteppedRole<Event> {
  step(event: Event, nowMs: number): void;
  /** The time of the next `woken`. It changes in a step only. */
  nextWakeMs(): number;
  /**
   * The process stood still, or was busy, and wakes the role `lateMs` after the time that the role had asked for. Input
   * from that time may still be unread: a peer that seems late may have sent something. A step follows.
   */
  resumed(lateMs: number, nowMs: number): void;
}

// A timer that fires later than this was held up by the process, not by its clock.
const RESUMED_MS = 100;

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
  /** The time that the role asked for after its last step. A role that was never stepped has not stood still. */
  #dueMs = Number.POSITIVE_INFINITY;
  #isClosed = false;

  constructor(role: SteppedRole<Event | { kind: "woken" }>, environment: StepperEnvironment) {
    this.#role = role;
    this.#environment = environment;
  }

  step(event: Event | { kind: "woken" }, nowMs = this.#environment.clock.nowMs()): void {
    if (this.#isClosed) return;
    const lateMs = nowMs - this.#dueMs;
    try {
      if (lateMs > RESUMED_MS) this.#role.resumed(lateMs, nowMs);
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
    // It was closed in its own step.
    if (this.#isClosed) return;
    const wakeMs = this.#role.nextWakeMs();
    this.#dueMs = wakeMs;
    if (wakeMs >= this.#wakeMs || wakeMs === Number.POSITIVE_INFINITY) return;
    this.#cancelWake();
    this.#wakeMs = wakeMs;
    this.#cancelWake = this.#environment.timers.after(wakeMs - nowMs, (firedMs) => {
      this.#wakeMs = Number.POSITIVE_INFINITY;
      this.step({ kind: "woken" }, firedMs);
    });
  }
}
