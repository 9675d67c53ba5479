// How records in PostgreSQL begin: tables that are made once, tables of other releases, and what operators get wrong.

import assert from "node:assert/strict";
import { test } from "node:test";
import { RegistryError } from "../../src/base/errors.ts";
import { keysWith } from "../../src/records/keys.ts";
import { readAll } from "../../src/records/readAll.ts";
import { openPostgresRecords } from "../../src/store/postgres/postgresRecords.ts";
import { A, commitOf, contentOf, LONG_MS, leads, put } from "../../src/store/testing/testRecords.ts";
import type { PostgresServer } from "./postgres.ts";
import { refusedAs, withPostgres } from "./withPostgres.ts";

await withPostgres("records in PostgreSQL: tables and access", (server) => {
  migrationTests(server);
  accessTests(server);
});

function migrationTests(server: PostgresServer): void {
  test("many nodes that start together make the tables once", async () => {
    const stores = await Promise.all(
      Array.from({ length: 8 }, () => openPostgresRecords(server.url, { schema: "once" })),
    );
    assert.deepEqual(await server.sql("SELECT * FROM once.schema_version"), [{ id: 1, version: 3, oldest_reader: 1 }]);
    const leases = await Promise.all(stores.map((store) => store.acquireLease(A, LONG_MS)));
    assert.deepEqual(new Set(leases.map(({ epoch }) => epoch)), new Set([1n]));
    await Promise.all(stores.map((store) => store.close()));
  });

  test("tables are in the schema roster if nothing else is said", async () => {
    await (await openPostgresRecords(server.url)).close();
    const rows = await server.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'roster' ORDER BY 1");
    assert.deepEqual(
      rows.map(({ tablename }) => tablename),
      [
        "blocked_node",
        "cluster",
        "config",
        "leader_lease",
        "record_head",
        "record_version",
        "schema_version",
        "slot_table",
      ],
    );
  });

  test("a neighbour's newer tables are used and left as they are", async () => {
    await (await openPostgresRecords(server.url, { schema: "newer" })).close();
    await server.sql("ALTER TABLE newer.leader_lease ADD COLUMN since timestamptz DEFAULT now()");
    await server.sql("UPDATE newer.schema_version SET version = 99");
    const store = await openPostgresRecords(server.url, { schema: "newer" });
    const { epoch } = await store.acquireLease(A, LONG_MS);
    assert.equal((await store.commit(commitOf([put("a")], [leads(epoch)]))).kind, "committed");
    assert.deepEqual(await server.sql("SELECT version, oldest_reader FROM newer.schema_version"), [
      { version: 99, oldest_reader: 1 },
    ]);
    await store.close();
  });

  test("tables that are too new for this release are refused with what to do", async () => {
    await (await openPostgresRecords(server.url, { schema: "too_new" })).close();
    await server.sql("UPDATE too_new.schema_version SET version = 99, oldest_reader = 98");
    const newer = refusedAs("STORE_SCHEMA_NEWER", "upgrade this program", "found=99", "oldestReader=98", "supported=3");
    await assert.rejects(openPostgresRecords(server.url, { schema: "too_new" }), newer);
  });

  test("a migration that fails leaves nothing, and a later one succeeds", async () => {
    await server.sql('CREATE SCHEMA half; CREATE TABLE half.config ("what is this?" integer)');
    const refused = refusedAs("STORE_UNAVAILABLE", 'relation \\"config\\" already exists');
    await assert.rejects(openPostgresRecords(server.url, { schema: "half" }), refused);
    assert.deepEqual(await server.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'half'"), [
      { tablename: "config" },
    ]);
    await server.sql("DROP TABLE half.config");
    await (await openPostgresRecords(server.url, { schema: "half" })).close();
  });

  test("a database of another encoding keeps every text", async () => {
    await server.sql("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
    const store = await openPostgresRecords(server.url.replace(/postgres$/, "latin"));
    await store.acquireLease(A, LONG_MS);
    await store.commit(commitOf([put("💐 中文 é", "é 中文 💐")]));
    assert.deepEqual(await contentOf(store), [["💐 中文 é", "é 中文 💐"]]);
    await store.close();
  });
}

