// The tables in PostgreSQL and their upgrades. Several meta nodes share them, and while a cluster is upgraded node by
// node two neighbouring releases work on them at once. Therefore:
//
// - Steps only go forward, and are never edited once released.
// - A step only adds: tables, indexes, columns that may be null or have a default. Nothing is renamed, dropped,
//   narrowed or given another meaning, and our statements name every column that they write.
// - A change that the release before can't live with comes a release later, when no node runs that one any more:
//   `oldestReader` is the oldest version whose program still works on the result. It is never the step's own, so that a
//   neighbour is never shut out.
//
// A release that finds a newer schema works on it if it is at least the oldest reader, and refuses it if not.

import { defined } from "../../base/assert.ts";
import { fail } from "../../base/errors.ts";
import { DamagedColumn, readNumber } from "../columns.ts";
import type { Ask } from "./connection.ts";
import { MIRROR_TABLES } from "./mirrorTables.ts";
import { RECORD_TABLES } from "./recordStatements.ts";

/** The step from one version to the next. */
export interface Migration {
  readonly sql: string;
  readonly oldestReader: number;
}

// Names and texts are JSON strings in ASCII ("orders" with its quotes): they come back exactly as they went in, NUL and
// lone surrogates included, in a database of any encoding. A service's key may exceed the size of an index entry, so
// its digest is the key of the row.
const FIRST = `
  CREATE TABLE cluster (
    id integer PRIMARY KEY CHECK (id = 1),
    name_json text NOT NULL,
    slot_count bigint NOT NULL
  );
  CREATE TABLE leader_lease (
    id integer PRIMARY KEY CHECK (id = 1),
    epoch bigint NOT NULL,
    holder_json text NOT NULL,
    address_json text NOT NULL,
    lease_ms bigint NOT NULL,
    ends_at timestamptz NOT NULL
  );
  CREATE TABLE slot_table (
    id integer PRIMARY KEY CHECK (id = 1),
    epoch bigint NOT NULL,
    slots_json text NOT NULL
  );
  CREATE TABLE config (
    key_sha256 bytea PRIMARY KEY,
    data_info_id_json text NOT NULL,
    version bigint NOT NULL,
    data_json text NOT NULL
  );
  CREATE TABLE blocked_node (
    name_json text PRIMARY KEY,
    is_blocked boolean NOT NULL
  );
`;

/** Step N makes version N + 1 of version N. */
export const MIGRATIONS: readonly Migration[] = [
  { sql: FIRST, oldestReader: 1 },
  { sql: RECORD_TABLES, oldestReader: 1 },
  { sql: MIRROR_TABLES, oldestReader: 1 },
];

/** The version that this release writes. */
export const SCHEMA_VERSION = MIGRATIONS.length;

/** The most time for a migration, and for waiting for another node's migration. */
export const MIGRATION_MS = 60_000;

// The first half of our advisory locks, "rost" in ASCII; the schema's name is the second.
const LOCK_CLASS = 0x726f7374;

/** Whether the tables are there and have this release's version, or a newer one that it can use. */
export async function isUpToDate(ask: Ask, schema: string): Promise<boolean> {
  return (await usableVersion(ask, schema)) >= SCHEMA_VERSION;
}

/**
 * Brings the tables to this release's version, in one transaction, once even if many nodes start together; tests make
 * those of an earlier one. Throws STORE_SCHEMA_NEWER and changes nothing if a newer release excludes this one.
 */
export async function migrate(ask: Ask, schema: string, to = SCHEMA_VERSION): Promise<void> {
  await ask("BEGIN");
  await ask(`SET LOCAL statement_timeout = ${MIGRATION_MS}`);
  await ask("SELECT pg_advisory_xact_lock($1, hashtext($2))", LOCK_CLASS, schema);
  // Another node may have done it while we waited.
  const found = await usableVersion(ask, schema);
  if (found === 0) await createSchema(ask, schema);
  for (let version = found; version < to; version++) {
    const { sql, oldestReader } = defined(MIGRATIONS[version], "every version has its step");
    await ask(sql);
    await ask("UPDATE schema_version SET version = $1, oldest_reader = $2", version + 1, oldestReader);
  }
  await ask("COMMIT");
}

// Asks the catalog's tables, which show the commits up to the beginning of the statement. to_regclass() and the like
// answer from the session's cache, which in a transaction still shows the state before we waited for the lock.
const IS_THERE = `
  SELECT 1 FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
  WHERE nspname = $1 AND relname = 'schema_version'`;

/** The version of the existing tables, 0 for none; throws if this release can't use it. */
async function usableVersion(ask: Ask, schema: string): Promise<number> {
  if ((await ask(IS_THERE, schema)).rows.length === 0) return 0;
  // By its full name: for a schema that we may not use, the search path would report that the table is not there.
  const sql = `SELECT version::bigint, oldest_reader::bigint FROM "${schema}".schema_version`;
  const [row] = (await ask(sql)).rows;
  if (row === undefined) throw new DamagedColumn("schema_version has no row");
  const versions = { found: readNumber(row, "version"), oldestReader: readNumber(row, "oldest_reader") };
  if (versions.oldestReader > SCHEMA_VERSION)
    throw fail("STORE_SCHEMA_NEWER", { ...versions, supported: SCHEMA_VERSION });
  return versions.found;
}

async function createSchema(ask: Ask, schema: string): Promise<void> {
  // IF NOT EXISTS alone requires the right to create even if an administrator has made the schema for us.
  const { rows } = await ask("SELECT 1 FROM pg_namespace WHERE nspname = $1", schema);
  if (rows.length === 0) await ask(`CREATE SCHEMA "${schema}"`);
  await ask(`
    CREATE TABLE schema_version (
      id integer PRIMARY KEY CHECK (id = 1),
      version integer NOT NULL,
      oldest_reader integer NOT NULL
    );
    INSERT INTO schema_version (id, version, oldest_reader) VALUES (1, 0, 0);
  `);
}
