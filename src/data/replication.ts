// Followers keep copies of slots, so that one of them can lead at once when the leader dies. A follower reports its
// state and gets the differences, then hears every change in the leader's order. The leader does not wait for it: the
// sessions still know anything that a follower missed.

import type {
  FollowerToLeader,
  HeldVersion,
  LeaderToFollower,
  ReplicaDatum,
  SlotHold,
} from "../cluster/messages/replication.ts";
import type { PublishItem } from "../cluster/messages/sessionData.ts";
import type { DataInfoId, NodeId } from "../model/ids.ts";
import type { Datum } from "./datum.ts";
import type { RestartHold } from "./restartHold.ts";
import type { SlotContents } from "./slotContents.ts";
import type { FollowedSlot, LedSlot, Slots } from "./slots.ts";

/** The interval at which a follower compares its state with its leader's; it also does so when it begins. */
const FOLLOW_INTERVAL_MS = 180_000;
// The leader has not heard of its lead yet, or this node not of another leader.
const RETRY_MS = 200;
// The leader's clock is far ahead. That will last for a while, and its copy of each slot is megabytes.
const REFUSED_RETRY_MS = 10_000;
// A node that begins with many slots copies a few at a time, which keeps the data under way at some megabytes.
const COPIES_PER_LEADER_MAX = 4;
// A part of a replica is closed at this size, usually some megabytes.
const REPLICA_PUBLICATIONS_MAX = 5_000;
const REPLICA_BYTES_MAX = 4 * 1024 * 1024;

interface Effects {
  toLeader(node: NodeId, message: FollowerToLeader): void;
  toFollower(node: NodeId, message: LeaderToFollower): void;
  /** Whether a version named by the leader can be its own; if not, operators are told. */
  believes(what: "replica" | "change", from: NodeId, version: bigint): boolean;
  /** The leader gave this version. */
  versioned(version: bigint): void;
  /** A datum is here with as many publishers as its leader has. */
  resized(datum: Datum): void;
  /** The leader does not have this service any more. */
  dropped(service: { readonly dataInfoId: DataInfoId; readonly slot: number }): void;
  /** The services that the leader holds in a slot that has just been copied. */
  held(contents: SlotContents, hold: SlotHold): void;
  /** A follower of ours has this version: it led before, and sessions that heard it may have it too. */
  ahead(held: HeldVersion, from: NodeId): void;
  /** The slot is here as a whole. */
  isWhole(slot: FollowedSlot): void;
}

type Change = Extract<LeaderToFollower, { kind: "change" }>;
type Replica = Extract<LeaderToFollower, { kind: "replica" }>;

export class Replication {
  readonly #slots: Slots;
  readonly #hold: RestartHold;
  readonly #effects: Effects;
  readonly #leaders = new Set<NodeId>();
  /** Slots with a refused part in their present copy. */
  readonly #refused = new WeakSet<FollowedSlot>();
  /** The time of the next request to a leader; undefined if its basis has changed. */
  #nextMs: number | undefined;

  constructor({ slots, hold }: { slots: Slots; hold: RestartHold }, effects: Effects) {
    this.#slots = slots;
    this.#hold = hold;
    this.#effects = effects;
  }

