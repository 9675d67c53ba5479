// A process's own clock and timers in virtual time: they drive a role through base/stepper.ts, as real ones do in the
// server. The clock has the error of the machine's clock at the start of the process, and runs a little fast or slow.

import type { Clock, Timers } from "../../base/ports.ts";
import type { Gate } from "../network/gate.ts";
import type { Scheduler } from "../scheduler.ts";

export interface NodeTime {
  readonly clock: Clock;
  readonly timers: Timers;
}

/** The error of a machine's clock: its present offset from true time, and its drift with every millisecond. */
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
