// The versions of this node's datums. They grow across restarts because a floor is on disk ahead of every version that
// is given out, and the next life begins above it, whatever its clock says. So a node whose clock was days ahead goes
// on with versions from afar until the time has come: its clients have seen them. What others name is not taken that
// far.

import { latestCredible, NO_VERSION, timeOf, VersionSource, versionSpan } from "../model/version.ts";

// The floor is saved so far ahead, and again when half of it is used up: one small write each five seconds of change.
const AHEAD = versionSpan(10_000);

export class VersionFloor {
  readonly #versions: VersionSource;
  readonly #save: (floor: bigint) => void;
  #floor: bigint;
  #halfUsed: bigint;
  /** By so much this node's clock is behind that of the cluster, as far as is known: more than a day, or 0. */
  #behindMs = 0;
  /** What is credible now: a follower asks for every change, and making it takes a quarter of a microsecond. */
  #latest = NO_VERSION;
  #latestMs = Number.NEGATIVE_INFINITY;

  /** `floor` is what the last life saved. */
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
   * Whether a version that another node names may be gone by. One that this node is above already can do no harm,
   * though it is from afar: this node's clock was ahead.
   */
  believes(version: bigint, nowMs: number): boolean {
    const clusterMs = nowMs + this.#behindMs;
    if (clusterMs !== this.#latestMs) this.#latest = latestCredible(clusterMs);
    this.#latestMs = clusterMs;
    return version >= NO_VERSION && (version <= this.newest || version <= this.#latest);
  }

  /**
   * Meta, which believes versions by its own clock, says that they are as far as this. If that is from afar, it is this
   * node's clock that is behind, by as much as is returned: what the others name has to be believed all the same.
   */
  raiseOfMeta(version: bigint, nowMs: number): number {
    const isBehind = !this.believes(version, nowMs);
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

  /** The next version is higher than `version`, which somebody has; in the next life too. */
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
