import type { DatabaseSync } from "node:sqlite";

/** Runs `work` so that all of its writes are made or none. */
export function inTransaction(database: DatabaseSync, work: () => void): void {
  database.exec("BEGIN IMMEDIATE");
  try {
    work();
    database.exec("COMMIT");
  } catch (error) {
    // A full disk or an I/O error makes SQLite roll back by itself; doing it again would hide the reason.
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}
