// The follower's side of replication: a follower keeps copies of slots, so that it can lead them at once when the
// leader dies. It reports its state and gets the differences, then hears every change in the leader's order.

import { unreachable } from "../base/assert.ts";
import type { Metrics } from "../base/metrics.ts";
import type { LeaderToFollower } from "../cluster/messages/replication.ts";
import type { NodeId } from "../model/ids.ts";
import type { DataOutput } from "./dataPorts.ts";
import type { ForeignVersions } from "./foreignVersions.ts";
import type { RestartHold } from "./restartHold.ts";
import type { ServiceSizes } from "./serviceSizes.ts";
import type { FollowedSlot, Slots } from "./slots.ts";
import type { VersionFloor } from "./versionFloor.ts";

/** The interval at which a follower compares its state with its leader's; it also does so when it begins. */
const FOLLOW_INTERVAL_MS = 180_000;
// The leader has not heard of its lead yet, or this node not of another leader.
const RETRY_MS = 200;
// The leader's clock is far ahead. That will last for a while, and its copy of each slot is megabytes.
const REFUSED_RETRY_MS = 10_000;
// A node that begins with many slots copies a few at a time, which keeps the data under way at some megabytes.
const COPIES_PER_LEADER_MAX = 4;
interface Parts {
  readonly slots: Slots;
  readonly hold: Pick<RestartHold, "followChange">;
  readonly sizes: Pick<ServiceSizes, "resized" | "dropped" | "follow">;
  readonly versions: Pick<VersionFloor, "raise">;
  readonly foreign: Pick<ForeignVersions, "check">;
}

type Change = Extract<LeaderToFollower, { kind: "change" }>;
type Replica = Extract<LeaderToFollower, { kind: "replica" }>;
type NotLeader = Extract<LeaderToFollower, { kind: "notLeader" }>;

export class Following {
  readonly #parts: Parts;
  readonly #output: Pick<DataOutput, "toLeader">;
  readonly #metrics: Metrics;
  readonly #leaders = new Set<NodeId>();
  /**
   * The requests without an answer yet, by leader and slot. A slot that was taken from this node and given back is
   * another one, though its leader epoch may be the same: the answer to the first request is a difference to contents
   * that are gone.
   */
  readonly #open = new Map<NodeId, Map<number, FollowedSlot>>();
  /** Slots with a refused part in their present copy. */
  readonly #refused = new WeakSet<FollowedSlot>();
  /** The time of the next request to a leader; undefined if its basis has changed. */
  #nextMs: number | undefined;

  constructor(parts: Parts, output: Pick<DataOutput, "toLeader">, metrics: Metrics) {
    this.#parts = parts;
    this.#output = output;
    this.#metrics = metrics;
  }

  /** The leaders of the slots that this node follows. */
  leaders(): Set<NodeId> {
    return new Set([...this.#parts.slots.followed()].map(({ leader }) => leader));
  }

  /** There is a newer table. */
  adopted(): void {
    this.#nextMs = undefined;
  }

  leaderUp(node: NodeId): void {
    this.#nextMs = undefined;
    this.#leaders.add(node);
    this.#open.delete(node);
    for (const slot of this.#parts.slots.followed()) {
      if (slot.leader !== node) continue;
      slot.askedMs = Number.NEGATIVE_INFINITY;
      slot.isAsking = false;
    }
  }

  /** Its slots are out of date here from now on, if it still leads them. */
  leaderDown(node: NodeId): void {
    this.#nextMs = undefined;
    this.#leaders.delete(node);
    this.#open.delete(node);
    for (const slot of this.#parts.slots.followed()) if (slot.leader === node) slot.isInSync = false;
  }

  /** Sends the due requests to the leaders. */
  wake(nowMs: number): void {
    if (nowMs < this.nextMs()) return;
    this.#nextMs = undefined;
    for (const slot of this.#parts.slots.followed()) {
      const open = this.#open.get(slot.leader) ?? new Map<number, FollowedSlot>();
      if (nowMs < this.#dueMs(slot) || open.size >= COPIES_PER_LEADER_MAX) continue;
      this.#open.set(slot.leader, open.set(slot.contents.slot, slot));
      slot.askedMs = nowMs;
      slot.isAsking = true;
      this.#output.toLeader(slot.leader, {
        kind: "follow",
        slot: slot.contents.slot,
        leaderEpoch: slot.leaderEpoch,
        kept: [...slot.contents.keptVersions(), ...this.#parts.slots.untold.of(slot.contents.slot)],
      });
    }
  }

  nextMs(): number {
    this.#nextMs ??= this.#soonestMs();
    return this.#nextMs;
  }

  #soonestMs(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const slot of this.#parts.slots.followed()) {
      const underWay = this.#open.get(slot.leader)?.size ?? 0;
      if (underWay < COPIES_PER_LEADER_MAX) next = Math.min(next, this.#dueMs(slot));
    }
    return next;
  }

  /** The time of the request to the slot's leader; Infinity while there can be none. */
  #dueMs(slot: FollowedSlot): number {
    const isOpen = this.#open.get(slot.leader)?.has(slot.contents.slot) === true;
    return isOpen || !this.#leaders.has(slot.leader) ? Number.POSITIVE_INFINITY : slot.askedMs + FOLLOW_INTERVAL_MS;
  }

  /** A leader's message. Returns whether a slot is now here as a whole, which meta is to hear. */
  fromLeader(from: NodeId, message: LeaderToFollower, nowMs: number): boolean {
    const slot = this.#parts.slots.followedSlot(message.slot);
    const asker = message.kind === "change" ? slot : this.#answered(from, message);
    if (asker !== undefined && asker !== slot) return false;
    if (slot === undefined || slot.leader !== from || slot.leaderEpoch !== message.leaderEpoch) return false;
    switch (message.kind) {
      case "replica":
        return this.#copy(slot, message, nowMs);
      case "change":
        this.#follow(slot, message, nowMs);
        return false;
      case "notLeader":
        this.#retry(slot, RETRY_MS, nowMs);
        return false;
      default:
        return unreachable(message);
    }
  }

  /** The slot for which this is an answer, or a part of one; undefined if there is no such request. */
  #answered(from: NodeId, answer: Replica | NotLeader): FollowedSlot | undefined {
    const open = this.#open.get(from);
    const asker = open?.get(answer.slot);
    if (asker?.leaderEpoch !== answer.leaderEpoch) return undefined;
    if (answer.kind === "notLeader" || answer.isLast) {
      open?.delete(answer.slot);
      this.#nextMs = undefined;
    }
    return asker;
  }

