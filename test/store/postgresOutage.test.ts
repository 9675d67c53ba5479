// Records in PostgreSQL with a database that goes away, hangs, and comes back: each call ends, in four seconds at most,
// and the same store goes on by itself.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";
import { Client } from "pg";
import { keysWith } from "../../src/records/keys.ts";
import type { Records } from "../../src/records/records.ts";
import { openPostgresRecords } from "../../src/store/postgres/postgresRecords.ts";
import { A, B, commitOf, contentOf, LONG_MS, leads, put } from "../../src/store/testing/testRecords.ts";
import type { PostgresServer } from "./postgres.ts";
import { eventually, refusedAs, withPostgres } from "./withPostgres.ts";

const CALL_MS_MAX = 4_000;

// Every test may leave the server in any state, as long as it runs: an unhandled rejection or error would fail the
// file.
await withPostgres("records in PostgreSQL in an outage", (server) => {
  test("stopped and started, it is missed while it is away, and used again by the same store", async () => {
    const store = await openPostgresRecords(server.url, { schema: "stopped" });
    const { epoch } = await store.acquireLease(A, LONG_MS);
    await write(store, "a", epoch);
    await server.halt();
    await assertAway(() => store.range(keysWith("")), "ECONNREFUSED", "check host and port in store-url");
    await assertAway(() => store.acquireLease(A, LONG_MS));
    await assertAway(() => write(store, "a", epoch));
    await server.start();
    assert.deepEqual(await contentOf(store), [["a", "a"]]);
    assert.equal((await store.acquireLease(A, LONG_MS)).epoch, epoch, "the lease has outlived the outage");
    await store.close();
  });

  test("restarted while calls are under way, each is answered or refused, and the next ones succeed", async () => {
    const store = await openPostgresRecords(server.url, { schema: "busy" });
    const { epoch } = await store.acquireLease(A, LONG_MS);
    let isDone = false;
    const outcomes = { answered: 0, refused: 0 };
    const busy = Array.from({ length: 6 }, async (_, at) => {
      while (!isDone) {
        await write(store, `k${at}`, epoch).then(
          () => (outcomes.answered += 1),
          (error: unknown) => {
            refusedAs("STORE_UNAVAILABLE")(error);
            outcomes.refused += 1;
          },
        );
      }
    });
    await eventually(async () => outcomes.answered > 100);
    await server.restart();
    const answered = outcomes.answered;
    await eventually(async () => outcomes.answered > answered + 100);
    isDone = true;
    await Promise.all(busy);
    assert.ok(outcomes.refused > 0, "the restart was noticed");
    await store.close();
  });

  test("killed in the middle of a transaction, the write is refused and not made", async () => {
    const store = await openPostgresRecords(server.url, { schema: "killed" });
    const { epoch } = await store.acquireLease(A, LONG_MS);
    await locked(server, "killed.leader_lease", async () => {
      const saved = write(store, "a", epoch);
      const refused = assertAway(() => saved);
      await waitingForLock(server);
      await server.kill();
      await refused;
    });
    await server.start();
    assert.deepEqual(await contentOf(store), []);
    assert.equal((await write(store, "a", epoch)).kind, "committed");
    await store.close();
  });

  test("frozen, it costs a call four seconds at most, and is used again as soon as it is back", async () => {
    const store = await openPostgresRecords(server.url, { schema: "frozen" });
    await store.acquireLease(A, LONG_MS);
    server.pause();
    // On the connection that stands.
    await assertAway(() => store.range(keysWith("")), "no answer within");
    // On a new connection, which the kernel accepts and no process answers.
    await assertAway(() => store.acquireLease(A, LONG_MS), "timeout expired", "nothing answers");
    // More than there are connections.
    await Promise.all(Array.from({ length: 20 }, () => assertAway(() => store.range(keysWith("")))));
    server.resume();
    assert.equal((await store.acquireLease(A, LONG_MS)).epoch, 1n);
    await store.close();
  });

  test("frozen, it takes no more calls than can be kept, and lets the store be closed", async () => {
    const store = await openPostgresRecords(server.url, { schema: "crowded" });
    server.pause();
    const calls = Array.from({ length: 200 }, () => store.range(keysWith("")).catch((error: unknown) => String(error)));
    const refusals = (await Promise.all(calls)).filter((each) => String(each).includes("100 calls wait"));
    assert.equal(refusals.length, 200 - 100 - 3);
    const closed = store.range(keysWith("")).catch((error: unknown) => String(error));
    await within(CALL_MS_MAX, () => store.close());
    assert.match(String(await closed), /STORE_UNAVAILABLE/);
    server.resume();
  });

  test("a lock that somebody else holds for ever costs a call four seconds at most", async () => {
    const store = await openPostgresRecords(server.url, { schema: "locked" });
    await store.acquireLease(A, LONG_MS);
    await locked(server, "locked.leader_lease", async () => {
      await assertAway(() => store.acquireLease(A, LONG_MS), "statement timeout");
    });
    assert.equal((await store.acquireLease(A, LONG_MS)).epoch, 1n);
    await store.close();
  });

  test("a store can't be opened while the server is frozen or away, and can afterwards", async () => {
    server.pause();
    await assertAway(() => openPostgresRecords(server.url, { schema: "late" }), "timeout expired");
    server.resume();
    await server.halt();
    await assertAway(() => openPostgresRecords(server.url, { schema: "late" }), "ECONNREFUSED");
    await server.start();
    await (await openPostgresRecords(server.url, { schema: "late" })).close();
  });

  test("a port where somebody listens who is no PostgreSQL costs a call four seconds at most", async () => {
    const mute = createServer().listen(0, "127.0.0.1");
    await once(mute, "listening");
    const address = mute.address();
    const port = address !== null && typeof address === "object" ? address.port : 0;
    await assertAway(() => openPostgresRecords(`postgres://postgres@127.0.0.1:${port}/postgres`), "timeout expired");
    mute.close();
  });

  test("a failover to a standby that still is read-only is refused with what to do", async () => {
    const store = await openPostgresRecords(server.url, { schema: "standby" });
    await server.sql("ALTER DATABASE postgres SET default_transaction_read_only = on");
    await server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'roster'");
    // The end of the old connection may still be on its way: this call meets it, if any does.
    await assert.rejects(store.acquireLease(A, LONG_MS), refusedAs("STORE_UNAVAILABLE"));
    await assertAway(() => store.acquireLease(A, LONG_MS), "read-only", "point store-url at the primary");
    const promoted = "ALTER DATABASE postgres RESET default_transaction_read_only";
    await server.sql(`BEGIN READ WRITE; ${promoted}; COMMIT`);
    assert.equal((await store.acquireLease(B, LONG_MS)).epoch, 1n);
    await store.close();
  });

  test("a database whose tables are gone is refused with what to do", async () => {
    const store = await openPostgresRecords(server.url, { schema: "emptied" });
    await server.sql("DROP SCHEMA emptied CASCADE");
    await assertAway(() => store.range(keysWith("")), "does not exist", "restart this node to create them again");
    await store.close();
  });
});