function accessTests(server: PostgresServer): void {
  const PASSWORD = "correct-horse";
  const at = (user: string, database = "postgres") => `postgres://${user}@127.0.0.1:${server.port}/${database}`;

  /** Opening fails, names these parts, and reveals no password. */
  const refused = async (url: string, ...parts: readonly string[]) => {
    await assert.rejects(openPostgresRecords(url), (error: unknown) => {
      assert.ok(error instanceof RegistryError, String(error));
      for (const part of parts) assert.ok(error.message.includes(part), `${error.message} names ${part}`);
      const everything = JSON.stringify([error, error.message, error.stack, error.details, error.cause]);
      assert.ok(!/horse|secret/.test(everything), everything);
      return true;
    });
  };

  test("a password is asked for, checked, and never shown", async () => {
    await server.sql(`CREATE ROLE guarded LOGIN PASSWORD '${PASSWORD}'`);
    await server.sql("GRANT CREATE ON DATABASE postgres TO guarded; CREATE SCHEMA own AUTHORIZATION guarded");
    const right = await openPostgresRecords(at(`guarded:${PASSWORD}`), { schema: "own" });
    await readAll(right, keysWith(""), 10);
    await right.close();
    await refused(at("guarded:wrong-horse"), "STORE_UNAVAILABLE", "password authentication failed", "check user and");
    await refused(at("guarded"), "give the password in store-url or in PGPASSWORD");
  });

  test("a wrong host, port or database is named with what to do", async () => {
    await refused("postgres://u:secret@no-such-host.invalid/db", "no-such-host.invalid:5432/db", "check the host in");
    await refused("postgres://u:secret@127.0.0.1:1/db", "127.0.0.1:1/db", "ECONNREFUSED", "check host and port in");
    await refused(at("postgres", "nothing"), "does not exist", "create the database, or check its name");
    await refused(at("nobody_here"), "does not exist", "check user");
  });

  test("a user who may not make the schema hears it; one for whom it was made needs no more", async () => {
    await server.sql("CREATE ROLE modest LOGIN; REVOKE CREATE ON DATABASE postgres FROM PUBLIC");
    await refused(at("modest"), "permission denied", "grant this user");
    await server.sql("CREATE SCHEMA for_modest AUTHORIZATION modest");
    await (await openPostgresRecords(at("modest"), { schema: "for_modest" })).close();
  });

  test("TLS that the server does not have is refused with what to do", async () => {
    await refused(`${at("postgres:secret")}?sslmode=verify-full`, "does not support SSL", "remove sslmode");
    await refused(`${at("postgres:secret")}?sslrootcert=/no/such/file&sslmode=verify-full`, "/no/such/file");
  });

  test("what is no URL of a database is refused with the right form, and not repeated", async () => {
    for (const url of [
      "",
      "secret",
      "mysql://u:secret@host/db",
      "postgres://u:secret@host:port/db",
      "postgres:// :secret@",
    ]) {
      await refused(url, "CONFIG_INVALID", "store-url", "postgres://user:password@host:port/database");
    }
    const schema = refusedAs("CONFIG_INVALID", "schema", "lower-case letters");
    for (const name of ["", "Roster", "a;b", "pg_roster", '"', "x".repeat(64)]) {
      await assert.rejects(openPostgresRecords(server.url, { schema: name }), schema);
    }
  });

  test("a password may hold whatever a URL can write", async () => {
    const odd = "p@ss/w:rd%?#&'\"";
    await server.sql(`ALTER ROLE guarded PASSWORD 'p@ss/w:rd%?#&''"'`);
    const store = await openPostgresRecords(at(`guarded:${encodeURIComponent(odd)}`), { schema: "own" });
    await store.close();
  });
}
