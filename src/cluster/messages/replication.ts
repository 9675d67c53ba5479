// The messages between data nodes: from the follower of a slot to its leader, and back. The follower asks, so a lost
// link leaves nothing to remember on the leader's side. Links are ordered; the next `follow` finds whatever was lost
// with a link.

import type { ServiceKey } from "../../model/ids.ts";
import type { Publication, Stamp } from "../../model/publication.ts";
import type { PublishItem } from "./sessionData.ts";

/** The state of one service at a follower: with equal version and equal origin it is the leader's state. */
export interface KeptVersion {
  readonly serviceKey: ServiceKey;
  readonly version: bigint;
  readonly origin: bigint;
  /** The number of publications, and a digest of their stamps and owners: an owner may change without a new version. */
  readonly count: number;
  readonly digest: bigint;
}

/** The cause of a remembered removal. */
export interface Remover {
  /** Whether the removal found a registration. */
  readonly found: "held" | "nothing";
  /** The number of the host whose client is the cause (`hostNumberOf`). */
  readonly host: number;
}

/** One service with everything that its leader knows of it. */
export interface ReplicaDatum {
  readonly serviceKey: ServiceKey;
  readonly version: bigint;
  readonly origin: bigint;
  readonly publications: readonly Publication[];
  /** The digest of the publications that the leader hides at this version; leaders of earlier releases hide none. */
  readonly hidden?: number;
  /** Leaders of earlier releases do not name the remover. */
  readonly tombstones: readonly (readonly [registId: string, stamp: Stamp, by?: Remover])[];
}

/**
 * The services of a slot that a leader holds since a restart because publishers are still missing: a copy is as short
 * as the leader's lists. It may name services that have no datum at the leader.
 */
export interface SlotHold {
  /** The time until the hold ends. */
  readonly remainingMs: number;
  /** The number of publishers that each service needs before that; empty if nothing is held. */
  readonly expected: readonly (readonly [ServiceKey, number])[];
}

export type FollowerToLeader = {
  /** "I follow this slot and hold these." Answered by `replica` messages for what differs, then by every change. */
  readonly kind: "follow";
  readonly slot: number;
  readonly leaderEpoch: bigint;
  readonly kept: readonly KeptVersion[];
};

export type LeaderToFollower =
  /** Part of the answer to `follow`. After the part with `isLast` the follower holds the slot whole. */
  | {
      readonly kind: "replica";
      readonly slot: number;
      readonly leaderEpoch: bigint;
      readonly datums: readonly ReplicaDatum[];
      /** Services that the follower holds and the leader does not. */
      readonly gone: readonly ServiceKey[];
      readonly isLast: boolean;
      /** Only in the last part. */
      readonly hold?: SlotHold;
    }
  /** Changes that the leader has just taken, in its order; they bring the service to `version`. */
  | {
      readonly kind: "change";
      readonly slot: number;
      readonly leaderEpoch: bigint;
      readonly serviceKey: ServiceKey;
      readonly version: bigint;
      readonly origin: bigint;
      readonly items: readonly PublishItem[];
      /** The number of publishers that the service needs to be shown while it is held; 0 if it is not held. */
      readonly expected: number;
      /** As in `ReplicaDatum`. */
      readonly hidden?: number;
    }
  /** The sender does not lead the slot under that epoch. The next table, or the next attempt, resolves it. */
  | { readonly kind: "notLeader"; readonly slot: number; readonly leaderEpoch: bigint };
