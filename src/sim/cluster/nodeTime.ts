// A process's own clock and timers in virtual time: what base/stepper.ts drives a role with, as the server does with
// real ones. The clock is off by what the machine's was when the process started, and runs a little fast or slow.

import type { Clock, Timers } from "../../base/ports.ts";
import type { Gate } from "../network/gate.ts";
import type { Scheduler } from "../scheduler.ts";

/** A process that starts connects first, where it can, and then speaks. */
export const BOOT_MS = 1;

export interface NodeTime {
  readonly clock: Clock;
  readonly timers: Timers;
}

/** How a machine's clock differs from true time: by so much now, and by so much more with every millisecond. */
export interface ClockError {
  readonly offsetMs: number;
  /** 0.01 is one percent fast. */
  readonly drift: number;
}

/** The time of a process that starts now. */
export function nodeTime(scheduler: Scheduler, gate: Gate, { offsetMs, drift }: ClockError): NodeTime {
  const startMs = scheduler.nowMs;
  const rate = 1 + drift;
  const nowMs = () => Math.floor(startMs + offsetMs + (scheduler.nowMs - startMs) * rate);
  return {
    clock: { nowMs },
    timers: {
      // Real timers have whole milliseconds and never fire early.
      after(delayMs, run) {
        const waitMs = Math.max(0, Math.ceil(delayMs / rate));
        let isCancelled = false;
        const fire = () => {
          if (!isCancelled) run(nowMs());
        };
        const cancel = scheduler.after(waitMs, () => gate.timer(fire));
        return () => {
          isCancelled = true;
          cancel();
        };
      },
    },
  };
}
