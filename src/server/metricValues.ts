// The values of all metrics of one process. A counter or histogram under fixed labels is an object with a number, or
// with an array of numbers, which its reporter keeps: a report on the hot path is an addition, and allocates nothing.

import { assert, defined } from "../base/assert.ts";
import type { CounterPort, HistogramPort, MetricSpec, MetricTable } from "../base/metrics.ts";

/** All values of one process at one time, as they go from process to process. */
export type ProcessValues = readonly MetricSnapshot[];

/** One metric with its row of the table. */
export interface MetricSnapshot extends Omit<MetricSpec, "labels"> {
  readonly name: string;
  readonly series: readonly SeriesSnapshot[];
}

export interface SeriesSnapshot {
  readonly labels: Readonly<Record<string, string>>;
  /**
   * One number; of a histogram one for each bucket, that of larger values, and then the sum of what was observed. Each
   * bucket counts its own values alone.
   */
  readonly values: readonly number[];
}

/** Whether the values only grow while their process runs. */
export function onlyGrows({ type }: Pick<MetricSpec, "type">): boolean {
  return type !== "gauge";
}

/** A counter or gauge under one set of labels. */
class Value implements CounterPort {
  readonly labels: Readonly<Record<string, string>>;
  #value = 0;

  constructor(labels: object) {
    this.labels = { ...labels };
  }

  add(value: number): void {
    this.#value += value;
  }

  set(value: number): void {
    this.#value = value;
  }

  snapshot(): SeriesSnapshot {
    return { labels: this.labels, values: [this.#value] };
  }
}

/** A histogram under one set of labels. */
class Distribution implements HistogramPort {
  readonly labels: Readonly<Record<string, string>>;
  readonly #bounds: Float64Array;
  /** As in SeriesSnapshot. */
  readonly #values: Float64Array;

  constructor(labels: object, bounds: readonly number[]) {
    this.labels = { ...labels };
    this.#bounds = Float64Array.from(bounds);
    this.#values = new Float64Array(bounds.length + 2);
  }

  observe(value: number): void {
    const bounds = this.#bounds;
    const values = this.#values;
    let at = 0;
    // Most values are in the first buckets, so nothing is faster than to begin there.
    while (at < bounds.length && value > (bounds[at] ?? 0)) at++;
    values[at] = (values[at] ?? 0) + 1;
    const sum = values.length - 1;
    values[sum] = (values[sum] ?? 0) + value;
  }

  snapshot(): SeriesSnapshot {
    return { labels: this.labels, values: [...this.#values] };
  }
}

interface Series {
  snapshot(): SeriesSnapshot;
}

// No metric has a tenth of this many. If a label ever carries what strangers choose, the memory and the page stay
// bounded: further values are counted together.
const SERIES_MAX = 500;
const OTHER = "other";

/** One metric: its values by their labels. */
class Family<One extends Series> {
  readonly #make: (labels: object) => One;
  readonly #series = new Map<string, One>();

  constructor(make: (labels: object) => One) {
    this.#make = make;
  }

  of(labels: object = NO_LABELS): One {
    const key = labels === NO_LABELS ? "" : Object.values(labels).join("\n");
    const known = this.#series.get(key);
    if (known !== undefined) return known;
    if (this.#series.size >= SERIES_MAX) return this.#other(labels);
    const made = this.#make(labels);
    this.#series.set(key, made);
    return made;
  }

  #other(labels: object): One {
    const made =
      this.#series.get(OTHER) ?? this.#make(Object.fromEntries(Object.keys(labels).map((name) => [name, OTHER])));
    this.#series.set(OTHER, made);
    return made;
  }

  snapshot(): SeriesSnapshot[] {
    return [...this.#series.values()].map((series) => series.snapshot());
  }
}

const NO_LABELS = {};

/** The values of all metrics of these tables. */
export class MetricValues {
  readonly #specs: ReadonlyMap<string, MetricSpec>;
  readonly #values = new Map<string, Family<Value>>();
  readonly #distributions = new Map<string, Family<Distribution>>();

  constructor(tables: readonly MetricTable[]) {
    this.#specs = new Map(tables.flatMap((table) => Object.entries(table)));
    for (const [name, { type, labels, buckets }] of this.#specs) {
      if (type !== "histogram") this.#values.set(name, new Family((given) => new Value(given)));
      else {
        assert(buckets !== undefined && buckets.length > 0, "a histogram has buckets");
        this.#distributions.set(name, new Family((given) => new Distribution(given, buckets)));
      }
      // A count without reports is 0, and not missing: a rate over a missing value gives no answer. A gauge that was
      // never set is missing: the process does not have the role whose state it shows.
      if (labels.length > 0 || type === "gauge") continue;
      (type === "histogram" ? this.#distributions : this.#values).get(name)?.of();
    }
  }

  value(name: string, labels?: object): Value {
    return defined(this.#values.get(name), "a counter or gauge of the table").of(labels);
  }

  distribution(name: string, labels?: object): Distribution {
    return defined(this.#distributions.get(name), "a histogram of the table").of(labels);
  }

  snapshot(): ProcessValues {
    return [...this.#specs].map(([name, { labels: _, ...spec }]) => ({
      name,
      ...spec,
      series: (this.#values.get(name) ?? this.#distributions.get(name))?.snapshot() ?? [],
    }));
  }
}
