// Records on a real server: the suite of all backends, several nodes at once, and fail-overs.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { HISTORY_BYTES_MAX } from "../../src/records/bounds.ts";
import { keysWith } from "../../src/records/keys.ts";
import { readAll } from "../../src/records/readAll.ts";
import { openPostgresRecords } from "../../src/store/postgres/postgresRecords.ts";
import { recordsSuite } from "../../src/store/testing/recordsSuite.ts";
import { committed, put, textOf } from "../../src/store/testing/testRecords.ts";
import type { PostgresServer } from "./postgres.ts";
import { eventually, refusedAs, withPostgres } from "./withPostgres.ts";

let schemas = 0;

function newSchema(): string {
  schemas += 1;
  return `records_${schemas}`;
}

await withPostgres("records in PostgreSQL", (server) => {
  recordsSuite("records in PostgreSQL", () => {
    const schema = newSchema();
    return {
      open: () => openPostgresRecords(server.url, { schema }),
      pass: (ms) => sleep(ms),
      isShared: true,
      copy: async () => () => forgetEverything(server, schema),
    };
  });
  watchTests(server);
  tableTests(server);
  deathTests(server);
});

/** The database fails over to a copy from when the tables had just been made. */
async function forgetEverything(server: PostgresServer, schema: string): Promise<void> {
  await server.sql(`DELETE FROM ${schema}.record_version`);
  await server.sql(`UPDATE ${schema}.record_head SET revision = 0, oldest = 0, history_bytes = 0`);
  await server.sql(`DELETE FROM ${schema}.leader_lease`);
}

function watchTests(server: PostgresServer): void {
  test("a watch tells a neighbour's change within milliseconds, and again after its connection was lost", async () => {
    const schema = newSchema();
    const [one, other] = [
      await openPostgresRecords(server.url, { schema }),
      await openPostgresRecords(server.url, { schema }),
    ];
    let told = 0;
    const cancel = other.watch(keysWith(""), await committed(one, put("a", "0")), {
      changed: (changes) => {
        told += changes.length;
      },
      compacted: () => assert.fail("nothing is compacted"),
    });
    await eventually(async () => (await listeners(server)) === 1);
    const tookMs: number[] = [];
    for (let at = 1; at <= 20; at++) {
      const startMs = performance.now();
      await committed(one, put("a", `${at}`));
      while (told < at) await sleep(1);
      tookMs.push(performance.now() - startMs);
    }
    tookMs.sort((a, b) => a - b);
    assert.ok((tookMs[10] ?? 0) < 500, `half of them took more than ${tookMs[10]} ms`);

    await server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'");
    await committed(one, put("a", "while nobody listens"));
    await eventually(async () => told === 21);
    await eventually(async () => (await listeners(server)) === 1);
    cancel();
    await eventually(async () => (await listeners(server)) === 0);
    await Promise.all([one.close(), other.close()]);
  });

  test("a watch outlives an outage of the database, and misses nothing", async () => {
    const records = await openPostgresRecords(server.url, { schema: newSchema() });
    const told: string[] = [];
    records.watch(keysWith(""), 0n, {
      changed: (changes) => {
        for (const change of changes) told.push(change.kind === "put" ? textOf(change.record.value) : "-");
      },
      compacted: () => assert.fail("nothing is compacted"),
    });
    await committed(records, put("a", "before"));
    await server.halt();
    await assert.rejects(committed(records, put("a", "lost")), refusedAs("STORE_UNAVAILABLE", "ECONNREFUSED"));
    await server.start();
    await committed(records, put("a", "after"));
    await eventually(async () => told.length === 2);
    assert.deepEqual(told, ["before", "after"]);
    await records.close();
  });
}

async function listeners(server: PostgresServer): Promise<number> {
  return (await server.sql("SELECT 1 FROM pg_stat_activity WHERE query LIKE 'LISTEN%'")).length;
}

