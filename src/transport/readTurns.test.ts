import assert from "node:assert/strict";
import { test } from "node:test";
import { ReadTurns } from "./readTurns.ts";

const nextTurn = () => new Promise<void>((resolve) => void setImmediate(resolve));

/** Turns by a clock that the test moves, and the input taken. */
function scene() {
  const clock = { atMs: 1_000, nowMs: () => clock.atMs };
  const turns = new ReadTurns(clock);
  const taken: string[] = [];
  /** Reads input that takes `tookMs` to process: at once if there is time, else later. */
  const read = (name: string, tookMs = 0) => {
    const take = () => {
      taken.push(name);
      clock.atMs += tookMs;
    };
    if (turns.hasTime(clock.nowMs())) take();
    else turns.later(take);
  };
  return { clock, turns, taken, read };
}

test("what is read is taken at once until twenty milliseconds of the turn are used", () => {
  const { taken, read, turns, clock } = scene();
  read("a", 19);
  assert.ok(turns.hasTime(clock.nowMs()));
  read("b", 1);
  assert.ok(!turns.hasTime(clock.nowMs()));
  read("c");
  assert.deepEqual(taken, ["a", "b"]);
});

test("what did not fit is taken in the next turn, in the order in which it came", async () => {
  const { taken, read } = scene();
  read("a", 20);
  for (const name of ["b", "c", "d"]) read(name);
  await nextTurn();
  assert.deepEqual(taken, ["a", "b", "c", "d"]);
});

test("who comes while others wait has to wait too, also if the turn has time", async () => {
  const { taken, read, turns } = scene();
  read("a", 20);
  read("b", 20);
  read("c", 20);
  await nextTurn();
  assert.deepEqual(taken, ["a", "b"]);
  read("d");
  assert.deepEqual(taken, ["a", "b"], "c was there before");
  turns.later(() => taken.push("e"));
  await nextTurn();
  assert.deepEqual(taken, ["a", "b", "c"]);
  await nextTurn();
  assert.deepEqual(taken, ["a", "b", "c", "d", "e"]);
});

test("nothing is taken before what waits, though the turn has time", async () => {
  const { turns, read, clock } = scene();
  const hadTime: boolean[] = [];
  read("a", 20);
  for (let waiting = 0; waiting < 2; waiting++) turns.later(() => hadTime.push(turns.hasTime(clock.nowMs())));
  await nextTurn();
  assert.deepEqual(hadTime, [false, true]);
});

test("a turn takes what waits for twenty milliseconds, and leaves the rest to the next", async () => {
  const { taken, read } = scene();
  read("a", 20);
  for (const name of ["b", "c", "d", "e", "f", "g"]) read(name, 10);
  await nextTurn();
  assert.deepEqual(taken, ["a", "b", "c"]);
  await nextTurn();
  assert.deepEqual(taken, ["a", "b", "c", "d", "e"]);
  await nextTurn();
  assert.deepEqual(taken, ["a", "b", "c", "d", "e", "f", "g"]);
});

test("when nothing waits any more the next turn is as the first", async () => {
  const { taken, read, clock, turns } = scene();
  read("a", 20);
  read("b");
  await nextTurn();
  await nextTurn();
  await nextTurn();
  assert.ok(turns.hasTime(clock.nowMs()));
  read("c", 5);
  assert.deepEqual(taken, ["a", "b", "c"]);
});

test("what a waiting reader reads besides comes after all that waits already", async () => {
  const { taken, turns, read } = scene();
  read("a", 20);
  turns.later(() => {
    taken.push("b");
    turns.later(() => taken.push("d"));
  });
  turns.later(() => taken.push("c"));
  await nextTurn();
  assert.deepEqual(taken, ["a", "b", "c", "d"]);
});

test("a turn in which nothing had to wait is over with it: the next one has its own time", async () => {
  const { taken, read, clock } = scene();
  read("a", 19);
  await nextTurn();
  clock.atMs += 5_000;
  read("b");
  assert.deepEqual(taken, ["a", "b"]);
});
