// Whatever goes wrong below the store comes out as an error of the table: callers retry STORE_UNAVAILABLE and know that
// nothing was changed.

import { InvariantError } from "../../base/assert.ts";
import { fail, RegistryError } from "../../base/errors.ts";
import { DamagedColumn, damaged } from "../columns.ts";

// SQLite's primary result codes (https://www.sqlite.org/rescode.html); the upper bits of a code tell details.
const SQLITE_BUSY = 5;
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

/** Runs `work`; an error of SQLite or of the disk becomes STORE_UNAVAILABLE with the file and the reason. */
export function guarded<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof RegistryError || error instanceof InvariantError) throw error;
    throw unavailable(file, error);
  }
}

/** Whether another connection holds the lock that was asked for. */
export function isBusy(error: unknown): boolean {
  return resultCode(error) === SQLITE_BUSY;
}

function unavailable(file: string, error: unknown): RegistryError {
  if (error instanceof DamagedColumn) return damaged({ file }, error);
  const reason = error instanceof Error ? error.message : String(error);
  const code = resultCode(error);
  if (code !== SQLITE_CORRUPT && code !== SQLITE_NOTADB) return fail("STORE_UNAVAILABLE", { file, reason });
  const advice = "restore the file from a backup, or move it away to begin anew";
  return fail("STORE_UNAVAILABLE", { file, reason, advice });
}

function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("errcode" in error) || typeof error.errcode !== "number") return undefined;
  return error.errcode & 0xff;
}
