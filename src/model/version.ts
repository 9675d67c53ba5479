// Datum versions are SOFARegistry's: milliseconds since 2019-01-01 00:00 +08:00, shifted left by 15, plus a sequence.
// Its clients silently drop any version that is not higher than their own, so a version must never go back: not when
// the clock does, not after a restart, not when another node takes over the slot. A version is a Java long and passes
// 2^53 in September 2027, hence bigint everywhere.

import { assert } from "../base/assert.ts";

const EPOCH_MS = 1_546_272_000_000;
const SEQUENCE_BITS = 15n;
// The bits of the sequence that identify the giver of the version. Each giver has 512 versions in a millisecond.
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

/** The millisecond of a version, by the clock that gave it. */
export function timeOf(version: bigint): number {
  return Number(version >> SEQUENCE_BITS) + EPOCH_MS;
}

/** The growth of versions in `durationMs`. */
export function versionSpan(durationMs: number): bigint {
  return BigInt(durationMs) << SEQUENCE_BITS;
}

// The most that a version named by another node may be ahead of this node's clock. Clocks of a cluster are seconds
// apart, or a few hours if one was set by hand or to local time instead of UTC: 14 hours at most. None of our nodes can
// have given a version more than a day ahead. If such a version were believed, it would stay on every disk, all later
// versions would lie above it, and near the last number of a Java long no version is above it.
const AHEAD_MS_MAX = 24 * 3_600_000;

/** Whether a node with a roughly right clock can have given this version by now; NO_VERSION passes too. */
export function isCredible(version: bigint, nowMs: number): boolean {
  return version >= NO_VERSION && version <= latestCredible(nowMs);
}

/** The highest version that is credible. */
export function latestCredible(nowMs: number): bigint {
  return versionAt(nowMs + AHEAD_MS_MAX);
}

/**
 * No clock shows this before the year 6480. A floor above it is damaged or forged, and would leave no room for versions
 * above it.
 */
export const VERSION_FLOOR_MAX = 1n << 62n;

/** Gives versions that only grow. Every version of an earlier life is below `floor`. */
export class VersionSource {
  #last: bigint;
  // A batch is taken in one millisecond, and most of it under one epoch: versions then need few bigints.
  #nowMs = Number.NEGATIVE_INFINITY;
  #byClock = NO_VERSION;
  /** The origin of the last version; undefined if it was raised to. */
  #origin: bigint | undefined;

  constructor(floor: bigint) {
    assert(floor >= NO_VERSION, "a version is not negative");
    this.#last = floor;
  }

  /** The highest version given or raised to. */
  get last(): bigint {
    return this.#last;
  }

  /**
   * A version higher than every earlier one, and taken from the clock where the clock is ahead. Two leaders of one slot
   * in the two halves of a cut cluster may give versions in the same millisecond; the last bits are those of their
   * `origin`, the leader epoch, so the numbers differ. A client takes equal numbers for the same list.
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
