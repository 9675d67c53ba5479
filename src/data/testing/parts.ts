// The parts of a data node that tests call directly, each with its needs and no more.

import type { SlotOwner, SlotTable } from "../../model/slot.ts";
import type { Datum } from "../datum.ts";
import { PackedMemory } from "../packed/packedStore.ts";
import { Tombstones } from "../packed/tombstones.ts";
import { type SharedMemory, SlotContents } from "../slotContents.ts";
import { Slots } from "../slots.ts";
import { ORDERS, PEER, SELF, START_MS } from "./harness.ts";

const half = { next: () => 0.5 };

/** Shared by the slots of a node. */
export function sharedMemory(logChangesMax = 100): SharedMemory {
  const tombstoneBytesMax = { held: 1024 * 1024, nothing: 1024 * 1024 };
  const tombstones = new Tombstones<Datum>({ tombstoneMs: 180_000, tombstoneBytesMax }, half);
  tombstones.beginStep(START_MS);
  const publications = new PackedMemory({ payloadDifference: true }, half);
  return { publications, tombstones, logChangesMax, hides: () => false, datums: 0 };
}

/** The versions of one leader, by number. */
export const given = (version: bigint, origin = 1n) => ({ version, origin });

/** The service of the tests, at version 1. */
export function datum(logChangesMax = 100): { datum: Datum; contents: SlotContents } {
  const contents = new SlotContents(0, sharedMemory(logChangesMax));
  return { datum: contents.add(ORDERS, given(1n)), contents };
}

export const leads: Partial<SlotOwner> = { leader: SELF };
export const follows: Partial<SlotOwner> = { leader: PEER, followers: [SELF] };
export const others: Partial<SlotOwner> = { leader: PEER, followers: [] };

/** A table; a test gives only the relevant fields of each owner. Its leaders lead under its epoch by default. */
export function tableOf(epoch: bigint, ...owners: readonly Partial<SlotOwner>[]): SlotTable {
  return { epoch, slots: owners.map((owner) => ({ leader: SELF, leaderEpoch: epoch, followers: [], ...owner })) };
}

/** The slots of a node after these tables, with epochs from 1. */
export function slotsAfter(...tables: readonly (readonly Partial<SlotOwner>[])[]): Slots {
  const slots = new Slots(SELF, sharedMemory());
  for (const [at, owners] of tables.entries()) slots.adopt(tableOf(BigInt(at + 1), ...owners), START_MS);
  return slots;
}
