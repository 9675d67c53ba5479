// A node's own clock and timers in virtual time: what base/stepper.ts drives a role with, as the server does with real
// ones.

import type { Clock, Timers } from "../../base/ports.ts";
import type { Scheduler } from "../scheduler.ts";

/** A process that starts connects first, where it can, and then speaks. */
export const BOOT_MS = 1;

export interface NodeTime {
  readonly clock: Clock;
  readonly timers: Timers;
}

/** The time of a node whose clock is off by `offsetMs`. */
export function nodeTime(scheduler: Scheduler, offsetMs: number): NodeTime {
  const nowMs = () => scheduler.nowMs + offsetMs;
  return {
    clock: { nowMs },
    // Real timers have whole milliseconds and never fire early.
    timers: { after: (delayMs, run) => scheduler.after(Math.ceil(delayMs), () => run(nowMs())) },
  };
}
