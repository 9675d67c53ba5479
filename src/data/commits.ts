// A batch's changes to one service become one new version. Interested sessions hear of it unless the list is held; the
// slot's followers hear of it in any case.

import type { CounterPort } from "../base/metrics.ts";
import type { PublishItem } from "../cluster/messages/sessionData.ts";
import type { DatumChange } from "../model/datum.ts";
import type { Catalogue } from "./catalogue.ts";
import type { DataOutput } from "./dataPorts.ts";
import type { Datum } from "./datum.ts";
import type { Followers } from "./followers.ts";
import type { LedSlot } from "./ledSlot.ts";
import type { LossProtection } from "./lossProtection.ts";
import type { Notices } from "./notices.ts";
import type { RestartHold } from "./restartHold.ts";
import type { ServiceSizes } from "./serviceSizes.ts";
import type { VersionFloor } from "./versionFloor.ts";

/** The result of one service's items. */
export interface Applied {
  /** The changes that its subscribers see. */
  readonly changes: DatumChange[];
  /** All applied items. */
  readonly taken: PublishItem[];
  /** The service has another number of publications; they may be hidden. */
  isResized: boolean;
}

interface Parts {
  readonly versions: Pick<VersionFloor, "give">;
  readonly hold: Pick<RestartHold, "holds">;
  readonly sizes: Pick<ServiceSizes, "resized">;
  readonly notices: Pick<Notices, "changed">;
  readonly followers: Pick<Followers, "changed">;
  readonly catalogue: Pick<Catalogue, "touched">;
  readonly protection: Pick<LossProtection, "changed">;
  readonly versionsMade: CounterPort;
  readonly output: Pick<DataOutput, "versionMade">;
}

export class Commits {
  readonly #parts: Parts;
  /** Datums whose restart hold has ended with a commit, until the caller takes them. */
  #released: Datum[] = [];

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  commit(led: LedSlot, datum: Datum, { changes, taken, isResized }: Applied, nowMs: number): void {
    const { followers, protection } = this.#parts;
    if (changes.length > 0) this.#change(led, datum, changes, nowMs);
    else if (isResized) this.#resize(datum, nowMs);
    if (taken.length > 0 || changes.length > 0) followers.changed(led, datum, taken);
    protection.changed(datum, nowMs);
    led.contents.dropIfIdle(datum);
  }

  /** The datums whose restart hold has ended since the last call: they are to be shown. */
  takeReleased(): readonly Datum[] {
    const released = this.#released;
    if (released.length > 0) this.#released = [];
    return released;
  }

  #change(led: LedSlot, datum: Datum, changes: readonly DatumChange[], nowMs: number): void {
    const { versions, hold, notices, versionsMade, output } = this.#parts;
    const delta = datum.commit(changes, versions.give(nowMs, led.leaderEpoch));
    versionsMade.add(1);
    output.versionMade?.(delta);
    this.#parts.catalogue.touched(datum.serviceKey);
    const wasHeld = hold.holds(datum);
    this.#resize(datum, nowMs);
    if (led.isServing && !wasHeld) return notices.changed(datum, delta, nowMs);
    datum.interest.isUntold = true;
  }

  /** The hold counts hidden publications too: they are back. */
  #resize(datum: Datum, nowMs: number): void {
    const { hold, sizes } = this.#parts;
    const wasHeld = hold.holds(datum);
    sizes.resized(datum, nowMs);
    if (wasHeld && !hold.holds(datum)) this.#released.push(datum);
  }
}