/** A leader's change of a key. */
function write(store: Records, key: string, epoch: bigint) {
  return store.commit(commitOf([put(key)], [leads(epoch)]));
}

async function assertAway(call: () => Promise<unknown>, ...parts: readonly string[]): Promise<void> {
  await within(CALL_MS_MAX, () => assert.rejects(call, refusedAs("STORE_UNAVAILABLE", "127.0.0.1:", ...parts)));
}

async function within(limitMs: number, work: () => Promise<unknown>): Promise<void> {
  const startMs = performance.now();
  await work();
  const tookMs = performance.now() - startMs;
  assert.ok(tookMs <= limitMs, `it took ${Math.round(tookMs)} ms`);
}

/** Holds a lock on a table that nothing of ours passes, meanwhile. */
async function locked(server: PostgresServer, table: string, meanwhile: () => Promise<void>): Promise<void> {
  const holder = new Client({ connectionString: server.url });
  // The server may be killed meanwhile.
  holder.on("error", () => undefined);
  await holder.connect();
  await holder.query("BEGIN");
  await holder.query(`LOCK TABLE ${table}`);
  await meanwhile();
  await holder.end();
}

async function waitingForLock(server: PostgresServer): Promise<void> {
  await eventually(async () => {
    const waits = await server.sql("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'");
    return waits.length > 0;
  });
}
