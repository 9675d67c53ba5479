// Converts between a database's columns and values. Our own values are checked again when they are read: a damaged
// store must end in an error that says so, not in a slot table with holes.

import { fail, type RegistryError } from "../base/errors.ts";

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

// By table.
const ADVICE: Readonly<Record<string, string>> = {
  config: "restore a backup; or delete the row in config and put the value again",
  service_size: "delete the rows in service_size: they only tell what to wait for after a restart",
};

/** Text in its stored form: exact for every JavaScript string, NUL and lone surrogates included. */
export function textColumn(text: string): string {
  return JSON.stringify(text);
}

/** The text of a `_json` column. */
export function readText(row: Row, column: string): string {
  const text = parse(row, column);
  if (typeof text !== "string") throw new DamagedColumn(`${column} is not text`);
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

function parse(row: Row, column: string): unknown {
  const text = row[column];
  if (typeof text !== "string") throw new DamagedColumn(`${column} is not text`);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new DamagedColumn(`${column} is not JSON`, { cause: error });
  }
}
