import { type Aggregator, Counter, Gauge, Histogram, Registry } from "prom-client";
import { defined } from "../base/assert.ts";
import { METRICS, type MetricSpec, type Metrics, type MetricTable } from "../base/metrics.ts";
import { processMetrics } from "./processMetrics.ts";
import { type ProcessValues, sumOf } from "./workersPage.ts";

/** The metrics of the process, as Prometheus reads them. */
export interface MetricsPage {
  readonly metrics: Metrics;
  /** The same, with the metrics of gateways. */
  readonly gatewayMetrics: GatewayMetrics;
  readonly contentType: string;
  /** The scraped text. One of several workers returns the values of all. */
  render(): Promise<string>;
  /** The values of this process. */
  values(): Promise<ProcessValues>;
  /** From now on the text is made of these values: those of all workers, this one included. */
  gatherFrom(gather: () => Promise<readonly ProcessValues[]>): void;
}

/** The port for reporting metrics of any table: the gateway's own types give the names and labels. */
export interface GatewayMetrics {
  add(name: string, value: number, labels?: object): void;
  set(name: string, value: number, labels?: object): void;
  observe(name: string, value: number, labels?: object): void;
}

/** A page with the metrics of all parts and of the gateways. */
export function createMetrics(gateways: readonly { readonly metrics: MetricTable }[]): MetricsPage {
  const registry = new Registry();
  const values = new Map<string, LabelledValues>();
  const histograms = new Map<string, Histogram>();
  const tables: readonly MetricTable[] = [METRICS, ...gateways.map(({ metrics }) => metrics)];
  for (const [name, { type, help, labels, buckets = [], ofWorkers }] of tables.flatMap(Object.entries<MetricSpec>)) {
    const aggregator: Aggregator = ofWorkers ?? "sum";
    const common = { name, help, labelNames: [...labels], registers: [registry], aggregator };
    if (type === "histogram") histograms.set(name, new Histogram({ ...common, buckets: [...buckets] }));
    else values.set(name, new LabelledValues(type === "counter" ? new Counter(common) : new Gauge(common)));
  }
  const valuesOf = (name: string) => defined(values.get(name), "a counter or gauge of the table");
  const metrics: GatewayMetrics = {
    add: (name, value, labels) => valuesOf(name).of(labels).add(value),
    set: (name, value, labels) => valuesOf(name).of(labels).set(value),
    observe: (name, value, labels) =>
      defined(histograms.get(name), "a histogram of the table").observe({ ...labels }, value),
  };
  const reportProcess = processMetrics(metrics);
  const report = () => {
    reportProcess();
    for (const each of values.values()) each.report();
  };
  let gather: (() => Promise<readonly ProcessValues[]>) | undefined;
  return {
    metrics,
    gatewayMetrics: metrics,
    contentType: registry.contentType,
    render: async () => {
      if (gather !== undefined) return sumOf(await gather()).metrics();
      report();
      return registry.metrics();
    },
    values: () => {
      report();
      return registry.getMetricsAsJSON();
    },
    gatherFrom: (from) => {
      gather = from;
    },
  };
}

/** The value of a counter or gauge under one set of labels. */
class LabelledValue {
  readonly labels: Record<string, string>;
  value = 0;

  constructor(labels: object) {
    this.labels = { ...labels };
  }

  add(value: number): void {
    this.value += value;
  }

  set(value: number): void {
    this.value = value;
  }
}

/** The values of one counter or gauge. The library's own sort and check the labels each time: 1 µs for each request. */
class LabelledValues {
  readonly #metric: Counter | Gauge;
  readonly #values = new Map<string, LabelledValue>();

  constructor(metric: Counter | Gauge) {
    this.#metric = metric;
  }

  of(labels: object = NO_LABELS): LabelledValue {
    const key = labels === NO_LABELS ? "" : Object.values(labels).join("\n");
    const known = this.#values.get(key);
    if (known !== undefined) return known;
    const value = new LabelledValue(labels);
    this.#values.set(key, value);
    return value;
  }

  /** Passes the values to the library. */
  report(): void {
    this.#metric.reset();
    for (const { labels, value } of this.#values.values()) this.#metric.inc(labels, value);
  }
}

const NO_LABELS = {};
