// The real clock and the real timers, the only ones in the program.

import type { Clock, Timers } from "../base/ports.ts";

/** Wall time at the start of the process, carried on by the monotonic clock: it never jumps. */
export const hostClock: Clock = {
  nowMs: () => Math.floor(performance.timeOrigin + performance.now()),
};

export const hostTimers: Timers = {
  after(delayMs, run) {
    const timer = setTimeout(() => run(hostClock.nowMs()), Math.max(0, Math.min(delayMs, TIMER_MS_MAX)));
    return () => clearTimeout(timer);
  },
};

// Node's timers hold 31 bits; a longer delay would fire at once.
const TIMER_MS_MAX = 0x7fff_ffff;
