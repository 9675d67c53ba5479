// The newest changes of a store for all that wait for them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { GATEWAYS_RANGE } from "../../records/gatewayRecords.ts";
import { keysWith } from "../../records/keys.ts";
import type { Change, ChangesPage, Compacted } from "../../records/records.ts";
import { MemoryDatabase, openMemoryRecords } from "../../store/memory/memoryRecords.ts";
import { A, committed, LONG_MS, put, refusedAs } from "../../store/testing/testRecords.ts";
import { RecordsFeed } from "./recordsFeed.ts";

const RANGE = keysWith("gateways/p/");

/** A feed whose timers run when the test says so. */
async function scene() {
  const database = new MemoryDatabase();
  const records = await openMemoryRecords(database);
  const due = new Set<() => void>();
  const timers = {
    after: (_delayMs: number, run: (nowMs: number) => void) => {
      const fire = () => {
        due.delete(fire);
        run(0);
      };
      due.add(fire);
      return () => void due.delete(fire);
    },
  };
  const read = { changes: 0 };
  /** Happens before the next range is read. */
  let race: () => Promise<unknown> = async () => undefined;
  const raceWith = (next: typeof race) => {
    race = next;
  };
  const store = {
    range: async (...asked: Parameters<typeof records.range>) => {
      await race();
      return records.range(...asked);
    },
    watch: records.watch.bind(records),
    changes: (...asked: Parameters<typeof records.changes>) => {
      read.changes++;
      return records.changes(...asked);
    },
  };
  const feed = new RecordsFeed(async () => store, timers);
  const wait = (after: bigint, range = RANGE) => feed.changes({ range, after, waitMs: 10_000 });
  const now = (after: bigint, range = RANGE) => feed.changes({ range, after, waitMs: 0 });
  const pass = () => {
    for (const fire of [...due]) fire();
  };
  return { database, records, feed, wait, now, pass, read, raceWith };
}

const keysOf = (page: ChangesPage | Compacted) =>
  page.kind === "changes"
    ? page.changes.map((change: Change) => (change.kind === "put" ? change.record.key : "-"))
    : [];

test("those who wait for the same range are told the next commit in it, and share the page", async () => {
  const { records, wait, now } = await scene();
  const start = await now(0n);
  assert.ok(start.kind === "changes");
  const waiting = [wait(0n), wait(0n), wait(0n, GATEWAYS_RANGE)];
  await committed(records, put("gateways/q/a"));
  const other = await (waiting[2] ?? wait(0n));
  assert.deepEqual(keysOf(other), ["gateways/q/a"]);
  await committed(records, put("gateways/p/a"), put("gateways/q/b"));
  const [one, two] = await Promise.all(waiting);
  assert.deepEqual(keysOf(one ?? start), ["gateways/p/a"]);
  assert.equal(one, two);
  assert.ok(one?.kind === "changes" && one.revision === 2n);
});

test("a question without news is answered with nothing when its time is over", async () => {
  const { records, wait, now, pass } = await scene();
  await now(0n);
  const waiting = wait(0n);
  await committed(records, put("elsewhere"));
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  pass();
  const page = await waiting;
  assert.ok(page.kind === "changes");
  assert.deepEqual(page.changes, []);
});

test("those that are behind get the last changes from memory, and older ones from the store", async () => {
  const { records, wait, now, read } = await scene();
  await committed(records, put("gateways/p/0"));
  await now(1n);
  const next = wait(1n);
  for (let count = 1; count <= 3; count++) await committed(records, put(`gateways/p/${count}`));
  await next;
  const before = read.changes;
  const latest = await wait(3n);
  assert.deepEqual(keysOf(latest), ["gateways/p/3"]);
  assert.equal(read.changes, before, "from memory");
  assert.equal(keysOf(await wait(0n)).length, 4, "from the store");
});

test("one whose revision the store has lost, or whose history is gone, hears that it has to read anew", async () => {
  const { database, records, wait, now } = await scene();
  await committed(records, put("gateways/p/a"));
  await now(0n);
  assert.deepEqual(await now(99n), { kind: "compacted", oldest: 1n });
  assert.deepEqual(await wait(99n), { kind: "compacted", oldest: 1n });
  for (let count = 0; count < 3; count++) await committed(records, put("gateways/p/a", String(count)));
  await records.compact(3n);
  assert.deepEqual(await now(1n), { kind: "compacted", oldest: 3n });
  const copy = database.copy();
  await committed(records, put("gateways/p/b"));
  database.failOver(copy);
  await assert.rejects(now(4n), refusedAs("STORE_UNAVAILABLE"));
  await records.acquireLease(A, LONG_MS);
  assert.equal((await now(4n)).kind, "compacted");
});

test("a store that passes a lost revision while it is asked has lost it all the same", async () => {
  const { records, now, raceWith } = await scene();
  await committed(records, put("gateways/p/a"));
  await now(0n);
  raceWith(() => committed(records, put("gateways/p/b")));
  assert.deepEqual(await now(2n), { kind: "compacted", oldest: 2n });
});

test("who waits when the feed ends is refused, and so is who comes later", async () => {
  const { feed, wait, now } = await scene();
  await now(0n);
  const waiting = wait(0n);
  feed.close();
  feed.close();
  await assert.rejects(waiting, refusedAs("STORE_UNAVAILABLE", "stops"));
  await assert.rejects(wait(0n), refusedAs("STORE_UNAVAILABLE", "stops"));
});
