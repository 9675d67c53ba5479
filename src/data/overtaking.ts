// Versions that this leader can't compare with its own: a session has a higher one than this node gave, or one of
// another leader, whose clock was ahead; or this node lost its disk. Subscribers would drop every lower version, so the
// list goes above.

import type { KeptVersion } from "../cluster/messages/replication.ts";
import type { DatumVersion } from "../model/datum.ts";
import type { Catalogue } from "./catalogue.ts";
import type { RefusedVersion } from "./dataPorts.ts";
import type { Datum } from "./datum.ts";
import type { Followers } from "./followers.ts";
import type { ForeignVersions } from "./foreignVersions.ts";
import type { Slots } from "./slots.ts";
import type { VersionFloor } from "./versionFloor.ts";

interface Parts {
  readonly slots: Slots;
  readonly versions: VersionFloor;
  readonly foreign: Pick<ForeignVersions, "check">;
  readonly followers: Pick<Followers, "changed">;
  readonly catalogue: Pick<Catalogue, "touched">;
}

export class Overtaking {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Gives the datum a higher version than `have`, without a change. */
  overtake(datum: Datum, have: DatumVersion, nowMs: number): void {
    const { slots, versions, followers } = this.#parts;
    const led = slots.ledSlot(datum.slot);
    if (led === undefined) return;
    versions.raise(have.version);
    datum.raise(versions.give(nowMs, led.leaderEpoch));
    followers.changed(led, datum, []);
    this.#parts.catalogue.touched(datum.serviceKey);
  }

  /** A node that led before gave this version, as a follower or a session reports: other sessions may have it too. */
  ahead(
    { serviceKey, version, origin }: Omit<KeptVersion, "count" | "digest">,
    by: Omit<RefusedVersion, "version">,
    nowMs: number,
  ): void {
    const { slots, versions, foreign } = this.#parts;
    if (!foreign.check({ ...by, version }, nowMs)) return;
    const datum = slots.leading(serviceKey)?.contents.datums.get(serviceKey);
    if (datum === undefined) versions.raise(version);
    else if (version > datum.version.version) this.overtake(datum, { version, origin }, nowMs);
  }
}