function tableTests(server: PostgresServer): void {
  test("two nodes that write the same keys at once both see every revision once, in order", async () => {
    const schema = newSchema();
    const nodes = await Promise.all([1, 2, 3].map(() => openPostgresRecords(server.url, { schema })));
    const revisions = await Promise.all(
      nodes.flatMap((node, at) =>
        Array.from({ length: 100 }, (_, step) => committed(node, put(`k${step % 5}`, `${at}`))),
      ),
    );
    assert.deepEqual(
      revisions.sort((a, b) => Number(a - b)),
      Array.from({ length: 300 }, (_, at) => BigInt(at + 1)),
    );
    for (const node of nodes) {
      const page = await node.changes(keysWith(""), 0n);
      assert.ok(page.kind === "changes");
      assert.deepEqual(
        page.changes.map((change) => change.kind === "put" && change.record.revision),
        Array.from({ length: 300 }, (_, at) => BigInt(at + 1)),
      );
    }
    await Promise.all(nodes.map((node) => node.close()));
  });

  test("a history of large values is compacted by its bytes", async () => {
    const records = await openPostgresRecords(server.url, { schema: newSchema() });
    const first = await committed(records, put("a", "first"));
    const value = "v".repeat(4 * 1024 * 1024);
    for (let at = 0; at <= HISTORY_BYTES_MAX / value.length + 1; at++)
      await committed(records, put("a", `${at}${value}`));
    assert.equal((await records.changes(keysWith(""), first)).kind, "compacted");
    await records.close();
  });

  test("rows that are no records any more are an error that names them", async () => {
    const schema = newSchema();
    const records = await openPostgresRecords(server.url, { schema });
    await committed(records, put("a"));
    await server.sql(`UPDATE ${schema}.record_version SET revision = -1`);
    await assert.rejects(records.range(keysWith("")), refusedAs("STORE_DAMAGED", "revision is negative"));
    await server.sql(`DELETE FROM ${schema}.record_head`);
    await assert.rejects(records.range(keysWith("")), refusedAs("STORE_DAMAGED", "record_head has no row"));
    await records.close();
  });

  test("a standby is not read, since it may be behind", async () => {
    const records = await openPostgresRecords(server.url, { schema: newSchema() });
    await committed(records, put("a"));
    await server.sql("ALTER DATABASE postgres SET default_transaction_read_only = on");
    await server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'roster'");
    await assert.rejects(records.range(keysWith("")), refusedAs("STORE_UNAVAILABLE"));
    const readOnly = refusedAs("STORE_UNAVAILABLE", "read-only", "point store-url at the primary");
    await assert.rejects(records.range(keysWith("")), readOnly);
    await assert.rejects(committed(records, put("b")), readOnly);
    await server.sql("BEGIN READ WRITE; ALTER DATABASE postgres RESET default_transaction_read_only; COMMIT");
    await eventually(
      async () =>
        await records.range(keysWith("")).then(
          () => true,
          () => false,
        ),
    );
    await records.close();
  });

  test("a table that is written from another search path works all the same", async () => {
    const schema = newSchema();
    const records = await openPostgresRecords(server.url, { schema });
    await server.sql(`SELECT ${schema}.record_write('k', 'by hand', 1)`);
    await server.sql(`UPDATE ${schema}.record_head SET revision = 1`);
    const { records: found } = await readAll(records, keysWith(""), 10);
    assert.deepEqual(
      found.map(({ value }) => textOf(value)),
      ["by hand"],
    );
    await records.close();
  });
}

function deathTests(server: PostgresServer): void {
  for (const victim of ["the writer", "the database"] as const) {
    test(`kill -9 of ${victim} in the middle of 10,000 commits loses no acknowledged one`, async () => {
      // The harness turns off what protects against power cuts; a killed process needs none of it.
      const schema = newSchema();
      const child = writer(server.url, schema, 10_000);
      const acknowledged = new Map<string, bigint>();
      let isKilled = false;
      for await (const line of createInterface({ input: child.stdout })) {
        const [key = "", revision = ""] = line.split(" ");
        if (key === "failed") break;
        acknowledged.set(key, BigInt(revision));
        if (acknowledged.size < 4_000 || isKilled) continue;
        isKilled = true;
        if (victim === "the writer") child.kill("SIGKILL");
        else await server.kill();
      }
      child.kill("SIGKILL");
      if (victim === "the database") await server.start();
      assert.ok(acknowledged.size >= 4_000 && acknowledged.size < 10_000, `${acknowledged.size} were acknowledged`);
      const records = await openPostgresRecords(server.url, { schema });
      const { records: found } = await readAll(records, keysWith("k"), 10_000);
      const stored = new Map(found.map(({ key, revision }) => [key, revision]));
      for (const [key, revision] of acknowledged) assert.equal(stored.get(key), revision, `${key} was acknowledged`);
      await records.close();
    });
  }
}

/** A process that makes so many commits, many at a time, and says which of them were acknowledged. */
function writer(url: string, schema: string, count: number) {
  const store = JSON.stringify(new URL("../../src/store/postgres/postgresRecords.ts", import.meta.url).href);
  const code = `
    const { openPostgresRecords } = await import(${store});
    const records = await openPostgresRecords(${JSON.stringify(url)}, { schema: ${JSON.stringify(schema)} });
    for (let at = 0; at < ${count}; at++) {
      const operations = [{ kind: "put", key: "k" + at, value: new Uint8Array(100) }];
      const commit = records.commit({ conditions: [], operations });
      void commit.then((outcome) => console.log("k" + at + " " + outcome.revision), () => console.log("failed 0"));
      if (at % 25 === 0) await commit.catch(() => process.exit(1));
    }`;
  return spawn(process.execPath, ["--input-type=module", "-e", code], { stdio: ["ignore", "pipe", "inherit"] });
}
