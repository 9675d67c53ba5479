// The slots of a data node: which it leads, which it follows, and what it holds of them, as the newest slot table says.

import type { SlotReport } from "../cluster/messages/membership.ts";
import type { InventoryEntry } from "../cluster/messages/sessionData.ts";
import type { DataInfoId, NodeId } from "../model/ids.ts";
import { type SlotOwner, type SlotTable, slotOf } from "../model/slot.ts";
import type { Datum } from "./datum.ts";
import { type SharedMemory, SlotContents } from "./slotContents.ts";
import { UntoldVersions } from "./untoldVersions.ts";

/**
 * A slot that this node leads. It answers only when it is serving: every live session has said what it holds, and none
 * that has come back is still saying it.
 */
export interface LedSlot {
  readonly duty: "lead";
  readonly leaderEpoch: bigint;
  readonly contents: SlotContents;
  /** Since when it has not been serving. */
  sinceMs: number;
  /** Sessions whose registrations of this slot are all here. */
  readonly heard: Set<NodeId>;
  /** Those of them whose link has stood since: what they say now is what they have just heard. */
  readonly upToDate: Set<NodeId>;
  /** Sessions that have said anything of theirs here since the lead began; what they had before is not all of it. */
  readonly spoke: Set<NodeId>;
  /** Sessions that have something which is not here yet, and were not heard before. */
  readonly awaited: Set<NodeId>;
  /** Registrations that sessions have and that have not come yet, by session, as `registId\ndataInfoId`. */
  readonly wanted: Map<NodeId, Set<string>>;
  /** Registrations that sessions have too, and that lost by their time alone to another session's, by session. */
  readonly claims: Map<NodeId, readonly InventoryEntry[]>;
  /** Nodes that hear every change. */
  readonly followers: Set<NodeId>;
  isServing: boolean;
}

/** A slot of which this node keeps a copy. */
export interface FollowedSlot {
  readonly duty: "follow";
  readonly leader: NodeId;
  readonly leaderEpoch: bigint;
  readonly contents: SlotContents;
  /** It hears every change of its leader, and has all that was before. */
  isInSync: boolean;
  /** It was in sync under this leader, and the leader may have gone on since. */
  hasCopy: boolean;
  /** When `follow` was last sent; NEGATIVE_INFINITY: it has to be. */
  askedMs: number;
  /** The leader's answer is still to come. */
  isAsking: boolean;
}

export type KeptSlot = LedSlot | FollowedSlot;

/** What a newer table has changed here. */
export interface Adopted {
  /** Slots that this node leads from now on, or under a new epoch. */
  readonly led: readonly { readonly slot: LedSlot; readonly hadCopy: boolean }[];
  /** Slots whose lead it had and has no longer; what it holds of them is not for subscribers any more. */
  readonly lost: readonly KeptSlot[];
  /** What this node held of slots that it neither leads nor follows any more; still to be cleared. */
  readonly gone: readonly SlotContents[];
}

export class Slots {
  /** What it gave in slots that were taken from it, until the next leader knows. */
  readonly untold = new UntoldVersions();
  readonly #self: NodeId;
  readonly #memory: SharedMemory;
  readonly #kept = new Map<number, KeptSlot>();
  #table: SlotTable | undefined;

  constructor(self: NodeId, memory: SharedMemory) {
    this.#self = self;
    this.#memory = memory;
  }

  get epoch(): bigint {
    return this.#table?.epoch ?? 0n;
  }

  get table(): SlotTable | undefined {
    return this.#table;
  }

  /** How many slots the table gives to this node, to lead or to follow. */
  get size(): number {
    return this.#kept.size;
  }

