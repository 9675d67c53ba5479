// The way of a batch into the datums of led slots: the newest items are applied, and all changes of one service become
// one version and one notice.

import {
  type PublishItem,
  registIdOf,
  type Superseded,
  serviceKeyOf,
  type Unlisted,
} from "../cluster/messages/sessionData.ts";
import type { NodeId } from "../model/ids.ts";
import { compareStamps, isKeptByLease, LEASE_KEEPER, type Registration } from "../model/publication.ts";
import type { Applied, Commits } from "./commits.ts";
import type { Contention } from "./contention.ts";
import type { Datum } from "./datum.ts";
import { entryOf, heldBy, isOfLease, leftItem, supersededBy } from "./items.ts";
import type { LeaseTable } from "./leaseTable.ts";
import type { LedSlot } from "./ledSlot.ts";
import { outgrowing } from "./listBound.ts";
import type { RestartHold } from "./restartHold.ts";
import type { Slots } from "./slots.ts";
import type { VersionFloor } from "./versionFloor.ts";

/** The items of a batch that were not applied. */
export interface NotTaken {
  /** Refused because of something newer. */
  readonly superseded: Superseded[];
  /** It would make a list too large. */
  readonly unlisted: Unlisted[];
}

interface Touched extends Applied {
  readonly led: LedSlot;
}

interface Parts {
  readonly slots: Pick<Slots, "leading">;
  readonly versions: Pick<VersionFloor, "give">;
  readonly hold: Pick<RestartHold, "unpublished">;
  readonly contention: Pick<Contention, "keepOut" | "judge">;
  readonly commits: Pick<Commits, "commit">;
  readonly leases: Pick<LeaseTable, "put" | "removed">;
}

export class Intake {
  readonly #parts: Parts;
  readonly #serviceBytesMax: number;

  constructor(parts: Parts, { serviceBytesMax }: { serviceBytesMax: number }) {
    this.#parts = parts;
    this.#serviceBytesMax = serviceBytesMax;
  }

  /** Applies items, those of a session if `from` names one. */
  take(items: readonly PublishItem[], nowMs: number, from?: NodeId): NotTaken {
    const { slots, contention, commits } = this.#parts;
    const touched = new Map<Datum, Touched>();
    const notTaken: NotTaken = { superseded: [], unlisted: [] };
    const bound = { from, bytesMax: this.#serviceBytesMax };
    for (const item of items) {
      const led = slots.leading(serviceKeyOf(item));
      const datum = led === undefined ? undefined : this.#datumFor(led, item, nowMs);
      if (led === undefined || datum === undefined) continue;
      if (item.kind === "remove" && contention.keepOut(item, from, { led, datum, nowMs })) continue;
      const ofLease = isOfLease(item);
      if (from !== undefined) led.spoke.add(ofLease ? LEASE_KEEPER : from);
      const applied = touched.get(datum) ?? { led, changes: [], taken: [], isResized: false };
      touched.set(datum, applied);
      const held = datum.registration(registIdOf(item));
      const isForeign = !ofLease && from !== undefined && held !== undefined && held.owner.session !== from;
      let verdict = isForeign ? contention.judge(item, from, { led, live: held, nowMs }) : "newest";
      // Heartbeats do not take over what a connection keeps.
      if (ofLease && held !== undefined && !isKeptByLease(held)) verdict = heldBy(held, item);
      const live = verdict === "claimant" ? this.#makeWay(datum, item, applied) : held;
      const outgrown = item.kind === "put" ? outgrowing(datum, item.publication, bound) : undefined;
      if (typeof verdict === "object") notTaken.superseded.push(verdict);
      else if (outgrown !== undefined) notTaken.unlisted.push(outgrown);
      else if (this.#apply(datum, item, { live, from }, applied)) this.#keep(led, item, { before: held, from, nowMs });
      else if (item.kind === "put" || ofLease) {
        notTaken.superseded.push(supersededBy(datum, entryOf(item)));
        // By a clock that is behind a client's return looks old. Its session publishes it again with a later time, and
        // is asked if the removal from the session that the client has left is here before that.
        if (isForeign && !isKeptByLease(held)) {
          led.contents.contests.claimed(from, entryOf(item), { winner: held, isLate: true });
        }
      }
    }
    for (const [datum, applied] of touched) commits.commit(applied.led, datum, applied, nowMs);
    return notTaken;
  }

  /** Begins or ends the lease of a registration. */
  #keep(
    { contents: { slot } }: LedSlot,
    item: PublishItem,
    { before, from, nowMs }: { before: Registration | undefined; from: NodeId | undefined; nowMs: number },
  ): void {
    const { leases } = this.#parts;
    if (item.kind === "put" && isKeptByLease(item.publication)) {
      // Without a session it is from a list that one was shown.
      return leases.put(item.publication, { slot, nowMs, isDoubtful: from === undefined });
    }
    if (before !== undefined && isKeptByLease(before)) leases.removed(before.serviceKey, before.registId);
  }

  /** A holder that has gone is removed if its stamp would keep `item` out, here and at followers. */
  #makeWay(datum: Datum, item: PublishItem, applied: Touched): Registration | undefined {
    const held = datum.registration(registIdOf(item));
    if (held === undefined || item.kind === "remove" || compareStamps(item.publication, held) > 0) return held;
    this.#apply(datum, leftItem(held), { live: held, from: undefined }, applied);
    return undefined;
  }

  /** False if something newer is known. */
  #apply(
    datum: Datum,
    item: PublishItem,
    { live, from }: { live: Registration | undefined; from: NodeId | undefined },
    applied: Touched,
  ): boolean {
    const { led, changes, taken } = applied;
    const isLate = from !== undefined && !led.isUpToDate(from);
    const sizeBefore = datum.size;
    const change = led.contents.applyOver(datum, item, { before: live, isLate });
    if (change === "refused") return false;
    taken.push(item);
    if (change !== "unseen") changes.push(change);
    if (datum.size === sizeBefore) return true;
    applied.isResized = true;
    if (item.kind === "remove" && item.removal.cause === "unpublished") this.#parts.hold.unpublished(datum);
    return true;
  }

  // A removal from an unknown service leaves nothing to remember; otherwise any client could fill the memory with
  // removals.
  #datumFor({ leaderEpoch, contents }: LedSlot, item: PublishItem, nowMs: number): Datum | undefined {
    const serviceKey = serviceKeyOf(item);
    const known = contents.datums.get(serviceKey);
    if (known !== undefined || item.kind === "remove") return known;
    return contents.add(serviceKey, this.#parts.versions.give(nowMs, leaderEpoch));
  }
}
