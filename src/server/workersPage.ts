// The metrics of several worker processes as those of one server. A scrape reaches any of them, so each answers for
// all.

import { AggregatorRegistry, type MetricObjectWithValues, type MetricValue, type Registry } from "prom-client";

/** All values of one process, as they go from process to process. */
export type ProcessValues = readonly MetricObjectWithValues<MetricValue<string>>[];

/** The values of all, summed up or as the table of metrics prescribes. */
export function sumOf(all: readonly ProcessValues[]): Registry {
  return AggregatorRegistry.aggregate(all.map((values) => [...values]));
}

/**
 * The remainder of an ended process, with those of earlier ones: a falling counter would be taken for one that has
 * started anew, and all of it be counted once more.
 */
export async function remainderOf(before: ProcessValues, ended: ProcessValues): Promise<ProcessValues> {
  const values: ProcessValues = await sumOf([before, onlyGrowing(ended)]).getMetricsAsJSON();
  return values;
}

/** The counters and histograms. */
export function onlyGrowing(values: ProcessValues): ProcessValues {
  // The library's types have numbers where it writes words.
  return values.filter(({ type }: { readonly type: unknown }) => type === "counter" || type === "histogram");
}
