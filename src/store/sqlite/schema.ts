// The tables of roster.db and their upgrades. Migrations only go forward and are never edited once released: a release
// that finds a newer schema refuses to open it instead of guessing.

import type { DatabaseSync } from "node:sqlite";
import { defined } from "../../base/assert.ts";
import { fail } from "../../base/errors.ts";
import { carryOver } from "./carryOver.ts";
import { inTransaction } from "./inTransaction.ts";

// Names and texts are kept as JSON strings ("orders" with its quotes). SQLite's own functions stop at NUL, and UTF-8
// has no form for a lone surrogate, which a Java client may send; as JSON both come back exactly as they went in.
const FIRST = `
  CREATE TABLE cluster (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    name_json TEXT NOT NULL,
    slot_count INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE slot_table (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    epoch INTEGER NOT NULL,
    slots_json TEXT NOT NULL
  ) STRICT;
  CREATE TABLE config (
    data_info_id_json TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    data_json TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE node (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    node_id TEXT NOT NULL,
    version_floor INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE service_size (
    data_info_id_json TEXT PRIMARY KEY,
    publishers INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
`;

// The lease itself belongs to the process (../localLease.ts); only its epoch must outlive it.
const LEADER_AND_BLOCKED_NODES = `
  CREATE TABLE leader_lease (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    epoch INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE blocked_node (
    name_json TEXT PRIMARY KEY
  ) STRICT, WITHOUT ROWID;
`;

// Every version of every key (./sqliteRecords.ts). A key is text without NUL and lone surrogates.
const RECORDS = `
  CREATE TABLE record_version (
    key TEXT NOT NULL,
    revision INTEGER NOT NULL,
    created_revision INTEGER NOT NULL,
    value BLOB,
    until INTEGER,
    UNIQUE (key, revision)
  ) STRICT;
  CREATE UNIQUE INDEX record_version_present ON record_version (key) WHERE until IS NULL;
  CREATE INDEX record_version_past ON record_version (until) WHERE until IS NOT NULL;
  CREATE INDEX record_version_revision ON record_version (revision);
  CREATE TABLE record_head (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    revision INTEGER NOT NULL,
    oldest INTEGER NOT NULL,
    history_bytes INTEGER NOT NULL
  ) STRICT;
  INSERT INTO record_head (id, revision, oldest, history_bytes) VALUES (1, 0, 0, 0);
`;

/** A step to the next version: statements, or work that needs more than them. */
type Step = string | ((database: DatabaseSync) => void);

/** Step N makes version N + 1 of version N. */
const MIGRATIONS: readonly Step[] = [FIRST, LEADER_AND_BLOCKED_NODES, RECORDS, carryOver];

/** The version that this release writes. */
export const SCHEMA_VERSION = MIGRATIONS.length;

/**
 * Brings the tables to this release's version, in one transaction; tests make those of an earlier one. Throws
 * STORE_SCHEMA_NEWER and leaves the file as it is.
 */
export function migrate(database: DatabaseSync, to = SCHEMA_VERSION): void {
  inTransaction(database, () => {
    const found = versionOf(database);
    if (found > to) throw fail("STORE_SCHEMA_NEWER", { found, supported: to });
    for (let version = found; version < to; version++) {
      const step = defined(MIGRATIONS[version], "every version has its step");
      if (typeof step === "string") database.exec(step);
      else step(database);
    }
    if (found < to) writeVersion(database, to);
  });
}

/** The version of the existing tables; 0 for an empty file. */
function versionOf(database: DatabaseSync): number {
  const table = database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'schema_version'").get();
  if (table === undefined) return 0;
  return Number(database.prepare("SELECT version FROM schema_version").get()?.["version"] ?? 0);
}

function writeVersion(database: DatabaseSync, version: number): void {
  database.exec("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL) STRICT");
  database.exec("DELETE FROM schema_version");
  database.prepare("INSERT INTO schema_version (version) VALUES (?)").run(version);
}
