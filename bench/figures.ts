/** What a benchmark found: a name and its figures, in the order in which they are shown. */
export interface Figures {
  readonly name: string;
  readonly figures: Readonly<Record<string, string>>;
}

/** The value below which the share `q` (0 to 1) of the samples lies. */
export function percentile(samples: readonly number[], q: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN;
}

export function milliseconds(value: number): string {
  return `${value.toFixed(value < 10 ? 2 : 0)} ms`;
}

/** p50, p99 and the largest of samples in milliseconds. */
export function latencies(samples: readonly number[]): Record<string, string> {
  return {
    p50: milliseconds(percentile(samples, 0.5)),
    p99: milliseconds(percentile(samples, 0.99)),
    max: milliseconds(percentile(samples, 1)),
    samples: String(samples.length),
  };
}

/** A Markdown table, a row for each figure. */
export function table(results: readonly Figures[]): string {
  const rows = results.flatMap(({ name, figures }) =>
    Object.entries(figures).map(([figure, value]) => `| ${name} | ${figure} | ${value} |`),
  );
  return ["| benchmark | figure | value |", "|---|---|---|", ...rows].join("\n");
}
