// Latencies as counts in classes that are 2 % wide: any number of them takes the same few kilobytes.

const CLASS_WIDTH = 1.02;
const SMALLEST_MS = 0.01;
// The last class begins at some 5,000 s.
const CLASSES = 1_012;

export interface LatencySummary {
  readonly count: number;
  /** Null without any. The percentiles are at most 2 % above the true ones. */
  readonly p50Ms: number | null;
  readonly p90Ms: number | null;
  readonly p99Ms: number | null;
  readonly maxMs: number | null;
}

export class Latencies {
  readonly #counts = new Float64Array(CLASSES);
  #count = 0;
  #maxMs = 0;

  add(ms: number): void {
    const at = Math.ceil(Math.log(Math.max(ms, SMALLEST_MS) / SMALLEST_MS) / Math.log(CLASS_WIDTH));
    const place = Math.min(at, CLASSES - 1);
    this.#counts[place] = (this.#counts[place] ?? 0) + 1;
    this.#count++;
    this.#maxMs = Math.max(this.#maxMs, ms);
  }

  summary(): LatencySummary {
    if (this.#count === 0) return { count: 0, p50Ms: null, p90Ms: null, p99Ms: null, maxMs: null };
    const [p50Ms, p90Ms, p99Ms] = [this.#percentile(0.5), this.#percentile(0.9), this.#percentile(0.99)];
    return { count: this.#count, p50Ms, p90Ms, p99Ms, maxMs: rounded(this.#maxMs) };
  }

  /** The upper end of the class in which this share of all is reached, and never more than the largest. */
  #percentile(share: number): number {
    let seen = 0;
    let at = 0;
    for (; at < CLASSES - 1; at++) {
      seen += this.#counts[at] ?? 0;
      if (seen >= share * this.#count) break;
    }
    return rounded(Math.min(SMALLEST_MS * CLASS_WIDTH ** at, this.#maxMs));
  }
}

function rounded(ms: number): number {
  return Math.round(ms * 100) / 100;
}
