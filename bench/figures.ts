// The results of a benchmark: numbers with units, so that runs can be joined and peers compared.

export type Unit = "ms" | "s" | "µs" | "B" | "MiB" | "/s" | "%" | "";

/** One number. Less is better, unless its unit is a rate; one without a unit is not compared. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: Unit;
  /** Only to be read beside the others; never compared. */
  readonly isAside?: boolean;
  /** A text in place of a number. */
  readonly text?: string;
}

/** Something that was found and is no number. */
export function remark(name: string, text: string): Figure {
  return { name, text, value: Number.NaN, unit: "", isAside: true };
}

/** The value below which the share `q` (0 to 1) of the samples lies. */
export function percentile(samples: readonly number[], q: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN;
}

export function median(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low = Number.NaN, high = low] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return (low + high) / 2;
}

/** p50, p99 and the largest of samples in milliseconds. */
export function latencies(samples: readonly number[], prefix = ""): Figure[] {
  return [
    { name: `${prefix}p50`, value: percentile(samples, 0.5), unit: "ms" },
    { name: `${prefix}p99`, value: percentile(samples, 0.99), unit: "ms" },
    { name: `${prefix}max`, value: percentile(samples, 1), unit: "ms" },
  ];
}

export function mebibytes(bytes: number): number {
  return bytes / 2 ** 20;
}

/** A number as a table shows it: three digits that mean something. */
export function shown(value: number, unit: Unit): string {
  if (!Number.isFinite(value)) return "–";
  return `${digits(value)}${unit === "" ? "" : ` ${unit}`}`;
}

function digits(value: number): string {
  const size = Math.abs(value);
  if (size >= 1_000) return Math.round(value).toLocaleString("en-US");
  if (size >= 100 || Number.isInteger(value)) return value.toFixed(0);
  if (size >= 10) return value.toFixed(1);
  return value.toFixed(2);
}
