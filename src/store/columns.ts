// Converts between a database's columns and values. Our own values are checked again when they are read: a damaged
// store must end in an error that says so, not in a slot table with holes.

import { fail, type RegistryError } from "../base/errors.ts";
import type { ClusterConstants } from "../meta/metaStore.ts";
import { isNodeId, type NodeId, nodeId } from "../model/ids.ts";
import type { SlotOwner, SlotTable } from "../model/slot.ts";

/** One row as a database returns it, integers as bigint. */
export type Row = Readonly<Record<string, unknown>>;

/** Thrown for a column whose content this program does not write; the store turns it into STORE_DAMAGED. */
export class DamagedColumn extends Error {
  override readonly name = "DamagedColumn";
}

/** Reads the rows of a table; a report of damage carries the table's name. */
export function readTable<Read>(table: string, rows: readonly Row[], read: (row: Row) => Read): Read[] {
  return rows.map((row, number) => {
    try {
      return read(row);
    } catch (error) {
      if (!(error instanceof DamagedColumn)) throw error;
      throw new DamagedColumn(`table ${table}, row ${number + 1}: ${error.message}`, { cause: error });
    }
  });
}

/** The error for callers. `where` names the store. */
export function damaged(where: Readonly<Record<string, string>>, { message }: DamagedColumn): RegistryError {
  const table = /^table (\w+)/.exec(message)?.[1] ?? "";
  const advice = ADVICE[table] ?? "restore the store from a backup";
  return fail("STORE_DAMAGED", { ...where, reason: message, advice });
}

// By table. Running nodes hold the slot table, and a node that starts alone makes another one above it.
const ADVICE: Readonly<Record<string, string>> = {
  slot_table:
    "restore a backup; or stop the meta nodes, delete the row in slot_table and start them: it is created again",
  config: "restore a backup; or delete the row in config and put the value again",
  service_size: "delete the rows in service_size: they only tell what to wait for after a restart",
};

/** Text in its stored form: exact for every JavaScript string, NUL and lone surrogates included. */
export function textColumn(text: string | null): string {
  return JSON.stringify(text);
}

/** The text of a `_json` column. */
export function readText(row: Row, column: string): string {
  const text = readMaybeText(row, column);
  if (text === null) throw new DamagedColumn(`${column} is not text`);
  return text;
}

/** The text or null of a `_json` column. */
export function readMaybeText(row: Row, column: string): string | null {
  const text = parse(row, column);
  if (text !== null && typeof text !== "string") throw new DamagedColumn(`${column} is not text`);
  return text;
}

/** A 64-bit integer, exact. */
export function readBigint(row: Row, column: string): bigint {
  const value = row[column];
  if (typeof value !== "bigint") throw new DamagedColumn(`${column} is not an integer`);
  return value;
}

/** As `readBigint`, for numbers that only grow from 0: versions and epochs. */
export function readVersion(row: Row, column: string): bigint {
  const version = readBigint(row, column);
  if (version < 0n) throw new DamagedColumn(`${column} is negative`);
  return version;
}

/** An integer that is known to be small, from 0 on. */
export function readNumber(row: Row, column: string, max = Number.MAX_SAFE_INTEGER): number {
  const value = readVersion(row, column);
  if (value > BigInt(max)) throw new DamagedColumn(`${column} is above ${max}`);
  return Number(value);
}

/** All slots' owners as one text. Epochs are 64-bit, which JSON numbers are not, so they are texts. */
export function slotsColumn(slots: readonly SlotOwner[]): string {
  return JSON.stringify(slots.map((slot) => [slot.leader, String(slot.leaderEpoch), slot.followers]));
}

/** A slot table: its epoch is in one column, all slots' owners by slot number in the other. */
export function readSlotTable(row: Row, columns: { readonly epoch: string; readonly slots: string }): SlotTable {
  const epoch = readVersion(row, columns.epoch);
  const slots = parse(row, columns.slots);
  if (!Array.isArray(slots) || slots.length === 0) throw new DamagedColumn(`${columns.slots} is not a list of slots`);
  return { epoch, slots: slots.map((slot, number) => readOwner(slot, epoch, `${columns.slots}, slot ${number}`)) };
}

/** Every slot of the cluster has its owner. A table without a cluster is older than the cluster's row. */
export function checkSlotCount(table: SlotTable | undefined, cluster: ClusterConstants | undefined): void {
  if (table === undefined || cluster === undefined || table.slots.length === cluster.slotCount) return;
  throw new DamagedColumn(`table slot_table, row 1: ${table.slots.length} slots of ${cluster.slotCount}`);
}

function readOwner(slot: unknown, tableEpoch: bigint, where: string): SlotOwner {
  const [leader, leaderEpoch, followers]: readonly unknown[] = Array.isArray(slot) ? slot : [];
  if (!isId(leader) || typeof leaderEpoch !== "string" || !/^\d{1,19}$/.test(leaderEpoch)) {
    throw new DamagedColumn(`${where} has no leader`);
  }
  const owner = { leader: nodeId(leader), leaderEpoch: BigInt(leaderEpoch), followers: readNodeIds(followers, where) };
  if (owner.leaderEpoch > tableEpoch) throw new DamagedColumn(`${where} has a leader from after the table`);
  if (new Set([leader, ...owner.followers]).size <= owner.followers.length) {
    throw new DamagedColumn(`${where} has a node twice`);
  }
  return owner;
}

function readNodeIds(ids: unknown, where: string): NodeId[] {
  if (!Array.isArray(ids) || !ids.every(isId)) throw new DamagedColumn(`${where} has no followers`);
  return ids.map(nodeId);
}

function isId(id: unknown): id is string {
  return typeof id === "string" && isNodeId(id);
}

function parse(row: Row, column: string): unknown {
  const text = row[column];
  if (typeof text !== "string") throw new DamagedColumn(`${column} is not text`);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new DamagedColumn(`${column} is not JSON`, { cause: error });
  }
}