  /** The leaders of the slots that this node follows. */
  leaders(): Set<NodeId> {
    return new Set([...this.#slots.followed()].map(({ leader }) => leader));
  }

  /** There is a newer table. */
  adopted(): void {
    this.#nextMs = undefined;
  }

  leaderUp(node: NodeId): void {
    this.#nextMs = undefined;
    this.#leaders.add(node);
    for (const slot of this.#slots.followed()) {
      if (slot.leader !== node) continue;
      slot.askedMs = Number.NEGATIVE_INFINITY;
      slot.isAsking = false;
    }
  }

  /** Its slots are out of date here from now on, if it still leads them. */
  leaderDown(node: NodeId): void {
    this.#nextMs = undefined;
    this.#leaders.delete(node);
    for (const slot of this.#slots.followed()) if (slot.leader === node) slot.isInSync = false;
  }

  followerDown(node: NodeId): void {
    for (const slot of this.#slots.led()) slot.followers.delete(node);
  }

  /** Sends the due requests to the leaders. */
  wake(nowMs: number): void {
    if (nowMs < this.nextMs()) return;
    this.#nextMs = undefined;
    const copies = this.#copiesUnderWay();
    for (const slot of this.#slots.followed()) {
      const underWay = copies.get(slot.leader) ?? 0;
      if (nowMs < this.#dueMs(slot) || underWay >= COPIES_PER_LEADER_MAX) continue;
      copies.set(slot.leader, underWay + 1);
      slot.askedMs = nowMs;
      slot.isAsking = true;
      this.#effects.toLeader(slot.leader, {
        kind: "follow",
        slot: slot.contents.slot,
        leaderEpoch: slot.leaderEpoch,
        held: [...slot.contents.heldVersions(), ...this.#slots.untold.of(slot.contents.slot)],
      });
    }
  }

  nextMs(): number {
    this.#nextMs ??= this.#soonestMs();
    return this.#nextMs;
  }

  #soonestMs(): number {
    const copies = this.#copiesUnderWay();
    let next = Number.POSITIVE_INFINITY;
    for (const slot of this.#slots.followed()) {
      if ((copies.get(slot.leader) ?? 0) < COPIES_PER_LEADER_MAX) next = Math.min(next, this.#dueMs(slot));
    }
    return next;
  }

  /** The time of the request to the slot's leader; Infinity while there can be none. */
  #dueMs(slot: FollowedSlot): number {
    if (slot.isAsking || !this.#leaders.has(slot.leader)) return Number.POSITIVE_INFINITY;
    return slot.askedMs + FOLLOW_INTERVAL_MS;
  }

  #copiesUnderWay(): Map<NodeId, number> {
    const copies = new Map<NodeId, number>();
    for (const { leader, isAsking } of this.#slots.followed()) {
      if (isAsking) copies.set(leader, (copies.get(leader) ?? 0) + 1);
    }
    return copies;
  }

  fromFollower(from: NodeId, { slot, leaderEpoch, held }: FollowerToLeader, nowMs: number): void {
    const led = this.#slots.ledSlot(slot);
    if (led === undefined || led.leaderEpoch !== leaderEpoch) {
      return this.#effects.toFollower(from, { kind: "notLeader", slot, leaderEpoch });
    }
    for (const one of held) this.#effects.ahead(one, from);
    const { datums, gone } = led.contents.differenceTo(held);
    const parts = inParts(datums);
    for (const [at, part] of parts.entries()) {
      const isLast = at === parts.length - 1;
      this.#effects.toFollower(from, {
        kind: "replica",
        slot,
        leaderEpoch,
        datums: part,
        gone: at === 0 ? gone : [],
        isLast,
        ...(isLast && { hold: this.#hold.of(slot, nowMs) }),
      });
    }
    led.followers.add(from);
  }

  /** The followers hear the items that their leader has just taken. */
  changed(led: LedSlot, datum: Datum, items: readonly PublishItem[]): void {
    for (const follower of led.followers) {
      this.#effects.toFollower(follower, {
        ...datum.version,
        kind: "change",
        slot: datum.slot,
        leaderEpoch: led.leaderEpoch,
        dataInfoId: datum.dataInfoId,
        items,
        expected: this.#hold.expected(datum),
      });
    }
  }

  fromLeader(from: NodeId, message: LeaderToFollower, nowMs: number): void {
    const slot = this.#slots.followedSlot(message.slot);
    if (slot === undefined || slot.leader !== from || slot.leaderEpoch !== message.leaderEpoch) return;
    switch (message.kind) {
      case "replica":
        return this.#copy(slot, message, nowMs);
      case "change":
        return this.#follow(slot, message, nowMs);
      case "notLeader":
        return this.#retry(slot, RETRY_MS, nowMs);
    }
  }

  #copy(slot: FollowedSlot, { datums, gone, isLast, hold }: Replica, nowMs: number): void {
    for (const replica of datums) {
      if (!this.#effects.believes("replica", slot.leader, replica.version)) {
        this.#refused.add(slot);
        continue;
      }
      const datum = slot.contents.replace(replica);
      this.#effects.versioned(replica.version);
      this.#effects.resized(datum);
    }
    for (const dataInfoId of gone) {
      slot.contents.drop(dataInfoId);
      this.#effects.dropped({ dataInfoId, slot: slot.contents.slot });
    }
    if (!isLast) return;
    if (this.#refused.delete(slot)) return this.#refuse(slot, nowMs);
    if (hold !== undefined) this.#effects.held(slot.contents, hold);
    this.#nextMs = undefined;
    this.#slots.untold.told(slot.contents.slot);
    slot.isInSync = true;
    slot.hasCopy = true;
    slot.isAsking = false;
    this.#effects.isWhole(slot);
  }

  /** Something of the leader's was not taken: the copy is not whole. */
  #refuse(slot: FollowedSlot, nowMs: number): void {
    slot.isInSync = false;
    this.#retry(slot, REFUSED_RETRY_MS, nowMs);
  }

  /** Asks the leader again after `delayMs`. */
  #retry(slot: FollowedSlot, delayMs: number, nowMs: number): void {
    this.#nextMs = undefined;
    slot.isAsking = false;
    slot.askedMs = nowMs - FOLLOW_INTERVAL_MS + delayMs;
  }

  #follow(slot: FollowedSlot, { dataInfoId, version, origin, items, expected }: Change, nowMs: number): void {
    const { contents } = slot;
    if (!this.#effects.believes("change", slot.leader, version)) {
      return slot.isAsking ? undefined : this.#refuse(slot, nowMs);
    }
    const datum = contents.datums.get(dataInfoId) ?? contents.add(dataInfoId, { version, origin });
    const sizeBefore = datum.size;
    for (const item of items) {
      // The leader knows which clients a remembered removal keeps out; the copy does not.
      if (item.kind === "put") datum.unbury(item.publication.registId);
      contents.apply(datum, item);
    }
    datum.follow({ version, origin });
    this.#effects.versioned(version);
    this.#hold.followChange(datum, expected);
    if (datum.size !== sizeBefore) this.#effects.resized(datum);
  }
}

/** At least one part, so that a follower that lacks nothing hears that too. */
function inParts(datums: readonly ReplicaDatum[]): ReplicaDatum[][] {
  const parts: ReplicaDatum[][] = [[]];
  let publications = 0;
  let bytes = 0;
  for (const datum of datums) {
    if (publications >= REPLICA_PUBLICATIONS_MAX || bytes >= REPLICA_BYTES_MAX) {
      parts.push([]);
      publications = 0;
      bytes = 0;
    }
    parts.at(-1)?.push(datum);
    publications += 1 + datum.publications.length + datum.tombstones.length;
    bytes += datum.publications.reduce((sum, { payload }) => sum + payload.length, 0);
  }
  return parts;
}
