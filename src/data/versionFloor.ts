// The versions of this node's datums. They grow across restarts because a floor on disk is ahead of every version
// given, and the next life begins above it, whatever its clock shows. So a node whose clock was days ahead continues
// with such versions until the time has come: its clients have seen them. Versions named by other nodes are not
// believed that far.

import type { DatumVersion } from "../model/datum.ts";
import { latestCredible, NO_VERSION, timeOf, VersionSource, versionSpan } from "../model/version.ts";

// The floor is saved this far ahead, and again when half of it is used up: one small write each five seconds of change.
const AHEAD = versionSpan(10_000);

export class VersionFloor {
  readonly #versions: VersionSource;
  readonly #save: (floor: bigint) => void;
  #floor: bigint;
  #halfUsed: bigint;
  /** The known lag of this node's clock behind the cluster's: more than a day, or 0. */
  #behindMs = 0;
  /**
   * The latest credible version now: a follower needs it for every change, and making it takes a quarter of a
   * microsecond.
   */
  #latest = NO_VERSION;
  #latestMs = Number.NEGATIVE_INFINITY;

  /** `floor` is the floor that the last life saved. */
  constructor(floor: bigint, save: (floor: bigint) => void) {
    this.#versions = new VersionSource(floor);
    this.#floor = floor;
    this.#halfUsed = floor - AHEAD / 2n;
    this.#save = save;
  }

  /** The highest version that this node gave or has heard of; after a start the floor, which is above them all. */
  get newest(): bigint {
    return this.#versions.last;
  }

  /**
   * Whether a version named by another node may be used. One that this node is already above can do no harm, though it
   * is absurdly high: this node's clock was ahead.
   */
  isCredible(version: bigint, nowMs: number): boolean {
    const clusterMs = nowMs + this.#behindMs;
    if (clusterMs !== this.#latestMs) this.#latest = latestCredible(clusterMs);
    this.#latestMs = clusterMs;
    return version >= NO_VERSION && (version <= this.newest || version <= this.#latest);
  }

  /**
   * Meta, which checks versions by its own clock, reports that they are this far. If that is incredible by this node's
   * clock, its clock is behind, by the returned amount: versions named by other nodes must be believed all the same.
   */
  raiseOfMeta(version: bigint, nowMs: number): number {
    const isBehind = !this.isCredible(version, nowMs);
    if (isBehind) this.#behindMs = timeOf(version) - nowMs;
    this.raise(version);
    return isBehind ? this.#behindMs : 0;
  }

  /** As `VersionSource.next`. */
  next(nowMs: number, origin: bigint): bigint {
    const version = this.#versions.next(nowMs, origin);
    if (version > this.#halfUsed) this.#saveAhead(version);
    return version;
  }

  /** The next version of a list, by the leader under this epoch. */
  give(nowMs: number, leaderEpoch: bigint): DatumVersion {
    return { version: this.next(nowMs, leaderEpoch), origin: leaderEpoch };
  }

  /** The next version is higher than `version`, which another node has; in the next life too. */
  raise(version: bigint): void {
    this.#versions.raise(version);
    if (version > this.#floor) this.#saveAhead(version);
  }

  #saveAhead(version: bigint): void {
    this.#floor = version + AHEAD;
    this.#halfUsed = version + AHEAD / 2n;
    this.#save(this.#floor);
  }
}
