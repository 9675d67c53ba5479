// Several meta nodes on one PostgreSQL: who leads, what the fence of the lease stops, and their connections.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { nodeId } from "../../src/model/ids.ts";
import { keysWith } from "../../src/records/keys.ts";
import type { CommitOutcome, LeaderLease, Records } from "../../src/records/records.ts";
import { openPostgresRecords } from "../../src/store/postgres/postgresRecords.ts";
import {
  A,
  B,
  commitOf,
  contentOf,
  LONG_MS,
  leads,
  OVER_MS,
  put,
  SHORT_MS,
} from "../../src/store/testing/testRecords.ts";
import type { PostgresServer } from "./postgres.ts";
import { eventually, withPostgres } from "./withPostgres.ts";

let schemas = 0;

function newSchema(): string {
  schemas += 1;
  return `nodes_${schemas}`;
}

/** Opens so many stores of one cluster, as so many meta nodes do. */
async function openStores({ url }: PostgresServer, count: number) {
  const schema = newSchema();
  const stores = await Promise.all(Array.from({ length: count }, () => openPostgresRecords(url, { schema })));
  const close = () => Promise.all(stores.map((store) => store.close()));
  return { schema, stores: stores as [Records, Records, ...Records[]], close };
}

/** A leader's change of a key. */
function write(store: Records, key: string, epoch: bigint): Promise<CommitOutcome> {
  return store.commit(commitOf([put(key)], [leads(epoch)]));
}

const isMade = async (outcome: Promise<CommitOutcome>) => (await outcome).kind === "committed";
const keysIn = async (store: Records) => (await contentOf(store)).map(([key]) => key);

await withPostgres("nodes on PostgreSQL", (server) => {
  leaseTests(server);
  fenceTests(server);
  connectionTests(server);
});

function leaseTests(server: PostgresServer): void {
  test("of those who race for the lead one gets it, a hundred times", async () => {
    const { stores, close } = await openStores(server, 3);
    for (let round = 1; round <= 100; round++) {
      const candidates = stores.map((_, at) => ({ holder: nodeId(`meta-${at}.run${round}`), address: `${at}:9615` }));
      const answers = await Promise.all(stores.map((store, at) => store.acquireLease(candidates[at] ?? A, LONG_MS)));
      const winners = answers.filter(({ holder }, at) => holder === candidates[at]?.holder);
      assert.equal(winners.length, 1, `round ${round}`);
      for (const { epoch, holder } of answers) assert.deepEqual([epoch, holder], [BigInt(round), winners[0]?.holder]);
      await Promise.all(stores.map((store) => store.releaseLease(BigInt(round))));
    }
    await close();
  });

  test("leases that end by themselves never overlap, whoever asks how often", async () => {
    const { stores, close } = await openStores(server, 3);
    const given: { at: number; epoch: bigint; askedMs: number; answeredMs: number }[] = [];
    const untilMs = performance.now() + 3_000;
    const contend = async (store: Records, at: number) => {
      const candidate = { holder: nodeId(`meta-${at}.contends`), address: `${at}:9615` };
      while (performance.now() < untilMs) {
        const askedMs = performance.now();
        const lease = await store.acquireLease(candidate, SHORT_MS);
        if (lease.holder === candidate.holder)
          given.push({ at, epoch: lease.epoch, askedMs, answeredMs: performance.now() });
        // The holder lets it end, so that it goes round.
        await sleep(lease.holder === candidate.holder ? OVER_MS : 5);
      }
    };
    await Promise.all(stores.map(contend));
    given.sort((a, b) => Number(a.epoch - b.epoch));
    assert.ok(given.length >= 5, `${given.length} leases in 3 s`);
    assert.deepEqual(
      given.map(({ epoch }) => epoch),
      given.map((_, at) => BigInt(at + 1)),
    );
    for (const [at, { askedMs }] of given.entries()) {
      const next = given[at + 1];
      if (next !== undefined) assert.ok(next.answeredMs - askedMs >= SHORT_MS, `epoch ${next.epoch} came too early`);
    }
    await close();
  });

  test("another takes the lead when the lease has ended, and not before", async () => {
    const { stores, close } = await openStores(server, 2);
    const askedMs = performance.now();
    await stores[0].acquireLease(A, SHORT_MS);
    const answeredMs = performance.now();
    let lease: LeaderLease = await stores[1].acquireLease(B, SHORT_MS);
    while (lease.holder === A.holder) {
      await sleep(5);
      lease = await stores[1].acquireLease(B, SHORT_MS);
    }
    const tookMs = performance.now();
    assert.equal(lease.epoch, 2n);
    assert.ok(tookMs - askedMs >= SHORT_MS, `taken after ${tookMs - askedMs} ms`);
    assert.ok(tookMs - answeredMs < SHORT_MS + 1_000, `taken after ${tookMs - answeredMs} ms`);
    await close();
  });

  test("the database's clock that is set back delays the next leader by one lease at most", async () => {
    const { schema, stores, close } = await openStores(server, 2);
    await stores[0].acquireLease(A, SHORT_MS);
    await server.sql(`UPDATE ${schema}.leader_lease SET ends_at = ends_at + interval '1 hour'`);
    const told = await stores[1].acquireLease(B, LONG_MS);
    assert.deepEqual(told, { ...A, epoch: 1n, remainingMs: SHORT_MS });
    await sleep(OVER_MS);
    assert.equal((await stores[1].acquireLease(B, LONG_MS)).epoch, 2n);
    await close();
  });

  test("the database's clock that is set forward ends the lease, and with it what its holder may write", async () => {
    const { schema, stores, close } = await openStores(server, 2);
    const { epoch } = await stores[0].acquireLease(A, LONG_MS);
    await server.sql(`UPDATE ${schema}.leader_lease SET ends_at = ends_at - interval '1 hour'`);
    assert.equal(await isMade(write(stores[0], "a", epoch)), false);
    assert.equal((await stores[0].acquireLease(A, LONG_MS)).epoch, 2n);
    await close();
  });
}

