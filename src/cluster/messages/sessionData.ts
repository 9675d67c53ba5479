// The messages between session and data nodes. Links between nodes are ordered and lose messages only by being closed.
// After a close both sides repeat whatever the other may have missed, so no message needs to arrive more than once, and
// each may arrive twice.

import type { DatumDelta, DatumSnapshot, DatumVersion } from "../../model/datum.ts";
import type { ClientId, ServiceKey } from "../../model/ids.ts";
import type { Publication, Stamp } from "../../model/publication.ts";
import type { AddressAnswerPart, AddressQuestion } from "./address.ts";
import type { CatalogueMessage, CatalogueQuestion } from "./catalogue.ts";
import type { Renew, Renewed } from "./lease.ts";
import type { SlotDigest } from "./slotDigest.ts";
import type { SurveyFromSession, SurveyToSession } from "./survey.ts";

/** A removal. It names the registration that it removes, so a late removal never removes a newer registration. */
export interface Removal {
  readonly serviceKey: ServiceKey;
  readonly registId: string;
  /**
   * `unpublished`: a client took it back; everything older than `stamp` goes. `left`: the client is gone; the
   * registration of this stamp goes, or an older one that it replaced in an item that was merged away.
   */
  readonly cause: "unpublished" | "left";
  readonly stamp: Stamp;
  /** The client that took it back; sessions of earlier releases do not name it. */
  readonly client?: ClientId;
  /** It takes back a registration that is kept by a lease, and no other one. */
  readonly isOfLease?: boolean;
}

/** One change that a session passes on. */
export type PublishItem =
  | { readonly kind: "put"; readonly publication: Publication }
  | { readonly kind: "remove"; readonly removal: Removal };

/** The service of an item. */
export function serviceKeyOf(item: PublishItem): ServiceKey {
  return item.kind === "put" ? item.publication.serviceKey : item.removal.serviceKey;
}

/** The registration of an item. */
export function registIdOf(item: PublishItem): string {
  return item.kind === "put" ? item.publication.registId : item.removal.registId;
}

/**
 * The most items in a batch. The bound keeps one large client from delaying the others, and lets the decoded items
 * become garbage before they grow old: with a thousand, a data node's heap was three times as large.
 */
export const BATCH_ITEMS_MAX = 500;

/** One registration that a session holds. */
export interface InventoryEntry extends Stamp {
  readonly serviceKey: ServiceKey;
  readonly registId: string;
}

/** A registration of a session that lost against a newer one, or against a removal, with the winning stamp. */
export interface Superseded {
  readonly serviceKey: ServiceKey;
  readonly registId: string;
  /** The losing stamp. */
  readonly stamp: Stamp;
  readonly by: Stamp;
  /**
   * The winner is a removal, or comes from a session that is gone: no other session answers for the registration now.
   */
  readonly isRemoved: boolean;
  /** It would have won, but a client at another session holds the registration and is there or may return. */
  readonly holder?: ClientId;
}

/** A registration that is not listed, because it would make the list of its service too large. */
export interface Unlisted {
  readonly serviceKey: ServiceKey;
  readonly registId: string;
  /** The stamp that was sent. */
  readonly stamp: Stamp;
  /** The stamp that the session sent before and that is still listed. */
  readonly listed?: Stamp;
  /** The size of the list, and its bound. */
  readonly bytes: number;
  readonly bytesMax: number;
}

