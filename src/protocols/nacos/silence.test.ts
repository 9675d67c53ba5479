import assert from "node:assert/strict";
import { test } from "node:test";
import { Silence } from "./silence.ts";

const IDLE_MS = 20_000;

test("a client is asked after half of its time, and gone after all of it", () => {
  const silence = new Silence(IDLE_MS, 0);
  assert.equal(silence.isDueToAsk(9_999), false);
  assert.equal(silence.isDueToAsk(10_000), true);
  silence.asked(10_000);
  assert.equal(silence.isDueToAsk(10_500), false);
  assert.equal(silence.isGone(19_999), false);
  assert.equal(silence.isGone(20_000), true);
  silence.heard(19_999);
  assert.deepEqual([silence.isGone(20_000), silence.silentMs(20_000)], [false, 1]);
});

test("a client of whose output nothing leaves is stuck, and one that reads slowly is not", () => {
  const silence = new Silence(IDLE_MS, 0);
  silence.progress({ sentBytes: 0, bufferedBytes: 1_000 }, 500);
  assert.equal(silence.isStuck(19_999), false);
  assert.equal(silence.isStuck(20_000), true);
  silence.progress({ sentBytes: 10, bufferedBytes: 990 }, 20_000);
  assert.equal(silence.isStuck(20_000), false);
  silence.progress({ sentBytes: 10, bufferedBytes: 990 }, 39_000);
  assert.equal(silence.isStuck(40_000), true);
  silence.progress({ sentBytes: 10, bufferedBytes: 0 }, 40_000);
  assert.equal(silence.isStuck(40_000), false);
});

test("the time in which this process stood still does not count", () => {
  const silence = new Silence(IDLE_MS, 0);
  silence.asked(10_000);
  silence.resumed(60_000, 70_000);
  assert.deepEqual(
    [silence.isGone(70_000), silence.isStuck(70_000), silence.isDueToAsk(70_000)],
    [false, false, false],
  );
  assert.equal(silence.isGone(80_000), true);
});
