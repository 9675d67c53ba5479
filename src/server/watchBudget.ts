import { type Budget, CHARGE, LEVELS } from "../base/budget.ts";
import type { Metrics } from "../base/metrics.ts";

// The fastest interval of health checks.
const REPORT_MS = 500;

/** Reports the memory that the process holds for its clients. Returns its stop. */
export function watchBudget(budget: Budget, metrics: Metrics): () => void {
  const reported = new Map(LEVELS.map((level) => [level, 0]));
  const report = () => {
    metrics.set("roster_budget_max_bytes", budget.limits.bytesMax);
    for (const [held, kind] of Object.entries(CHARGE)) metrics.set("roster_held_bytes", budget.heldOf(kind), { held });
    for (const level of LEVELS) {
      const count = budget.refusals(level);
      metrics.add("roster_bytes_refused_total", count - (reported.get(level) ?? 0), { level });
      reported.set(level, count);
    }
  };
  report();
  const timer = setInterval(report, REPORT_MS);
  return () => clearInterval(timer);
}
