import assert from "node:assert/strict";
import { test } from "node:test";
import { Scheduler } from "./scheduler.ts";

const never = () => false;

test("tasks run in the order of their times, and of asking where times are equal", () => {
  const scheduler = new Scheduler(1_000);
  const ran: string[] = [];
  scheduler.after(20, () => ran.push(`late at ${scheduler.nowMs}`));
  scheduler.after(5, () => ran.push("first"));
  scheduler.after(5, () => ran.push("second"));
  scheduler.run(2_000, never);
  assert.deepEqual(ran, ["first", "second", "late at 1020"]);
  assert.equal(scheduler.nowMs, 2_000);
});

test("a task may ask for more, a cancelled one does not run", () => {
  const scheduler = new Scheduler(0);
  let ran = 0;
  const again = () => {
    ran++;
    scheduler.after(10, again);
  };
  again();
  scheduler.after(15, () => assert.fail("it was cancelled"))();
  scheduler.run(100, never);
  assert.equal(ran, 11);
});

test("a run ends early when it is over", () => {
  const scheduler = new Scheduler(0);
  let ran = 0;
  for (let atMs = 1; atMs <= 10; atMs++) scheduler.at(atMs, () => ran++);
  scheduler.run(100, () => ran === 3);
  assert.equal(scheduler.nowMs, 3);
});
