// Datum versions are SOFARegistry's: milliseconds since 2019-01-01 00:00 +08:00, shifted left by 15, plus a sequence.
// Its clients drop silently whatever is not higher than what they have, so a version must never go back: not when the
// clock does, not after a restart, not when another node takes the slot over. It is a Java long and passes 2^53 in
// September 2027, hence bigint everywhere.

import { assert } from "../base/assert.ts";

const EPOCH_MS = 1_546_272_000_000;
const SEQUENCE_BITS = 15n;
// Of the sequence so many bits name who gave the version. 512 in a millisecond are left to each.
const ORIGIN_BITS = 6;
const ORIGINS = 1n << BigInt(ORIGIN_BITS);

/** Whether leaders of these epochs may give the same number. */
export function mayCollide(a: bigint, b: bigint): boolean {
  return BigInt.asUintN(ORIGIN_BITS, a - b) === 0n;
}

/** Lower than every version; stands for "I have nothing yet". */
export const NO_VERSION = 0n;

/** The first version of the millisecond `nowMs`. */
export function versionAt(nowMs: number): bigint {
  return BigInt(Math.max(0, Math.floor(nowMs) - EPOCH_MS)) << SEQUENCE_BITS;
}

/** The millisecond of which a version is, by the clock that gave it. */
export function timeOf(version: bigint): number {
  return Number(version >> SEQUENCE_BITS) + EPOCH_MS;
}

/** How much versions grow in `durationMs`. */
export function versionSpan(durationMs: number): bigint {
  return BigInt(durationMs) << SEQUENCE_BITS;
}

// A version that another node names is believed up to so far ahead of this node's clock. Clocks of a cluster are
// seconds apart, a few hours where somebody has set one by hand or taken a local time for UTC: 14 hours at the most.
// Beyond a day no node of ours can have given it: believed, it would stand on every disk and be what all later versions
// are above, and near the last number that a Java long can hold nothing is above it.
const AHEAD_MS_MAX = 24 * 3_600_000;

/** Whether a node whose clock is about right can have given this version by now; so can NO_VERSION be named. */
export function isCredible(version: bigint, nowMs: number): boolean {
  return version >= NO_VERSION && version <= latestCredible(nowMs);
}

/** The highest version that is credible. */
export function latestCredible(nowMs: number): bigint {
  return versionAt(nowMs + AHEAD_MS_MAX);
}

/**
 * No clock shows this before the year 6480. A floor above it is damage, or was planted: there would be no room left for
 * versions above.
 */
export const VERSION_FLOOR_MAX = 1n << 62n;

/** Hands out versions that only grow. `floor` is a bound that every version of an earlier life is below. */
export class VersionSource {
  #last: bigint;
  // A batch is taken in one millisecond, and most of it under one epoch: versions are made of few bigints then.
  #nowMs = Number.NEGATIVE_INFINITY;
  #byClock = NO_VERSION;
  /** That of the last version; undefined if it was raised to. */
  #origin: bigint | undefined;

  constructor(floor: bigint) {
    assert(floor >= NO_VERSION, "a version is not negative");
    this.#last = floor;
  }

  /** Nothing that was given, or raised to, is higher. */
  get last(): bigint {
    return this.#last;
  }

  /**
   * A version higher than every earlier one, by the clock where the clock is ahead. Two that lead one slot in the two
   * halves of a cut cluster may give versions in the same millisecond; the last bits are those of their `origin`, the
   * leader epoch, so the numbers differ: a client takes what has the same number for the same list.
   */
  next(nowMs: number, origin: bigint): bigint {
    if (nowMs !== this.#nowMs) this.#byClock = versionAt(nowMs);
    this.#nowMs = nowMs;
    const byClock = this.#byClock;
    if (origin === this.#origin && this.#last >= byClock) {
      this.#last += ORIGINS;
      return this.#last;
    }
    const least = byClock > this.#last ? byClock : this.#last + 1n;
    this.#last = least + BigInt.asUintN(ORIGIN_BITS, origin - least);
    this.#origin = origin;
    return this.#last;
  }

  /** Versions from now on are higher than `version` too. */
  raise(version: bigint): void {
    if (version <= this.#last) return;
    this.#last = version;
    this.#origin = undefined;
  }
}
