import type { MetricAliases } from "../base/metricAlias.ts";
import {
  type CounterPort,
  type HistogramPort,
  METRICS,
  type Metrics,
  type MetricTable,
  noMetrics,
} from "../base/metrics.ts";
import { aliasValues } from "./aliasValues.ts";
import { CONTENT_TYPES, formatFor, metricsText } from "./metricsText.ts";
import { MetricValues, type ProcessValues } from "./metricValues.ts";
import { processMetrics } from "./processMetrics.ts";
import { sumOf } from "./workersPage.ts";

/** A rendered page. */
export interface MetricsText {
  readonly contentType: string;
  readonly body: string;
}

/** The metrics of the process, as Prometheus reads them. */
export interface MetricsPage {
  readonly metrics: Metrics;
  /** The same, with the metrics of gateways. */
  readonly gatewayMetrics: GatewayMetrics;
  /**
   * The scraped text, in a format that the scraper accepts (its header `accept`). One of several workers returns the
   * values of all. Undefined if metrics are off.
   */
  render(accept: string): Promise<MetricsText | undefined>;
  /** The values of this process. */
  values(): ProcessValues;
  /** From now on the text is made of these values: those of all workers, this one included. */
  gatherFrom(gather: () => Promise<readonly ProcessValues[]>): void;
  /** Calls `measure` before each reading of the values: for gauges that cost something to find. */
  beforeEach(measure: () => void): void;
}

/** The port for reporting metrics of any table: the gateway's own types give the names and labels. */
export interface GatewayMetrics {
  add(name: string, value: number, labels?: object): void;
  set(name: string, value: number, labels?: object): void;
  counter(name: string, labels?: object): CounterPort;
  histogram(name: string, labels?: object): HistogramPort;
}

/** The settings of a page. */
export interface MetricsOptions {
  /** Without it nothing is counted, and there is no page. */
  readonly isOn: boolean;
  readonly aliases: MetricAliases;
}

const ALL: MetricsOptions = { isOn: true, aliases: {} };

/** A page with the metrics of all parts and of the gateways. */
export function createMetrics(
  gateways: readonly { readonly metrics: MetricTable }[],
  { isOn, aliases }: MetricsOptions = ALL,
): MetricsPage {
  if (!isOn) return NO_PAGE;
  const all = new MetricValues([METRICS, ...gateways.map(({ metrics }) => metrics)]);
  const metrics: GatewayMetrics = {
    add: (name, value, labels) => all.value(name, labels).add(value),
    set: (name, value, labels) => all.value(name, labels).set(value),
    counter: (name, labels) => all.value(name, labels),
    histogram: (name, labels) => all.distribution(name, labels),
  };
  const measures = [processMetrics(metrics)];
  const values = () => {
    for (const measure of measures) measure();
    return all.snapshot();
  };
  let gather: (() => Promise<readonly ProcessValues[]>) | undefined;
  return {
    metrics,
    gatewayMetrics: metrics,
    render: async (accept) => {
      const format = formatFor(accept);
      const shown = gather === undefined ? values() : sumOf(await gather());
      return {
        contentType: CONTENT_TYPES[format],
        body: metricsText([...shown, ...aliasValues(aliases, shown)], format),
      };
    },
    values,
    gatherFrom: (from) => {
      gather = from;
    },
    beforeEach: (measure) => void measures.push(measure),
  };
}

const NO_PAGE: MetricsPage = {
  metrics: noMetrics,
  gatewayMetrics: noMetrics,
  render: async () => undefined,
  values: () => [],
  gatherFrom: () => undefined,
  beforeEach: () => undefined,
};
