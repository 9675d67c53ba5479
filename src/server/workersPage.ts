// The metrics of several worker processes as those of one server. A scrape reaches any of them, so each answers for
// all.

import { type MetricSnapshot, onlyGrows, type ProcessValues, type SeriesSnapshot } from "./metricValues.ts";

/** The values of all, summed up or as the table of metrics prescribes. */
export function sumOf(all: readonly ProcessValues[]): ProcessValues {
  const metrics = new Map<string, MetricSnapshot[]>();
  for (const metric of all.flat()) {
    const same = metrics.get(metric.name) ?? [];
    metrics.set(metric.name, same);
    same.push(metric);
  }
  return [...metrics.values()].flatMap((same) => {
    const [first] = same;
    return first === undefined ? [] : [{ ...first, series: joined(same, first.ofWorkers ?? "sum") }];
  });
}

/**
 * The remainder of an ended process, with those of earlier ones: a falling counter would be taken for one that has
 * started anew, and all of it be counted once more.
 */
export function remainderOf(before: ProcessValues, ended: ProcessValues): ProcessValues {
  return sumOf([before, onlyGrowing(ended)]);
}

/** The counters and histograms. */
export function onlyGrowing(values: ProcessValues): ProcessValues {
  return values.filter(onlyGrows);
}

const JOIN = {
  sum: (a: number, b: number) => a + b,
  max: Math.max,
  min: Math.min,
} as const;

function joined(same: readonly MetricSnapshot[], how: keyof typeof JOIN): SeriesSnapshot[] {
  const byLabels = new Map<string, SeriesSnapshot>();
  for (const { labels, values } of same.flatMap(({ series }) => series)) {
    const key = Object.values(labels).join("\n");
    const before = byLabels.get(key);
    const sum = before === undefined ? values : values.map((value, at) => JOIN[how](before.values[at] ?? value, value));
    byLabels.set(key, { labels, values: sum });
  }
  return [...byLabels.values()];
}
