import type { Metrics } from "../base/metrics.ts";
import type { Cancel, Clock, Timers } from "../base/ports.ts";

const INTERVAL_MS = 1_000;

/** Measures each second how late the event loop runs a timer. Returns its stop. */
export function watchEventLoopLag({
  clock,
  timers,
  metrics,
}: {
  clock: Clock;
  timers: Timers;
  metrics: Metrics;
}): Cancel {
  let cancel: Cancel = () => undefined;
  const delays = metrics.histogram("roster_event_loop_delay_seconds");
  const arm = () => {
    const dueMs = clock.nowMs() + INTERVAL_MS;
    cancel = timers.after(INTERVAL_MS, (nowMs) => {
      const delay = Math.max(0, nowMs - dueMs) / 1000;
      metrics.set("roster_event_loop_lag_seconds", delay);
      delays.observe(delay);
      arm();
    });
  };
  arm();
  return () => cancel();
}
