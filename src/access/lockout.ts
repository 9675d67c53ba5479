// Failed proofs, counted for each address and for each name: after a few, further ones wait, longer each time. Guessing
// a password takes years then. The tables are bounded, and what is not counted is not let through.

// A person mistypes a password a few times.
const FREE_FAILURES = 5;
const FIRST_WAIT_MS = 1_000;
const WAIT_MS_MAX = 5 * 60_000;
// After this long without a failure, all is forgotten.
const FORGET_MS = 15 * 60_000;
/** The most addresses and names that are remembered; the one that failed longest ago is forgotten for a new one. */
export const LOCKOUT_ENTRIES_MAX = 10_000;

interface Failures {
  readonly count: number;
  readonly atMs: number;
}

export class Lockout {
  /** The one that failed last stands last. */
  readonly #failures = new Map<string, Failures>();

  /** The time until which no proof of this address, or for this name, is looked at; undefined: now. */
  waitsUntilMs(keys: readonly string[], nowMs: number): number | undefined {
    const untilMs = Math.max(...keys.map((key) => this.#untilMs(key, nowMs)));
    return untilMs > nowMs ? untilMs : undefined;
  }

  failed(keys: readonly string[], nowMs: number): void {
    for (const key of keys) {
      const count = this.#countOf(key, nowMs) + 1;
      this.#failures.delete(key);
      this.#failures.set(key, { count, atMs: nowMs });
      const [oldest] = this.#failures.keys();
      if (this.#failures.size > LOCKOUT_ENTRIES_MAX && oldest !== undefined) this.#failures.delete(oldest);
    }
  }

  succeeded(keys: readonly string[]): void {
    for (const key of keys) this.#failures.delete(key);
  }

  #countOf(key: string, nowMs: number): number {
    const failures = this.#failures.get(key);
    return failures === undefined || nowMs - failures.atMs >= FORGET_MS ? 0 : failures.count;
  }

  #untilMs(key: string, nowMs: number): number {
    const beyond = this.#countOf(key, nowMs) - FREE_FAILURES;
    if (beyond < 0) return nowMs;
    const { atMs = nowMs } = this.#failures.get(key) ?? {};
    return atMs + Math.min(WAIT_MS_MAX, FIRST_WAIT_MS * 2 ** Math.min(beyond, 20));
  }
}
