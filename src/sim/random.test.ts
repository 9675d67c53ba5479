import assert from "node:assert/strict";
import { test } from "node:test";
import { Dice } from "./random.ts";

const rolls = (dice: Dice, count = 1_000) => Array.from({ length: count }, () => dice.below(6));

test("the same seed rolls the same, another seed rolls otherwise", () => {
  assert.deepEqual(rolls(new Dice(7)), rolls(new Dice(7)));
  assert.notDeepEqual(rolls(new Dice(7)), rolls(new Dice(8)));
});

test("every face comes up about equally often", () => {
  const counts = new Array<number>(6).fill(0);
  for (const face of rolls(new Dice(1), 60_000)) counts[face] = (counts[face] ?? 0) + 1;
  for (const count of counts) assert.ok(Math.abs(count - 10_000) < 500, `${counts}`);
});

test("first rolls of neighbouring seeds are unlike", () => {
  const firsts = new Set(Array.from({ length: 1_000 }, (_, seed) => new Dice(seed).next()));
  assert.equal(firsts.size, 1_000);
});

test("a fork takes its own course, whatever else is rolled", () => {
  const [one, other] = [new Dice(3), new Dice(3)];
  const [forkOfOne, forkOfOther] = [one.fork(), other.fork()];
  rolls(one);
  assert.deepEqual(rolls(forkOfOne), rolls(forkOfOther));
});

test("a shuffle keeps every item", () => {
  const items = Array.from({ length: 50 }, (_, at) => at);
  const shuffled = new Dice(5).shuffle(items);
  assert.notDeepEqual(shuffled, items);
  assert.deepEqual(
    shuffled.toSorted((a, b) => a - b),
    items,
  );
});

test("between includes both ends", () => {
  const dice = new Dice(9);
  const seen = new Set(Array.from({ length: 200 }, () => dice.between(2, 4)));
  assert.deepEqual([...seen].sort(), [2, 3, 4]);
});
