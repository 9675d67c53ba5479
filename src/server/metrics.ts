import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { defined } from "../base/assert.ts";
import { METRICS, type MetricName, type Metrics, metricSpec } from "../base/metrics.ts";

/** The metrics of the process, as Prometheus and OpenMetrics scrapers read them. */
export interface MetricsPage {
  readonly metrics: Metrics;
  readonly contentType: string;
  render(): Promise<string>;
}

export function createMetrics(): MetricsPage {
  const registry = new Registry();
  const counters = new Map<MetricName, Counter>();
  const gauges = new Map<MetricName, Gauge>();
  const histograms = new Map<MetricName, Histogram>();
  for (const name of Object.keys(METRICS) as MetricName[]) {
    const { type, help, labels, buckets = [] } = metricSpec(name);
    const common = { name, help, labelNames: [...labels], registers: [registry] };
    if (type === "counter") counters.set(name, new Counter(common));
    else if (type === "gauge") gauges.set(name, new Gauge(common));
    else histograms.set(name, new Histogram({ ...common, buckets: [...buckets] }));
  }
  const metrics: Metrics = {
    add: (name, value, labels?: object) =>
      defined(counters.get(name), "a counter of the table").inc({ ...labels }, value),
    set: (name, value, labels?: object) => defined(gauges.get(name), "a gauge of the table").set({ ...labels }, value),
    observe: (name, value, labels?: object) =>
      defined(histograms.get(name), "a histogram of the table").observe({ ...labels }, value),
  };
  return { metrics, contentType: registry.contentType, render: () => registry.metrics() };
}
