// What session and data nodes say to each other. Connections between nodes are ordered and lose nothing but by being
// closed; after a close both sides repeat what the other may have missed, so no message needs to arrive more than once,
// and each may arrive twice.

import type { DatumDelta, DatumSnapshot } from "../model/datum.ts";
import type { DataInfoId } from "../model/ids.ts";
import type { Publication, Stamp } from "../model/publication.ts";

/** A removal, which names what it removes: a late one never removes a newer registration. */
export interface Removal {
  readonly dataInfoId: DataInfoId;
  readonly registId: string;
  /**
   * `unpublished`: a client took it back, everything older than `stamp` goes. `left`: its client is gone, the
   * registration of this stamp goes, or an older one that it replaced in an item which was merged away.
   */
  readonly cause: "unpublished" | "left";
  readonly stamp: Stamp;
}

/** One change that a session passes on. */
export type PublishItem =
  | { readonly kind: "put"; readonly publication: Publication }
  | { readonly kind: "remove"; readonly removal: Removal };

/** The service that an item is about. */
export function dataInfoIdOf(item: PublishItem): DataInfoId {
  return item.kind === "put" ? item.publication.dataInfoId : item.removal.dataInfoId;
}

/** At most so many items travel in a batch, so that one large client does not delay the others behind it. */
export const BATCH_ITEMS_MAX = 100;

export type SessionToData =
  /** Changes for slots that the receiver leads, by the sender's table of `epoch`. Answered by `taken` or `moved`. */
  | { readonly kind: "publish"; readonly batch: number; readonly epoch: bigint; readonly items: readonly PublishItem[] }
  /**
   * "I have subscribers; my list is at version `have`." Answered by `snapshot`, `delta`, `current` or `notReady`;
   * changes follow as notices.
   */
  | { readonly kind: "fetch"; readonly dataInfoId: DataInfoId; readonly have: bigint }
  /** "I have no subscribers of these any more." */
  | { readonly kind: "release"; readonly dataInfoIds: readonly DataInfoId[] }
  /**
   * Every service with subscribers here, with the version that the sender has: finds what was lost. Answered per
   * service that differs.
   */
  | { readonly kind: "scan"; readonly versions: readonly (readonly [DataInfoId, bigint])[] };

export type DataToSession =
  | { readonly kind: "taken"; readonly batch: number }
  /** The receiver's table is older than the one at `epoch`; nothing of the batch was taken. */
  | { readonly kind: "moved"; readonly batch: number; readonly epoch: bigint }
  | { readonly kind: "snapshot"; readonly datum: DatumSnapshot }
  /** A change, as notice or as answer; whoever is not at `delta.base` fetches. */
  | { readonly kind: "delta"; readonly delta: DatumDelta }
  /** A change too large for a notice: fetch if `version` is higher than yours. */
  | { readonly kind: "changed"; readonly dataInfoId: DataInfoId; readonly version: bigint }
  /** The sender already has the newest version. */
  | { readonly kind: "current"; readonly dataInfoId: DataInfoId }
  /** The list may not be complete and is held; a `snapshot` follows by itself when it is. */
  | { readonly kind: "notReady"; readonly dataInfoId: DataInfoId };
