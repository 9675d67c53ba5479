// What session and data nodes say to each other. Connections between nodes are ordered and lose nothing but by being
// closed; after a close both sides repeat what the other may have missed, so no message needs to arrive more than once,
// and each may arrive twice.

import type { DatumDelta, DatumSnapshot, DatumVersion } from "../../model/datum.ts";
import type { ClientId, DataInfoId } from "../../model/ids.ts";
import type { Publication, Stamp } from "../../model/publication.ts";

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
  /** Which client took it back; sessions of earlier releases don't say. */
  readonly client?: ClientId;
}

/** One change that a session passes on. */
export type PublishItem =
  | { readonly kind: "put"; readonly publication: Publication }
  | { readonly kind: "remove"; readonly removal: Removal };

/** The service that an item is about. */
export function dataInfoIdOf(item: PublishItem): DataInfoId {
  return item.kind === "put" ? item.publication.dataInfoId : item.removal.dataInfoId;
}

/** The registration that an item is about. */
export function registIdOf(item: PublishItem): string {
  return item.kind === "put" ? item.publication.registId : item.removal.registId;
}

/**
 * At most so many items travel in a batch, so that one large client does not delay the others behind it, and so that
 * what a data node decodes is garbage again before it has grown old: with a thousand its heap was three times as large.
 */
export const BATCH_ITEMS_MAX = 500;

/** The publications of one session in one slot, summed up: how many, and a digest of their keys and stamps. */
export interface SlotDigest {
  readonly slot: number;
  readonly count: number;
  readonly digest: bigint;
}

/** One registration that a session holds. */
export interface InventoryEntry extends Stamp {
  readonly dataInfoId: DataInfoId;
  readonly registId: string;
}

/** A registration of a session that lost against a newer one, or against a removal, with the stamp that won. */
export interface Superseded {
  readonly dataInfoId: DataInfoId;
  readonly registId: string;
  /** The stamp that lost. */
  readonly stamp: Stamp;
  readonly by: Stamp;
  /** What won is a removal, or was said by a session that is gone: nobody else answers for the registration now. */
  readonly isRemoved: boolean;
  /** It would have won, but another client holds the registration, at another session, and is there or may be back. */
  readonly holder?: ClientId;
}

/** A registration that is not listed, because it would make the list of its service too large. */
export interface Unlisted {
  readonly dataInfoId: DataInfoId;
  readonly registId: string;
  /** What was sent. */
  readonly stamp: Stamp;
  /** What its session had sent before, and is still listed. */
  readonly listed?: Stamp;
  /** What the list takes, and may take. */
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
  | { readonly kind: "fetch"; readonly dataInfoId: DataInfoId; readonly have: DatumVersion }
  /** "I have no subscribers of these any more." */
  | { readonly kind: "release"; readonly dataInfoIds: readonly DataInfoId[] }
  /**
   * Services with subscribers here, with the version that the sender has: finds what was lost. Answered per service
   * that differs.
   */
  | { readonly kind: "scan"; readonly versions: readonly (readonly [DataInfoId, DatumVersion])[] }
  /**
   * What the sender's clients publish in slots that the receiver leads; first step of the repair. Answered by
   * `synced` for the slots that agree and by `differs` for the others.
   */
  | { readonly kind: "digests"; readonly epoch: bigint; readonly slots: readonly SlotDigest[] }
  /**
   * Everything that the sender's clients publish in one slot, in parts; second step. With the last part the receiver
   * drops what it holds of this sender and is not in it, and answers `wanted` or `synced`.
   */
  | {
      readonly kind: "inventory";
      readonly epoch: bigint;
      readonly slot: number;
      readonly entries: readonly InventoryEntry[];
      readonly isFirst: boolean;
      readonly isLast: boolean;
    }
  /** Answers `challenged`: whoever wants these may have them. */
  | { readonly kind: "yielded"; readonly registrations: readonly InventoryEntry[] }
  /** Answers `recall`: the list that the sender has; of no version, and empty, if it has none any more. */
  | { readonly kind: "recalled"; readonly datum: DatumSnapshot };

/** What a session learns of one service's list. */
export type ListMessage =
  | { readonly kind: "snapshot"; readonly datum: DatumSnapshot }
  /** A change, as notice or as answer; whoever is not at `delta.base` fetches. */
  | { readonly kind: "delta"; readonly delta: DatumDelta }
  /** A change too large for a notice: fetch if you are not at `version`. */
  | { readonly kind: "changed"; readonly dataInfoId: DataInfoId; readonly version: DatumVersion }
  /** The sender already has the newest version. */
  | { readonly kind: "current"; readonly dataInfoId: DataInfoId };

export type DataToSession =
  | ListMessage
  | {
      readonly kind: "taken";
      readonly batch: number;
      readonly superseded: readonly Superseded[];
      readonly unlisted: readonly Unlisted[];
      /** The sender's memory is full: nothing new should be registered for what it leads. */
      readonly isFull: boolean;
    }
  /** The receiver does not lead all of it by its table, which is at `epoch`; nothing of the batch was taken. */
  | { readonly kind: "moved"; readonly batch: number; readonly epoch: bigint }
  /** The list may not be complete and is held; a `snapshot` follows by itself when it is. */
  | { readonly kind: "notReady"; readonly dataInfoId: DataInfoId }
  /**
   * The list that the receiver has is newer than what this leader took over, and may name registrations of sessions
   * that the leader can't ask. Answered by `recalled`; then the leader answers what it was asked before.
   */
  | { readonly kind: "recall"; readonly dataInfoId: DataInfoId }
  /** These slots hold exactly what the session has. */
  | { readonly kind: "synced"; readonly slots: readonly number[] }
  /** These don't: send their inventory. */
  | { readonly kind: "differs"; readonly slots: readonly number[] }
  /** Registrations of the inventory that are missing here or older: publish them (again), then the digest. */
  | {
      readonly kind: "wanted";
      readonly slot: number;
      readonly keys: readonly (readonly [DataInfoId, registId: string])[];
      readonly superseded: readonly Superseded[];
    }
  /**
   * Clients of other sessions, at the same addresses, want these registrations of the receiver's clients. Answered by
   * `yielded` for those whose clients are gone, or don't answer. Sessions of earlier releases say nothing to it.
   */
  | { readonly kind: "challenged"; readonly registrations: readonly InventoryEntry[] };

/** So many entries travel in one part of an inventory. */
export const INVENTORY_ENTRIES_MAX = 5_000;
