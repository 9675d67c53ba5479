import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { RegistryError } from "../../base/errors.ts";
import { migrate, SCHEMA_VERSION } from "./schema.ts";

const versionsIn = (database: DatabaseSync) =>
  database
    .prepare("SELECT version FROM schema_version")
    .all()
    .map(({ version }) => version);

const tablesIn = (database: DatabaseSync) =>
  database
    .prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    .all()
    .map(({ name }) => name);

const ALL = ["leader_lease", "node", "record_head", "record_version", "schema_version", "service_size"];

test("an empty file gets all tables, and one version", () => {
  const database = new DatabaseSync(":memory:");
  migrate(database);
  assert.deepEqual([tablesIn(database), versionsIn(database)], [ALL, [SCHEMA_VERSION]]);
});

test("tables of every earlier version get what they lack, and the new version in place of theirs", () => {
  for (let version = 1; version < SCHEMA_VERSION; version++) {
    const database = new DatabaseSync(":memory:");
    migrate(database, version);
    database.exec("INSERT INTO node VALUES (1, 'n', 7)");
    migrate(database);
    assert.deepEqual([tablesIn(database), versionsIn(database)], [ALL, [SCHEMA_VERSION]]);
    assert.equal(database.prepare("SELECT version_floor FROM node").get()?.["version_floor"], 7);
  }
});

test("tables of this version are left as they are", () => {
  const database = new DatabaseSync(":memory:");
  migrate(database);
  database.exec("INSERT INTO leader_lease VALUES (1, 7)");
  migrate(database);
  assert.equal(database.prepare("SELECT count(*) AS n FROM leader_lease").get()?.["n"], 1);
  assert.deepEqual(versionsIn(database), [SCHEMA_VERSION]);
});

test("newer tables are refused with both versions, and nothing is open afterwards", () => {
  const database = new DatabaseSync(":memory:");
  migrate(database);
  database.exec(`UPDATE schema_version SET version = ${SCHEMA_VERSION + 1}`);
  assert.throws(
    () => migrate(database),
    (error) => error instanceof RegistryError && error.code === "STORE_SCHEMA_NEWER" && /found=/.test(error.message),
  );
  assert.deepEqual([versionsIn(database), database.isTransaction], [[SCHEMA_VERSION + 1], false]);
});

test("a step that fails leaves nothing of itself behind", () => {
  const database = new DatabaseSync(":memory:");
  database.exec("CREATE TABLE leader_lease (x INTEGER) STRICT");
  assert.throws(() => migrate(database), /leader_lease/);
  assert.deepEqual([tablesIn(database), database.isTransaction], [["leader_lease"], false]);
});
