// Which subscriber was pushed what, and when. Pushes are noted by a fingerprint and looked at afterwards, when all is
// quiet: what a list holds is found out once for each different one, outside of what is measured.

import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";
import { nowMs } from "./clock.ts";

/** The number of instances in a push with this fingerprint; undefined while it is not known. */
export type Resolve = (fingerprint: number) => number | undefined;

// Pushes are looked at when none came for so long.
const QUIET_MS = 10;

export class Arrivals {
  /** By subscriber: the newest push, when it came, and how many came; 0 pushes means none yet. */
  readonly fingerprints: Uint32Array;
  readonly atMs: Float64Array;
  readonly pushes: Uint32Array;
  /** Of all pushes, their heads counted. */
  bytes = 0;
  readonly #resolve: Resolve;
  #newestMs = 0;

  constructor(subscribers: number, resolve: Resolve) {
    this.fingerprints = new Uint32Array(subscribers);
    this.atMs = new Float64Array(subscribers);
    this.pushes = new Uint32Array(subscribers);
    this.#resolve = resolve;
  }

  record(at: number, fingerprint: number, bytes: number): void {
    const now = nowMs();
    this.#newestMs = now;
    this.bytes += bytes;
    const isRepeated = this.fingerprints[at] === fingerprint && this.pushes[at] !== 0;
    this.pushes[at] = (this.pushes[at] ?? 0) + 1;
    if (isRepeated) return;
    this.fingerprints[at] = fingerprint;
    this.atMs[at] = now;
  }

  /** How many subscribers in `range` do not show `expected` instances. */
  missing(expected: number, range: Range = { from: 0, to: this.pushes.length }): number {
    let missing = 0;
    for (let at = range.from; at < range.to; at++) {
      const isShown = this.pushes[at] !== 0 && this.#resolve(this.fingerprints[at] ?? 0) === expected;
      if (!isShown) missing++;
    }
    return missing;
  }

  /** Resolves when every subscriber in `range` shows `expected` instances. Rejects after `timeoutMs`. */
  async shows(expected: number, { range, timeoutMs = CHANGE_MS_MAX }: Wait = {}): Promise<void> {
    const endMs = nowMs() + timeoutMs;
    for (;;) {
      await sleep(QUIET_MS);
      const now = nowMs();
      if (now - this.#newestMs < QUIET_MS && now < endMs) continue;
      const missing = this.missing(expected, range);
      if (missing === 0) return;
      if (now > endMs)
        throw new Error(`after ${timeoutMs} ms ${missing} subscribers do not show ${expected} instances`);
    }
  }

  /** Resolves when every subscriber has had so many pushes, whatever they show. */
  async pushed(pushes: number): Promise<void> {
    while (this.pushes.some((had) => had < pushes)) await turn();
  }

  /** The times from `sinceMs` to the newest push of each subscriber in `range`. */
  latencies(sinceMs: number, range: Range = { from: 0, to: this.pushes.length }): number[] {
    return Array.from(this.atMs.subarray(range.from, range.to), (atMs) => atMs - sinceMs);
  }
}

/** Subscribers from `from` up to, not with, `to`. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

export interface Wait {
  readonly range?: Range | undefined;
  readonly timeoutMs?: number;
}

// A change that takes longer has been lost.
const CHANGE_MS_MAX = 60_000;
