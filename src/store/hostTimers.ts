// Timers for what follows a store. They keep no process alive.

import type { Timers } from "../base/ports.ts";

export const HOST_TIMERS: Timers = {
  after(delayMs, run) {
    const timer = setTimeout(() => run(performance.now()), delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
