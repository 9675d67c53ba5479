// The leader's lease, and its fence around every write of a leader.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { LeaderLease, Records } from "../../records/records.ts";
import {
  A,
  B,
  commitOf,
  contentOf,
  LONG_MS,
  leads,
  type NewDatabase,
  OVER_MS,
  put,
  revisionOf,
  SHORT_MS,
} from "./testRecords.ts";

export function recordsLeaseTests(newDatabase: NewDatabase): void {
  renewalTests(newDatabase);
  fenceTests(newDatabase);
}

async function opened(newDatabase: NewDatabase) {
  const database = newDatabase();
  const { shortMs = SHORT_MS, overMs = OVER_MS } = database;
  return { database, records: await database.open(), pass: (ms: number) => database.pass(ms), shortMs, overMs };
}

/** A real database takes its time: less may remain, never more. */
const SLACK_MS = 5_000;

/** `epoch` undefined: any epoch above the first. */
function assertLease(
  { remainingMs, ...lease }: LeaderLease,
  expected: Omit<LeaderLease, "remainingMs">,
  leaseMs: number,
): void {
  assert.deepEqual(lease, expected);
  assert.ok(remainingMs <= leaseMs && remainingMs > leaseMs - SLACK_MS, `${remainingMs} of ${leaseMs} ms remain`);
}

function renewalTests(newDatabase: NewDatabase): void {
  test("renewing keeps the epoch, and takes on a new time and a new address", async () => {
    const { records } = await opened(newDatabase);
    const { epoch } = await records.acquireLease(A, LONG_MS);
    assert.ok(epoch > 0n);
    const moved = { ...A, address: "10.0.0.9:9615" };
    assertLease(await records.acquireLease(moved, 2 * LONG_MS), { ...moved, epoch }, 2 * LONG_MS);
    assertLease(await records.acquireLease(B, LONG_MS), { ...moved, epoch }, 2 * LONG_MS);
    await records.close();
  });

  test("while one leads, another is told the holder and the time that remains", async () => {
    const { records, pass, shortMs } = await opened(newDatabase);
    const { epoch } = await records.acquireLease(A, LONG_MS);
    await pass(50);
    const told = await records.acquireLease(B, shortMs);
    assertLease(told, { ...A, epoch }, LONG_MS);
    assert.ok(told.remainingMs <= LONG_MS - 40, "time has passed");
    await records.close();
  });

  test("a lease that has ended is taken by the next that asks, under a higher epoch", async () => {
    const { records, pass, shortMs, overMs } = await opened(newDatabase);
    const first = await records.acquireLease(A, shortMs);
    await pass(overMs);
    const second = await records.acquireLease(B, LONG_MS);
    assert.ok(second.epoch > first.epoch);
    assertLease(second, { ...B, epoch: second.epoch }, LONG_MS);
    assertLease(await records.acquireLease(A, LONG_MS), { ...B, epoch: second.epoch }, LONG_MS);
    await records.close();
  });

  test("a holder that let the lease end and takes it again has a new epoch", async () => {
    const { records, pass, shortMs, overMs } = await opened(newDatabase);
    const first = await records.acquireLease(A, shortMs);
    await pass(overMs);
    const second = await records.acquireLease(A, LONG_MS);
    assert.ok(second.epoch > first.epoch);
    assert.equal(second.holder, A.holder);
    await records.close();
  });

  test("renewed in time, a lease outlasts its first end", async () => {
    const { records, pass, shortMs, overMs } = await opened(newDatabase);
    const { epoch } = await records.acquireLease(A, 3 * shortMs);
    await records.acquireLease(A, LONG_MS);
    await pass(3 * overMs);
    assertLease(await records.acquireLease(B, LONG_MS), { ...A, epoch }, LONG_MS - 3 * overMs);
    await records.close();
  });

  test("a lease that is released is free at once; an older epoch releases nothing", async () => {
    const { records } = await opened(newDatabase);
    const first = await records.acquireLease(A, LONG_MS);
    await records.releaseLease(first.epoch);
    const second = await records.acquireLease(B, LONG_MS);
    assert.ok(second.epoch > first.epoch);
    await records.releaseLease(first.epoch);
    await records.releaseLease(second.epoch + 1n);
    assertLease(await records.acquireLease(A, LONG_MS), { ...B, epoch: second.epoch }, LONG_MS);
    await records.close();
  });

  test("epochs go on growing when the store is closed and opened", async () => {
    const { database, records } = await opened(newDatabase);
    const { epoch } = await records.acquireLease(A, LONG_MS);
    await records.releaseLease(epoch);
    await records.close();
    const reopened = await database.open();
    assert.ok((await reopened.acquireLease(B, LONG_MS)).epoch > epoch);
    await reopened.close();
  });

  test("of stores that race for the lead one gets it", async () => {
    const { database, records } = await opened(newDatabase);
    if (!database.isShared) return records.close();
    const all = [records, await database.open(), await database.open()];
    let before = 0n;
    for (let round = 0; round < 10; round++) {
      const candidates = all.map((_, at) => ({ holder: `meta-${at}.run${round}` as never, address: `${at}:9615` }));
      const answers = await Promise.all(all.map((each, at) => each.acquireLease(candidates[at] ?? A, LONG_MS)));
      assert.equal(new Set(answers.map(({ holder }) => holder)).size, 1, `round ${round}`);
      const { epoch } = answers[0] ?? { epoch: 0n };
      assert.ok(epoch > before);
      for (const answer of answers) assert.equal(answer.epoch, epoch);
      before = epoch;
      await Promise.all(all.map((each) => each.releaseLease(epoch)));
    }
    await Promise.all(all.map((each) => each.close()));
  });
}

