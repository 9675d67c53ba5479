// Runs one role on virtual time, as server/stepper.ts does on real time: events in, and a wake-up when the role asks
// for one.

import type { Cancel } from "../../base/ports.ts";
import type { Scheduler } from "../scheduler.ts";

interface SteppedRole<Event> {
  step(event: Event, nowMs: number): void;
  nextWakeMs(): number;
}

export interface HostEnvironment {
  readonly scheduler: Scheduler;
  /** How far this node's clock is off. */
  readonly offsetMs: number;
  readonly failed: (error: unknown) => void;
}

/** A process that starts connects first, where it can, and then speaks. */
export const BOOT_MS = 1;

export class RoleHost<Event> {
  readonly #role: SteppedRole<Event | { kind: "woken" }>;
  readonly #environment: HostEnvironment;
  #cancelWake: Cancel = () => undefined;
  #wakeMs = Number.POSITIVE_INFINITY;
  #isClosed = false;

  constructor(role: SteppedRole<Event | { kind: "woken" }>, environment: HostEnvironment) {
    this.#role = role;
    this.#environment = environment;
  }

  /** The node's own time. */
  get nowMs(): number {
    return this.#environment.scheduler.nowMs + this.#environment.offsetMs;
  }

  step(event: Event | { kind: "woken" }): void {
    if (this.#isClosed) return;
    try {
      this.#role.step(event, this.nowMs);
      this.#arm();
    } catch (error) {
      this.close();
      this.#environment.failed(error);
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelWake();
  }

  #arm(): void {
    const wakeMs = this.#role.nextWakeMs();
    if (wakeMs >= this.#wakeMs || wakeMs === Number.POSITIVE_INFINITY) return;
    this.#cancelWake();
    this.#wakeMs = wakeMs;
    // Real timers have whole milliseconds and never fire early.
    this.#cancelWake = this.#environment.scheduler.at(Math.ceil(wakeMs - this.#environment.offsetMs), () => {
      this.#wakeMs = Number.POSITIVE_INFINITY;
      this.step({ kind: "woken" });
    });
  }
}
