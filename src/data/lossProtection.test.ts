import assert from "node:assert/strict";
import { test } from "node:test";
import { clientId, type NodeId, nodeId } from "../model/ids.ts";
import type { Datum } from "./datum.ts";
import { COUNTED, LossProtection } from "./lossProtection.ts";
import { ORDERS, OTHER, put, removed, SESSION, START_MS } from "./testing/harness.ts";
import { datum } from "./testing/parts.ts";

const THIRD = nodeId("session-3.a");
const OPTIONS = {
  lossProtectionPercent: 50,
  lossProtectionPublishersMin: 3,
  lossProtectionMaxMs: 600_000,
  sessionLeaseMs: 30_000,
};

/** A service with this many publishers of each session. */
function service(...counts: readonly (readonly [NodeId, number])[]) {
  const { datum: one, contents } = datum();
  for (const [session, count] of counts) {
    for (let at = 0; at < count; at++) {
      contents.apply(one, put({ registId: `${session} ${at}`, owner: { session, client: clientId("c") } }));
    }
  }
  return one;
}

test("a loss is held from so many publishers on, if it is more than its share of the service", () => {
  const holds = (lost: number, left: number, options = {}) =>
    new LossProtection({ ...OPTIONS, ...options }).holdLoss(service([SESSION, lost], [OTHER, left]), SESSION, START_MS);
  assert.deepEqual([holds(2, 1), holds(3, 1)], [false, true]);
  assert.deepEqual([holds(4, 4), holds(5, 4)], [false, true]);
  assert.equal(holds(9, 0, { lossProtectionPercent: 100 }), false);
});

test("whatever would leave a service without anybody is held, if anything is", () => {
  const holds = (lost: number, options = {}) =>
    new LossProtection({ ...OPTIONS, ...options }).holdLoss(service([SESSION, lost]), SESSION, START_MS);
  assert.deepEqual([holds(1), holds(2)], [true, true]);
  assert.equal(holds(1, { lossProtectionPercent: 100 }), false);
});

/** The list has changed, and a second later it is counted. */
function count(protection: LossProtection, datum: Datum, nowMs: number): void {
  protection.changed(datum, nowMs);
  assert.equal(protection.nextMs(), nowMs + 1_000);
  assert.equal(protection.takeEnded(nowMs + 999), undefined);
  assert.equal(protection.takeEnded(nowMs + 1_000), COUNTED);
}

test("a service that changes again and again is counted a second after the first change", () => {
  const protection = new LossProtection(OPTIONS);
  const one = service([SESSION, 4]);
  protection.changed(one, START_MS);
  assert.equal(protection.nextMs(), Number.POSITIVE_INFINITY, "it is not held");
  protection.holdLoss(one, SESSION, START_MS);
  for (let afterMs = 0; afterMs < 900; afterMs += 100) protection.changed(one, START_MS + afterMs);
  assert.equal(protection.nextMs(), START_MS + 1_000);
});

test("when enough others are listed, those who did not come back have another lease's time, and no more", () => {
  const protection = new LossProtection(OPTIONS);
  const { datum: one, contents } = datum();
  const publisher = (registId: string, session: NodeId) => put({ registId, owner: { session, client: clientId("c") } });
  for (const registId of ["a", "b"]) contents.apply(one, publisher(registId, SESSION));
  protection.holdLoss(one, SESSION, START_MS);
  contents.apply(one, publisher("c", OTHER));
  count(protection, one, START_MS + 4_000);
  assert.equal(protection.nextMs(), START_MS + 35_000);
  contents.apply(one, publisher("d", OTHER));
  count(protection, one, START_MS + 9_000);
  assert.equal(protection.list()[0]?.untilMs, START_MS + 35_000, "a lease from the first of them");
  assert.equal(protection.takeEnded(START_MS + 35_000), ORDERS);
});

test("others that have gone again leave a service held for the whole time", () => {
  const protection = new LossProtection(OPTIONS);
  const { datum: one, contents } = datum();
  for (const [registId, session] of [
    ["a", SESSION],
    ["b", OTHER],
  ] as const) {
    contents.apply(one, put({ registId, owner: { session, client: clientId("c") } }));
    if (session === SESSION) protection.holdLoss(one, SESSION, START_MS);
  }
  count(protection, one, START_MS);
  assert.equal(protection.nextMs(), START_MS + 31_000);
  contents.apply(one, removed("unpublished", { version: 9n, registeredMs: START_MS }, "b"));
  count(protection, one, START_MS + 2_000);
  assert.equal(protection.nextMs(), START_MS + OPTIONS.lossProtectionMaxMs);
});

test("sessions that go one after the other are counted together", () => {
  const protection = new LossProtection(OPTIONS);
  const one = service([SESSION, 4], [OTHER, 1], [THIRD, 2]);
  assert.equal(protection.holdLoss(one, SESSION, START_MS), true);
  assert.equal(protection.holdLoss(one, OTHER, START_MS + 100), true);
  const untilMs = START_MS + OPTIONS.lossProtectionMaxMs;
  assert.deepEqual(protection.list(), [{ serviceKey: ORDERS, sinceMs: START_MS, untilMs, lost: 5, publishers: 7 }]);
  assert.deepEqual([protection.size, protection.nextMs()], [1, untilMs]);
  assert.deepEqual(protection.release(ORDERS), [SESSION, OTHER]);
  assert.deepEqual([protection.size, protection.nextMs()], [0, Number.POSITIVE_INFINITY]);
  assert.deepEqual(protection.release(ORDERS), []);
});

test("a hold is over when all its sessions are back, and not when one is", () => {
  const protection = new LossProtection(OPTIONS);
  const one = service([SESSION, 4], [OTHER, 1]);
  for (const session of [SESSION, OTHER]) protection.holdLoss(one, session, START_MS);
  protection.returned(THIRD);
  protection.returned(SESSION);
  assert.equal(protection.list()[0]?.lost, 1);
  protection.returned(OTHER);
  assert.deepEqual([protection.size, protection.nextMs()], [0, Number.POSITIVE_INFINITY]);
});

test("a hold ends by itself after its time, once", () => {
  const protection = new LossProtection(OPTIONS);
  protection.holdLoss(service([SESSION, 4]), SESSION, START_MS);
  const untilMs = START_MS + OPTIONS.lossProtectionMaxMs;
  assert.equal(protection.takeEnded(untilMs - 1), undefined);
  assert.deepEqual([protection.takeEnded(untilMs), protection.takeEnded(untilMs)], [ORDERS, undefined]);
});

test("a slot that is led elsewhere holds nothing here; other slots do", () => {
  const protection = new LossProtection(OPTIONS);
  protection.holdLoss(service([SESSION, 4]), SESSION, START_MS);
  protection.forget(1);
  assert.equal(protection.size, 1);
  protection.forget(0);
  assert.deepEqual([protection.size, protection.nextMs()], [0, Number.POSITIVE_INFINITY]);
});