export type SessionToData =
  /** Changes for slots that the receiver leads, by the sender's table of `epoch`. Answered by `taken` or `moved`. */
  | { readonly kind: "publish"; readonly batch: number; readonly epoch: bigint; readonly items: readonly PublishItem[] }
  /**
   * "I have subscribers; my list is at this version." Answered by `snapshot`, `delta`, `current` or `notReady`; changes
   * follow as notices.
   */
  | { readonly kind: "fetch"; readonly serviceKey: ServiceKey; readonly have: DatumVersion }
  /** "I have no subscribers of these any more." */
  | { readonly kind: "release"; readonly serviceKeys: readonly ServiceKey[] }
  /**
   * Services with subscribers here, with the sender's versions: finds lost notices. Answered for each service that
   * differs.
   */
  | { readonly kind: "scan"; readonly versions: readonly (readonly [ServiceKey, DatumVersion])[] }
  /**
   * Digests of the sender's publications in slots that the receiver leads; first step of the repair. Answered by
   * `synced` for the slots that agree and by `differs` for the others.
   */
  | { readonly kind: "digests"; readonly epoch: bigint; readonly slots: readonly SlotDigest[] }
  /**
   * All publications of the sender in one slot, in parts; second step. With the last part the receiver drops everything
   * of this sender that is not in it, and answers `wanted` or `synced`.
   */
  | {
      readonly kind: "inventory";
      readonly epoch: bigint;
      readonly slot: number;
      readonly entries: readonly InventoryEntry[];
      readonly isFirst: boolean;
      readonly isLast: boolean;
    }
  /** Answers `challenged`: the challengers may have these registrations. */
  | { readonly kind: "yielded"; readonly registrations: readonly InventoryEntry[] }
  /** Answers `recall` with the sender's list; with an empty list of no version if the sender no longer has one. */
  | { readonly kind: "recalled"; readonly datum: DatumSnapshot }
  /**
   * "I have shown this version without some of its registrations, and can show them now." If the list still has that
   * version it gets a higher one with the same content: subscribers take no list twice under one version. Answered like
   * `fetch`. A data node of an earlier release ignores it.
   */
  | { readonly kind: "reissue"; readonly serviceKey: ServiceKey; readonly have: DatumVersion }
  | CatalogueQuestion
  | AddressQuestion
  | SurveyFromSession
  | Renew;

/** The messages to a session about one service's list. */
export type ListMessage =
  | { readonly kind: "snapshot"; readonly datum: DatumSnapshot }
  /** A change, as notice or as answer; a session that is not at `delta.base` fetches. */
  | { readonly kind: "delta"; readonly delta: DatumDelta }
  /** A change too large for a notice: fetch if you are not at `version`. */
  | { readonly kind: "changed"; readonly serviceKey: ServiceKey; readonly version: DatumVersion }
  /** The sender already has the newest version. */
  | { readonly kind: "current"; readonly serviceKey: ServiceKey };

export type DataToSession =
  | ListMessage
  | {
      readonly kind: "taken";
      readonly batch: number;
      readonly superseded: readonly Superseded[];
      readonly unlisted: readonly Unlisted[];
      /** The sender's memory is full: sessions should accept no new registrations for slots that it leads. */
      readonly isFull: boolean;
    }
  /** By its table of `epoch`, the receiver does not lead all of these slots; nothing of the batch was taken. */
  | { readonly kind: "moved"; readonly batch: number; readonly epoch: bigint }
  /** The list may be incomplete and is held; a `snapshot` follows unasked when it is complete. */
  | { readonly kind: "notReady"; readonly serviceKey: ServiceKey }
  /**
   * The receiver's list is newer than the one that this leader took over, and may name registrations of sessions that
   * the leader can't ask. Answered by `recalled`; the leader then answers the earlier question.
   */
  | { readonly kind: "recall"; readonly serviceKey: ServiceKey }
  /** These slots hold exactly what the session has. */
  | { readonly kind: "synced"; readonly slots: readonly number[] }
  /** These slots differ: send their inventory. */
  | { readonly kind: "differs"; readonly slots: readonly number[] }
  /** Registrations of the inventory that are missing here or older: publish them again, then send the digest. */
  | {
      readonly kind: "wanted";
      readonly slot: number;
      readonly keys: readonly (readonly [ServiceKey, registId: string])[];
      readonly superseded: readonly Superseded[];
    }
  /**
   * Clients of other sessions, at the same addresses, want these registrations of the receiver's clients. Answered by
   * `yielded` for those whose clients are gone or do not answer. Sessions of earlier releases do not answer.
   */
  | { readonly kind: "challenged"; readonly registrations: readonly InventoryEntry[] }
  | CatalogueMessage
  | AddressAnswerPart
  | SurveyToSession
  | Renewed;

/** The most entries in one part of an inventory. */
export const INVENTORY_ENTRIES_MAX = 5_000;
