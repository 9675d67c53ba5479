// The slots of a data node by the newest slot table: the led ones, the followed ones, and the node's contents of both.

import type { SlotReport } from "../cluster/messages/membership.ts";
import type { NodeId, ServiceKey } from "../model/ids.ts";
import { type SlotOwner, type SlotTable, slotOf } from "../model/slot.ts";
import type { Datum } from "./datum.ts";
import { LedSlot } from "./ledSlot.ts";
import { type SharedMemory, SlotContents } from "./slotContents.ts";
import { UntoldVersions } from "./untoldVersions.ts";

/** A slot of which this node keeps a copy. */
export interface FollowedSlot {
  readonly duty: "follow";
  readonly leader: NodeId;
  readonly leaderEpoch: bigint;
  readonly contents: SlotContents;
  /** It hears every change of its leader, and has everything from before. */
  isInSync: boolean;
  /** It was in sync under this leader, which may have continued since. */
  hasCopy: boolean;
  /** The time of the last `follow`; NEGATIVE_INFINITY: it has to be sent. */
  askedMs: number;
  /** The leader's answer is still to come. */
  isAsking: boolean;
}

/** A slot that the table gives to this node. */
export type KeptSlot = LedSlot | FollowedSlot;

/** The changes that a newer table makes here. */
export interface Adopted {
  /** Slots that this node leads from now on, or under a new epoch. */
  readonly led: readonly { readonly slot: LedSlot; readonly hadCopy: boolean }[];
  /** Slots that it led and no longer leads; their contents are no longer for subscribers. */
  readonly lost: readonly KeptSlot[];
  /** Contents of slots that it neither leads nor follows any more; still to be cleared. */
  readonly gone: readonly SlotContents[];
}

export class Slots {
  /** Versions that it gave in slots that were taken from it, until the next leader knows them. */
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

  /** The number of slots that the table gives to this node, to lead or to follow. */
  get size(): number {
    return this.#kept.size;
  }

  /** All of them. */
  kept(): Iterable<KeptSlot> {
    return this.#kept.values();
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
  slotOf(serviceKey: ServiceKey): number | undefined {
    return this.#table === undefined ? undefined : slotOf(serviceKey, this.#table.slots.length);
  }

  /** The led slot of a service, or undefined if this node does not lead it. */
  leading(serviceKey: ServiceKey): LedSlot | undefined {
    const slot = this.slotOf(serviceKey);
    return slot === undefined ? undefined : this.ledSlot(slot);
  }

  /** The service as it is held here, led or followed. */
  datum(serviceKey: ServiceKey): Datum | undefined {
    const slot = this.slotOf(serviceKey);
    return slot === undefined ? undefined : this.#kept.get(slot)?.contents.datums.get(serviceKey);
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
        // The leader of a follower with a copy has answered it, and knows its versions.
        if (before.duty === "lead" || !before.hasCopy) this.untold.keep(before.contents);
      }
      if (after === undefined) this.#kept.delete(slot);
      else this.#kept.set(slot, after);
    }
    return { led, lost, gone };
  }

  /** The report to meta. `isHeld`: whether a service of the slot is held. */
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
      return new LedSlot(leaderEpoch, contents, nowMs);
    }
    if (!owner.followers.includes(this.#self)) return undefined;
    if (isSame && before.duty === "follow") return before;
    // Sessions do not ask a follower, and the next leader's sessions will report their interests.
    for (const { interest } of contents.datums.values()) interest.clear();
    const askedMs = Number.NEGATIVE_INFINITY;
    return { duty: "follow", leader, leaderEpoch, contents, isInSync: false, hasCopy: false, askedMs, isAsking: false };
  }
}

function isWhole(before: KeptSlot | undefined): boolean {
  return before?.duty === "follow" ? before.hasCopy : before?.isServing === true;
}
