// Between a database's columns and values. What was read is checked although we wrote it: a damaged store must end in
// an error that says so, not in a slot table with holes.

import { type NodeId, nodeId } from "../model/ids.ts";
import type { SlotOwner } from "../model/slot.ts";

/** One row as a database gives it, integers as bigint. */
export type Row = Readonly<Record<string, unknown>>;

/** Thrown for a column that does not hold what this program writes; the store turns it into STORE_UNAVAILABLE. */
export class DamagedColumn extends Error {
  override readonly name = "DamagedColumn";
}

/** Text as it is kept: exact for every JavaScript string, NUL and lone surrogates included. */
export function textColumn(text: string | null): string {
  return JSON.stringify(text);
}

/** The text of a `_json` column. */
export function readText(row: Row, column: string): string {
  const text = readMaybeText(row, column);
  if (text === null) throw new DamagedColumn(`${column} is no text`);
  return text;
}

/** The text or null of a `_json` column. */
export function readMaybeText(row: Row, column: string): string | null {
  const text = parse(row, column);
  if (text !== null && typeof text !== "string") throw new DamagedColumn(`${column} is no text`);
  return text;
}

/** A 64-bit integer, exact. */
export function readBigint(row: Row, column: string): bigint {
  const value = row[column];
  if (typeof value !== "bigint") throw new DamagedColumn(`${column} is no integer`);
  return value;
}

/** An integer that is known to be small. */
export function readNumber(row: Row, column: string): number {
  return Number(readBigint(row, column));
}

/** All slots' owners as one text. Epochs are 64-bit, which JSON numbers are not: they are texts there. */
export function slotsColumn(slots: readonly SlotOwner[]): string {
  return JSON.stringify(slots.map((slot) => [slot.leader, String(slot.leaderEpoch), slot.followers]));
}

/** All slots' owners, by slot number. */
export function readSlots(row: Row, column: string): SlotOwner[] {
  const slots = parse(row, column);
  if (!Array.isArray(slots) || slots.length === 0) throw new DamagedColumn(`${column} is no list of slots`);
  return slots.map((slot, number) => readOwner(slot, `${column}, slot ${number}`));
}

function readOwner(slot: unknown, where: string): SlotOwner {
  const [leader, leaderEpoch, followers]: readonly unknown[] = Array.isArray(slot) ? slot : [];
  if (typeof leader !== "string" || typeof leaderEpoch !== "string" || !/^\d{1,19}$/.test(leaderEpoch)) {
    throw new DamagedColumn(`${where} has no leader`);
  }
  return { leader: nodeId(leader), leaderEpoch: BigInt(leaderEpoch), followers: readNodeIds(followers, where) };
}

function readNodeIds(ids: unknown, where: string): NodeId[] {
  if (!Array.isArray(ids) || !ids.every((id): id is string => typeof id === "string")) {
    throw new DamagedColumn(`${where} has no followers`);
  }
  return ids.map(nodeId);
}

function parse(row: Row, column: string): unknown {
  const text = row[column];
  if (typeof text !== "string") throw new DamagedColumn(`${column} is no text`);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new DamagedColumn(`${column} is no JSON`, { cause: error });
  }
}
