import type { AliasSeries, MetricAliases } from "../base/metricAlias.ts";
import type { MetricSnapshot, ProcessValues, SeriesSnapshot } from "./metricValues.ts";

/** The values under other names, each summed up from the values of all. */
export function aliasValues(aliases: MetricAliases, values: ProcessValues): ProcessValues {
  const byName = new Map(values.map((metric) => [metric.name, metric]));
  return Object.entries(aliases).map(([name, { type, help, series }]) => ({
    name,
    type,
    help,
    series: series.map((one) => seriesOf(one, byName.get(one.of))),
  }));
}

function seriesOf(
  { labels = {}, where = {}, except = {} }: AliasSeries,
  metric: MetricSnapshot | undefined,
): SeriesSnapshot {
  let sum = 0;
  for (const series of metric?.series ?? []) {
    const isWanted = Object.entries(where).every(([name, allowed]) => has(series, name, allowed));
    const isExcepted = Object.entries(except).some(([name, refused]) => has(series, name, refused));
    if (isWanted && !isExcepted) sum += series.values[0] ?? 0;
  }
  return { labels, values: [sum] };
}

function has({ labels }: SeriesSnapshot, name: string, values: readonly string[]): boolean {
  const value = labels[name];
  return value !== undefined && values.includes(value);
}