function fenceTests(newDatabase: NewDatabase): void {
  const write = (records: Records, epoch: bigint, value = "1") =>
    records.commit(commitOf([put("a", value)], [leads(epoch)]));

  const refused = async (records: Records, epoch: bigint) => {
    const before = await contentOf(records);
    assert.deepEqual(await write(records, epoch, "refused"), { kind: "refused", condition: leads(epoch) });
    assert.deepEqual(await contentOf(records), before);
  };

  test("nothing is written under a lease that was never given", async () => {
    const { records } = await opened(newDatabase);
    await refused(records, 0n);
    await refused(records, 1n);
    const { epoch } = await records.acquireLease(A, LONG_MS);
    await refused(records, epoch - 1n);
    await refused(records, epoch + 1n);
    revisionOf(await write(records, epoch));
    await records.close();
  });

  test("a lease that has ended writes nothing, although no other node has taken it", async () => {
    const { records, pass, shortMs, overMs } = await opened(newDatabase);
    const { epoch } = await records.acquireLease(A, shortMs);
    await pass(overMs);
    await refused(records, epoch);
    await records.close();
  });

  test("a lease that was released writes nothing", async () => {
    const { records } = await opened(newDatabase);
    const { epoch } = await records.acquireLease(A, LONG_MS);
    await records.releaseLease(epoch);
    await refused(records, epoch);
    await records.close();
  });

  test("the leader before writes nothing over the one that followed, from its own store either", async () => {
    const { database, records, pass, shortMs, overMs } = await opened(newDatabase);
    const first = await records.acquireLease(A, shortMs);
    revisionOf(await write(records, first.epoch, "first"));
    await pass(overMs);
    const other = database.isShared ? await database.open() : records;
    const second = await other.acquireLease(B, LONG_MS);
    await refused(records, first.epoch);
    revisionOf(await write(other, second.epoch, "second"));
    if (other !== records) {
      await refused(records, second.epoch);
      await records.releaseLease(second.epoch);
      revisionOf(await write(other, second.epoch, "still"));
      await other.close();
    }
    await records.close();
  });
}
