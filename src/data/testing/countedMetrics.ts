import { type Metrics, noMetrics } from "../../base/metrics.ts";

/** Metrics that keep the sum of each counter, by its name and labels. */
export function countedMetrics() {
  const counts = new Map<string, number>();
  const add = (name: string, by: number, labels: Readonly<Record<string, string>> = {}) => {
    const key = [name, ...Object.values(labels)].join(" ");
    counts.set(key, (counts.get(key) ?? 0) + by);
  };
  const metrics: Metrics = {
    ...noMetrics,
    add,
    counter: (name: string, labels?: Readonly<Record<string, string>>) => ({ add: (by) => add(name, by, labels) }),
  };
  return { metrics, counts };
}