  /** Takes a part of a copy. Returns whether it was the last one and the slot is here as a whole. */
  #copy(slot: FollowedSlot, { datums, gone, isLast, hold }: Replica, nowMs: number): boolean {
    const { slots, sizes, versions, foreign } = this.#parts;
    let repaired = gone.length;
    for (const replica of datums) {
      if (!foreign.check({ what: "replica", from: slot.leader, version: replica.version }, nowMs)) {
        this.#refused.add(slot);
        continue;
      }
      repaired++;
      const datum = slot.contents.replace(replica);
      versions.raise(replica.version);
      sizes.resized(datum, nowMs);
    }
    for (const serviceKey of gone) {
      slot.contents.drop(serviceKey);
      sizes.dropped({ serviceKey, slot: slot.contents.slot }, nowMs);
    }
    // A copy that was whole lacked something.
    if (slot.isInSync) this.#diverged({ found: datums.length + gone.length, repaired });
    if (!isLast) return false;
    if (this.#refused.delete(slot)) {
      this.#refuse(slot, nowMs);
      return false;
    }
    if (hold !== undefined) sizes.follow(slot.contents, hold, nowMs);
    this.#nextMs = undefined;
    slots.untold.told(slot.contents.slot);
    slot.contents.partial.clear();
    slot.isInSync = true;
    slot.hasCopy = true;
    slot.isAsking = false;
    return true;
  }

  #diverged({ found, repaired }: { found: number; repaired: number }): void {
    this.#metrics.add("roster_divergence_found_total", found, { by: "copy" });
    this.#metrics.add("roster_divergence_repaired_total", repaired, { by: "copy" });
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

  #follow(slot: FollowedSlot, { serviceKey, version, origin, items, expected, hidden }: Change, nowMs: number): void {
    const { contents } = slot;
    const { hold, sizes, versions, foreign } = this.#parts;
    if (!foreign.check({ what: "change", from: slot.leader, version }, nowMs)) {
      return slot.isAsking ? undefined : this.#refuse(slot, nowMs);
    }
    const datum = contents.datums.get(serviceKey) ?? contents.add(serviceKey, { version, origin });
    const sizeBefore = datum.size;
    for (const item of items) {
      // The leader knows which clients a remembered removal keeps out; the copy does not.
      if (item.kind === "put") datum.unbury(item.publication.registId);
      contents.apply(datum, item);
      // The leader repeats a registration that it holds to tell its condition.
      if (item.kind === "put") datum.followCondition(item.publication);
    }
    datum.follow({ version, origin }, hidden);
    if (!slot.isInSync) contents.partial.add(serviceKey);
    versions.raise(version);
    hold.followChange(datum, expected);
    if (datum.size !== sizeBefore) sizes.resized(datum, nowMs);
  }
}
