import assert from "node:assert/strict";
import { test } from "node:test";
import { BenchTally, markedBox } from "./benchTally.ts";

/** One publisher of service 0 that is registered, with two subscribers, and one of another service. */
function scene() {
  const tally = new BenchTally();
  const [first, second, other] = [tally.subscriber(0), tally.subscriber(0), tally.subscriber(1)];
  const publisher = tally.publisher(0, 100);
  const show = (subscriber: number, version: number, nowMs: number) =>
    tally.shown(subscriber, [markedBox(publisher, version)], nowMs);
  return { tally, first, second, other, publisher, show };
}

test("a cluster is whole when all is acknowledged, and each subscriber has seen the publishers of its service", () => {
  const { tally, first, second, publisher, show } = scene();
  assert.equal(tally.isWhole, false);
  tally.acknowledged(publisher, 1, 103);
  show(first, 1, 110);
  assert.equal(tally.isWhole, false);
  show(second, 1, 111);
  assert.equal(tally.isWhole, true);
  assert.equal(tally.isOver, true);
  const { registered, acknowledged, seen } = tally.result();
  assert.deepEqual([registered.count, registered.maxMs], [1, 3]);
  assert.deepEqual([acknowledged.count, seen.count], [0, 0], "registrations are no changes");
});

test("a change counts from its time, once for each subscriber, and a later version shows the ones before", () => {
  const { tally, first, second, publisher, show } = scene();
  tally.acknowledged(publisher, 1, 101);
  for (const subscriber of [first, second]) show(subscriber, 1, 102);
  assert.equal(tally.changed(publisher, 200), 2);
  assert.equal(tally.changed(publisher, 210), 3);
  tally.acknowledged(publisher, 3, 215);
  show(first, 2, 220);
  show(first, 3, 230);
  show(second, 3, 260);
  show(second, 2, 900);
  assert.equal(tally.isOver, true);
  const { acknowledged, seen } = tally.result();
  assert.deepEqual([acknowledged.count, acknowledged.maxMs], [2, 15]);
  assert.deepEqual([seen.count, seen.maxMs], [4, 60]);
});

test("what was not acknowledged and not seen is counted", () => {
  const { tally, first, publisher, show } = scene();
  tally.changed(publisher, 200);
  show(first, 1, 205);
  const { notAcknowledged, notSeen, seen } = tally.result();
  assert.deepEqual([notAcknowledged, notSeen, seen.count], [2, 2, 0]);
  assert.equal(tally.isOver, false);
});

test("boxes of others and of other services change nothing", () => {
  const { tally, first, other, publisher, show } = scene();
  tally.acknowledged(publisher, 1, 101);
  tally.shown(first, ["10.0.0.1:80", "10.0.0.1:80?bench=7.1", "10.0.0.1:80?bench=x", ""], 102);
  show(other, 1, 103);
  assert.equal(tally.isWhole, false);
  assert.equal(tally.result().seen.count, 0);
});

test("each box has an address that stands for no machine", () => {
  for (const publisher of [0, 1, 253, 254, 1_999]) {
    assert.match(
      markedBox(publisher, 12),
      /^192\.0\.2\.([1-9]|[1-9]\d|1\d\d|2[0-4]\d|25[0-4]):\d{4,5}\?bench=\d+\.12$/,
    );
  }
});
