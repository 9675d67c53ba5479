// Metrics as text, in the two formats that Prometheus reads: its own (0.0.4), and OpenMetrics (1.0.0), which names a
// counter without its `_total`, gives units, and says where the text ends, so that a cut one is not taken for whole.

import type { MetricSnapshot, ProcessValues, SeriesSnapshot } from "./metricValues.ts";

export type MetricsFormat = "prometheus" | "openmetrics";

export const CONTENT_TYPES: Readonly<Record<MetricsFormat, string>> = {
  prometheus: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

const UNITS = ["seconds", "bytes"] as const;

/** The format for a scraper that accepts these (the header `accept`): OpenMetrics if it names it. */
export function formatFor(accept: string): MetricsFormat {
  const names = accept.split(",").map((one) => one.split(";").map((part) => part.trim()));
  const isAsked = names.some(
    ([type, ...parameters]) => type === "application/openmetrics-text" && !isRefused(parameters),
  );
  return isAsked ? "openmetrics" : "prometheus";
}

function isRefused(parameters: readonly string[]): boolean {
  return parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
}

/** The text of all metrics. */
export function metricsText(all: ProcessValues, format: MetricsFormat): string {
  const lines = all.flatMap((metric) => linesOf(metric, format));
  if (format === "openmetrics") lines.push("# EOF");
  return `${lines.join("\n")}\n`;
}

function linesOf(metric: MetricSnapshot, format: MetricsFormat): string[] {
  const isOpen = format === "openmetrics";
  const family = isOpen && metric.type === "counter" ? metric.name.replace(/_total$/, "") : metric.name;
  const unit = UNITS.find((one) => family.endsWith(`_${one}`));
  const lines = [`# HELP ${family} ${helpText(metric.help, isOpen)}`, `# TYPE ${family} ${metric.type}`];
  if (isOpen && unit !== undefined) lines.push(`# UNIT ${family} ${unit}`);
  for (const series of metric.series) {
    if (metric.type === "histogram") lines.push(...bucketLines(metric, series, isOpen));
    else lines.push(`${metric.name}${labelsText(series.labels)} ${numberText(series.values[0] ?? 0)}`);
  }
  return lines;
}

function bucketLines({ name, buckets = [] }: MetricSnapshot, { labels, values }: SeriesSnapshot, isOpen: boolean) {
  const lines: string[] = [];
  let count = 0;
  for (const [at, bound] of [...buckets, Number.POSITIVE_INFINITY].entries()) {
    count += values[at] ?? 0;
    lines.push(`${name}_bucket${labelsText({ ...labels, le: boundText(bound, isOpen) })} ${count}`);
  }
  lines.push(`${name}_sum${labelsText(labels)} ${numberText(values.at(-1) ?? 0)}`);
  lines.push(`${name}_count${labelsText(labels)} ${count}`);
  return lines;
}

function labelsText(labels: Readonly<Record<string, string>>): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value).replaceAll('"', '\\"')}"`);
  return parts.length === 0 ? "" : `{${parts.join(",")}}`;
}

function helpText(help: string, isOpen: boolean): string {
  return isOpen ? escaped(help).replaceAll('"', '\\"') : escaped(help);
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

/** OpenMetrics compares bounds as texts, and gives them all a decimal point. */
function boundText(bound: number, isOpen: boolean): string {
  const text = numberText(bound);
  return isOpen && Number.isInteger(bound) ? `${text}.0` : text;
}

function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  return value === Number.NEGATIVE_INFINITY ? "-Inf" : String(value);
}
