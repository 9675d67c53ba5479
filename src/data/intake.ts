// The way of a batch into the datums of led slots: the newest items are applied, and all changes of one service become
// one version and one notice.

import {
  dataInfoIdOf,
  type PublishItem,
  registIdOf,
  type Superseded,
  type Unlisted,
} from "../cluster/messages/sessionData.ts";
import type { DatumChange, DatumVersion } from "../model/datum.ts";
import type { NodeId } from "../model/ids.ts";
import { compareStamps } from "../model/publication.ts";
import type { Datum } from "./datum.ts";
import { outgrowing } from "./listBound.ts";
import type { Registration } from "./packed/publicationStore.ts";
import { leftItem, supersededBy } from "./reconciliation.ts";
import type { LedSlot, Slots } from "./slots.ts";

/** The result of one service's items. */
export interface Applied {
  /** The changes that its subscribers see. */
  readonly changes: DatumChange[];
  /** All applied items. */
  readonly taken: PublishItem[];
}

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

interface Effects {
  newVersion(leaderEpoch: bigint): DatumVersion;
  /** Whether a removal concerns a registration for which another session may answer. */
  refuses(
    item: PublishItem & { kind: "remove" },
    from: NodeId | undefined,
    where: { readonly led: LedSlot; readonly datum: Datum },
  ): boolean;
  /**
   * Judges a session's item for a registration that another session's client holds. `newest`: stamps decide.
   * `claimant`: its client gets the registration, under any version. Or the answer to the session: it gets nothing.
   */
  judges(
    item: PublishItem,
    from: NodeId,
    where: { readonly led: LedSlot; readonly live: Registration },
  ): Superseded | "newest" | "claimant";
  /** A client has taken back a listed registration. */
  unpublished(datum: Datum): void;
  commit(led: LedSlot, datum: Datum, applied: Applied): void;
}

export class Intake {
  readonly #slots: Slots;
  readonly #serviceBytesMax: number;
  readonly #effects: Effects;

  constructor(slots: Slots, { serviceBytesMax }: { serviceBytesMax: number }, effects: Effects) {
    this.#slots = slots;
    this.#serviceBytesMax = serviceBytesMax;
    this.#effects = effects;
  }

  /** Applies items, those of a session if `from` names one. */
  take(items: readonly PublishItem[], from?: NodeId): NotTaken {
    const touched = new Map<Datum, Touched>();
    const notTaken: NotTaken = { superseded: [], unlisted: [] };
    const bound = { from, bytesMax: this.#serviceBytesMax };
    for (const item of items) {
      const led = this.#slots.leading(dataInfoIdOf(item));
      const datum = led === undefined ? undefined : this.#datumFor(led, item);
      if (led === undefined || datum === undefined) continue;
      if (item.kind === "remove" && this.#effects.refuses(item, from, { led, datum })) continue;
      if (from !== undefined) led.spoke.add(from);
      const applied = touched.get(datum) ?? { led, changes: [], taken: [] };
      touched.set(datum, applied);
      const held = datum.registration(registIdOf(item));
      const isForeign = from !== undefined && held !== undefined && held.owner.session !== from;
      const verdict = isForeign ? this.#effects.judges(item, from, { led, live: held }) : "newest";
      const live = verdict === "claimant" ? this.#makeWay(datum, item, applied) : held;
      const outgrown = item.kind === "put" ? outgrowing(datum, item.publication, bound) : undefined;
      if (typeof verdict === "object") notTaken.superseded.push(verdict);
      else if (outgrown !== undefined) notTaken.unlisted.push(outgrown);
      else if (!this.#apply(datum, item, { live, from }, applied) && item.kind === "put") {
        notTaken.superseded.push(supersededBy(datum, item.publication));
      }
    }
    for (const [datum, applied] of touched) this.#effects.commit(applied.led, datum, applied);
    return notTaken;
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
    { led, changes, taken }: Touched,
  ): boolean {
    const isLate = from !== undefined && !led.upToDate.has(from);
    const change = led.contents.applyOver(datum, item, { before: live, isLate });
    if (change === "refused") return false;
    taken.push(item);
    if (change === "unseen") return true;
    changes.push(change);
    if (item.kind === "remove" && item.removal.cause === "unpublished") this.#effects.unpublished(datum);
    return true;
  }

  // A removal from an unknown service leaves nothing to remember; otherwise any client could fill the memory with
  // removals.
  #datumFor({ leaderEpoch, contents }: LedSlot, item: PublishItem): Datum | undefined {
    const dataInfoId = dataInfoIdOf(item);
    const known = contents.datums.get(dataInfoId);
    if (known !== undefined || item.kind === "remove") return known;
    return contents.add(dataInfoId, this.#effects.newVersion(leaderEpoch));
  }
}
