// Turns any failure below the store into an error of the table: callers retry STORE_UNAVAILABLE and know that nothing
// was changed.

import { InvariantError } from "../../base/assert.ts";
import { fail, RegistryError } from "../../base/errors.ts";
import { DamagedColumn, damaged } from "../columns.ts";

// SQLite's primary result codes (https://www.sqlite.org/rescode.html); the upper bits of a code give details.
const SQLITE_PERM = 3;
const SQLITE_BUSY = 5;
const SQLITE_READONLY = 8;
const SQLITE_CORRUPT = 11;
const SQLITE_CANTOPEN = 14;
const SQLITE_NOTADB = 26;

/** Runs `work`; an error of SQLite or of the disk becomes one of the table, with the file and the reason. */
export function guarded<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof RegistryError || error instanceof InvariantError) throw error;
    throw unavailable(file, error);
  }
}

/** As `guarded`, for opening the file: an unusable folder is distinguished from a disk that fails later. */
export function guardedOpening<T>(file: string, work: () => T): T {
  return guarded(file, () => {
    try {
      return work();
    } catch (error) {
      if (!isUnusable(error)) throw error;
      throw fail("DATA_DIR_UNUSABLE", { file, reason: reasonOf(error) });
    }
  });
}

/** Whether another connection holds the lock that was asked for. */
export function isBusy(error: unknown): boolean {
  return resultCode(error) === SQLITE_BUSY;
}

function unavailable(file: string, error: unknown): RegistryError {
  if (error instanceof DamagedColumn) return damaged({ file }, error);
  const reason = reasonOf(error);
  const code = resultCode(error);
  if (code === SQLITE_CORRUPT || code === SQLITE_NOTADB) {
    return fail("STORE_DAMAGED", {
      file,
      reason,
      advice: "restore the file from a backup, or move it away to start afresh",
    });
  }
  return fail("STORE_UNAVAILABLE", { file, reason });
}

/** The folder can't be made or written at present, and another try would not change that. */
function isUnusable(error: unknown): boolean {
  if (OPEN_CODES.has(resultCode(error))) return true;
  return error instanceof Error && "code" in error && PATH_CODES.has(String(error.code));
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const OPEN_CODES: ReadonlySet<number | undefined> = new Set([SQLITE_PERM, SQLITE_READONLY, SQLITE_CANTOPEN]);
const PATH_CODES: ReadonlySet<string> = new Set(["EACCES", "EPERM", "EROFS", "ENOTDIR", "ENAMETOOLONG", "ELOOP"]);

function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("errcode" in error) || typeof error.errcode !== "number") return undefined;
  return error.errcode & 0xff;
}
