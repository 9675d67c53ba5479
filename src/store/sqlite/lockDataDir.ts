// One process works on a data directory at a time. The lock is SQLite's own, an exclusive transaction that stays open
// on a small database of its own. The kernel releases it however the process dies, so there is no stale lock file to
// judge. It is not taken on roster.db itself, so that backups and the sqlite3 shell can read that while we run.

import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fail } from "../../base/errors.ts";
import { isBusy } from "./failure.ts";

/** Takes the directory for this process, at once or not at all, and returns its release. */
export function lockDataDir(dataDir: string): () => void {
  const lock = new DatabaseSync(join(dataDir, "roster.lock"), { timeout: 0 });
  try {
    lock.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    lock.close();
    throw isBusy(error) ? fail("DATA_DIR_IN_USE", { dataDir }) : error;
  }
  return () => lock.close();
}