  *led(): Generator<LedSlot> {
    for (const slot of this.#kept.values()) if (slot.duty === "lead") yield slot;
  }

  *followed(): Generator<FollowedSlot> {
    for (const slot of this.#kept.values()) if (slot.duty === "follow") yield slot;
  }

  keptSlot(slot: number): KeptSlot | undefined {
    return this.#kept.get(slot);
  }

  ledSlot(slot: number): LedSlot | undefined {
    const kept = this.#kept.get(slot);
    return kept?.duty === "lead" ? kept : undefined;
  }

  followedSlot(slot: number): FollowedSlot | undefined {
    const kept = this.#kept.get(slot);
    return kept?.duty === "follow" ? kept : undefined;
  }

  /** The slot of a service; undefined before the first table. */
  slotOf(dataInfoId: DataInfoId): number | undefined {
    return this.#table === undefined ? undefined : slotOf(dataInfoId, this.#table.slots.length);
  }

  /** The led slot of a service, or undefined if this node does not lead it. */
  leading(dataInfoId: DataInfoId): LedSlot | undefined {
    const slot = this.slotOf(dataInfoId);
    return slot === undefined ? undefined : this.ledSlot(slot);
  }

  /** The service as it is held here, led or followed. */
  datum(dataInfoId: DataInfoId): Datum | undefined {
    const slot = this.slotOf(dataInfoId);
    return slot === undefined ? undefined : this.#kept.get(slot)?.contents.datums.get(dataInfoId);
  }

  /** Follows a newer table; undefined if it is not newer. */
  adopt(table: SlotTable, nowMs: number): Adopted | undefined {
    if (table.epoch <= this.epoch) return undefined;
    this.#table = table;
    const led: { slot: LedSlot; hadCopy: boolean }[] = [];
    const lost: KeptSlot[] = [];
    const gone: SlotContents[] = [];
    for (const [slot, owner] of table.slots.entries()) {
      const before = this.#kept.get(slot);
      const after = this.#next(slot, { owner, before, nowMs });
      if (after === before) continue;
      if (before?.duty === "lead" && after?.duty !== "lead") lost.push(before);
      if (after?.duty === "lead") led.push({ slot: after, hadCopy: isWhole(before) });
      if (before !== undefined && after === undefined) {
        gone.push(before.contents);
        // A follower that has a copy was answered by its leader, which knows what it had.
        if (before.duty === "lead" || !before.hasCopy) this.untold.keep(before.contents);
      }
      if (after === undefined) this.#kept.delete(slot);
      else this.#kept.set(slot, after);
    }
    return { led, lost, gone };
  }

  /** What meta is told. `isHeld`: whether a service of the slot is held back. */
  report(isHeld: (slot: number) => boolean): SlotReport {
    const serving: number[] = [];
    const held: number[] = [];
    const inSync: number[] = [];
    for (const [slot, kept] of this.#kept) {
      if (kept.duty === "lead" && kept.isServing) serving.push(slot);
      if (kept.duty === "lead" && isHeld(slot)) held.push(slot);
      if (kept.duty === "follow" && kept.isInSync) inSync.push(slot);
    }
    return { serving, held, inSync };
  }

  #next(
    slot: number,
    { owner, before, nowMs }: { owner: SlotOwner; before: KeptSlot | undefined; nowMs: number },
  ): KeptSlot | undefined {
    const { leader, leaderEpoch } = owner;
    const isSame = before?.leaderEpoch === leaderEpoch;
    const contents = before?.contents ?? new SlotContents(slot, this.#memory);
    if (leader === this.#self) {
      if (isSame && before.duty === "lead") return before;
      return {
        duty: "lead",
        leaderEpoch,
        contents,
        sinceMs: nowMs,
        heard: new Set(),
        upToDate: new Set(),
        spoke: new Set(),
        awaited: new Set(),
        wanted: new Map(),
        claims: new Map(),
        followers: new Set(),
        isServing: false,
      };
    }
    if (!owner.followers.includes(this.#self)) return undefined;
    if (isSame && before.duty === "follow") return before;
    // Nobody asks a follower, and the next leader's sessions will say what they want.
    for (const datum of contents.datums.values()) forgetSessions(datum);
    const askedMs = Number.NEGATIVE_INFINITY;
    return { duty: "follow", leader, leaderEpoch, contents, isInSync: false, hasCopy: false, askedMs, isAsking: false };
  }
}

function isWhole(before: KeptSlot | undefined): boolean {
  return before?.duty === "follow" ? before.hasCopy : before?.isServing === true;
}

function forgetSessions(datum: Datum): void {
  datum.interested.clear();
  datum.waiting.clear();
}