function fenceTests(server: PostgresServer): void {
  test("a write that waits while its leader is deposed is not made", async () => {
    const { schema, stores, close } = await openStores(server, 2);
    const { epoch: leaseEpoch } = await stores[0].acquireLease(A, LONG_MS);
    // The successor takes the lease, and has not committed yet when the deposed leader begins to write.
    const successor = new Client({ connectionString: server.url });
    await successor.connect();
    await successor.query("BEGIN");
    await successor.query(`UPDATE ${schema}.leader_lease SET epoch = epoch + 1, holder_json = '"meta-2.bbbbbbbb"'`);
    const writes = ["a", "b", "c"].map((key) => isMade(write(stores[0], key, leaseEpoch)));
    await waiting(server, 1);
    await successor.query("COMMIT");
    assert.deepEqual(await Promise.all(writes), [false, false, false]);
    await successor.end();
    assert.deepEqual(await keysIn(stores[1]), []);
    await close();
  });

  test("who asks for the lead waits for the write of the leader before, and sees it", async () => {
    const { schema, stores, close } = await openStores(server, 2);
    await stores[0].acquireLease(A, LONG_MS);
    // The old leader's write has passed its fence and is not committed when its lease ends, and another asks.
    const old = new Client({ connectionString: server.url });
    await old.connect();
    await server.sql(`UPDATE ${schema}.leader_lease SET ends_at = clock_timestamp() + interval '300 milliseconds'`);
    await old.query("BEGIN");
    await old.query(`SELECT 1 FROM ${schema}.leader_lease WHERE ends_at > clock_timestamp() FOR UPDATE`);
    await old.query(`SELECT ${schema}.record_write('by the old leader', '1', 1)`);
    await old.query(`UPDATE ${schema}.record_head SET revision = 1`);
    const taken = stores[1].acquireLease(B, LONG_MS);
    await waiting(server, 1);
    await sleep(400);
    await old.query("COMMIT");
    assert.deepEqual([(await taken).epoch, (await taken).holder], [2n, B.holder]);
    assert.deepEqual(await keysIn(stores[1]), ["by the old leader"]);
    await old.end();
    await close();
  });

  test("an epoch that a failover has given away twice belongs to whom the database names", async () => {
    const { schema, stores, close } = await openStores(server, 2);
    const { epoch } = await stores[0].acquireLease(A, LONG_MS);
    await server.sql(`DELETE FROM ${schema}.leader_lease`);
    assert.equal((await stores[1].acquireLease(B, LONG_MS)).epoch, epoch);
    assert.equal(await isMade(write(stores[0], "a", epoch)), false);
    assert.equal(await isMade(write(stores[1], "b", epoch)), true);
    assert.deepEqual(await keysIn(stores[0]), ["b"]);
    await close();
  });
}

function connectionTests(server: PostgresServer): void {
  test("schemas of their own keep clusters in one database apart", async () => {
    const [first, second] = [await openStores(server, 2), await openStores(server, 2)];
    await first.stores[0].acquireLease(A, LONG_MS);
    assert.equal((await second.stores[0].acquireLease(B, LONG_MS)).holder, B.holder);
    await Promise.all([first.close(), second.close()]);
  });

  test("a store takes three connections at most, and none after it was closed", async () => {
    const { stores, close } = await openStores(server, 2);
    await Promise.all(Array.from({ length: 60 }, () => stores[0].range(keysWith(""))));
    assert.ok((await connections(server)) <= 2 * 3);
    // A call under way at the close is still completed.
    const last = stores[0].range(keysWith(""));
    await close();
    await last;
    await eventually(async () => (await connections(server)) === 0);
  });

  test("connections that the server ends while nobody uses them are replaced unseen", async () => {
    const { stores, close } = await openStores(server, 2);
    await Promise.all([stores[0].range(keysWith("")), stores[0].range(keysWith("")), stores[0].range(keysWith(""))]);
    await server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'roster'");
    await eventually(async () => (await connections(server)) === 0);
    await stores[0].range(keysWith(""));
    await close();
  });
}

async function connections(server: PostgresServer): Promise<number> {
  const [row] = await server.sql(
    "SELECT count(*)::integer AS n FROM pg_stat_activity WHERE application_name = 'roster'",
  );
  return Number(row?.["n"]);
}

/** Resolves when so many statements of the stores wait for a lock. */
async function waiting(server: PostgresServer, count: number): Promise<void> {
  await eventually(async () => {
    const rows = await server.sql(
      "SELECT 1 FROM pg_stat_activity WHERE application_name = 'roster' AND wait_event_type = 'Lock'",
    );
    return rows.length === count;
  });
}
