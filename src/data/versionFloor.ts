// The versions of this node's datums. They grow across restarts because a floor is on disk ahead of every version that
// is given out, and the next life begins above it, whatever its clock says.

import { VersionSource, versionAt, versionSpan } from "../model/version.ts";

// The floor is saved so far ahead, and again when half of it is used up: one small write each five seconds of change.
const AHEAD_MS = 10_000;

export class VersionFloor {
  readonly #versions: VersionSource;
  readonly #save: (floor: bigint) => void;
  #floor: bigint;

  /** `floor` is what the last life saved. */
  constructor(floor: bigint, save: (floor: bigint) => void) {
    this.#versions = new VersionSource(floor);
    this.#floor = floor;
    this.#save = save;
  }

  /** The highest version that this node gave or has heard of; after a start the floor, which is above them all. */
  get newest(): bigint {
    return this.#versions.last;
  }

  /** As `VersionSource.next`. */
  next(nowMs: number, origin: bigint): bigint {
    const version = this.#versions.next(nowMs, origin);
    const used = version > versionAt(nowMs) ? version : versionAt(nowMs);
    if (used + versionSpan(AHEAD_MS / 2) > this.#floor) {
      this.#floor = used + versionSpan(AHEAD_MS);
      this.#save(this.#floor);
    }
    return version;
  }

  /** The next version is higher than `version`, which somebody has; in the next life too. */
  raise(version: bigint): void {
    this.#versions.raise(version);
    if (version <= this.#floor) return;
    this.#floor = version + versionSpan(AHEAD_MS);
    this.#save(this.#floor);
  }
}
