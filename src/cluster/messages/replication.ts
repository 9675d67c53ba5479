// What data nodes say to each other: the follower of a slot to its leader, and back. The follower asks, so that a lost
// link needs no memory on the leader's side. Links are ordered; what was lost with one is found by the next `follow`.

import type { DataInfoId } from "../../model/ids.ts";
import type { Publication, Stamp } from "../../model/publication.ts";
import type { PublishItem } from "./sessionData.ts";

/** What a follower holds of one service: at an equal version of equal origin it is the same as the leader's. */
export interface HeldVersion {
  readonly dataInfoId: DataInfoId;
  readonly version: bigint;
  readonly origin: bigint;
  /** Publications, and a digest of their stamps and owners: an owner may change without a new version. */
  readonly count: number;
  readonly digest: bigint;
}

/** How it came to a removal that is remembered. */
export interface Remover {
  /** What it removed: a registration, or nothing. */
  readonly found: "held" | "nothing";
  /** The number of the host whose client is the cause (`hostNumberOf`). */
  readonly host: number;
}

/** One service with all that its leader knows of it. */
export interface ReplicaDatum {
  readonly dataInfoId: DataInfoId;
  readonly version: bigint;
  readonly origin: bigint;
  readonly publications: readonly Publication[];
  /** Leaders of earlier releases don't say by whom. */
  readonly tombstones: readonly (readonly [registId: string, stamp: Stamp, by?: Remover])[];
}

/**
 * What a leader holds back of a slot since a restart, because not all publishers are back: a copy is as short as its
 * lists are. Services may be among it that it has no datum of.
 */
export interface SlotHold {
  /** It ends in so many milliseconds. */
  readonly remainingMs: number;
  /** How many publishers each service is to have before that; none: nothing is held. */
  readonly expected: readonly (readonly [DataInfoId, number])[];
}

export type FollowerToLeader = {
  /** "I follow this slot and hold these." Answered by `replica` messages for what differs, then by every change. */
  readonly kind: "follow";
  readonly slot: number;
  readonly leaderEpoch: bigint;
  readonly held: readonly HeldVersion[];
};

export type LeaderToFollower =
  /** Part of the answer to `follow`. After the part with `isLast` the follower holds the slot whole. */
  | {
      readonly kind: "replica";
      readonly slot: number;
      readonly leaderEpoch: bigint;
      readonly datums: readonly ReplicaDatum[];
      /** Services that the follower holds and the leader does not. */
      readonly gone: readonly DataInfoId[];
      readonly isLast: boolean;
      /** With the last part. */
      readonly hold?: SlotHold;
    }
  /** What the leader has just taken, in its order; the service is at `version` then. */
  | {
      readonly kind: "change";
      readonly slot: number;
      readonly leaderEpoch: bigint;
      readonly dataInfoId: DataInfoId;
      readonly version: bigint;
      readonly origin: bigint;
      readonly items: readonly PublishItem[];
      /** How many publishers it must have to be shown, while it is held; 0 if it is not. */
      readonly expected: number;
    }
  /** The sender does not lead the slot under that epoch. The next table, or the next try, will tell. */
  | { readonly kind: "notLeader"; readonly slot: number; readonly leaderEpoch: bigint };
