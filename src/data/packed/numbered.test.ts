import assert from "node:assert/strict";
import { test } from "node:test";
import { NONE, Numbered } from "./numbered.ts";

test("each thing has a number of its own, from 1 on, over several chunks", () => {
  const things = new Numbered<string>();
  const numbers = Array.from({ length: 3_000 }, (_, at) => things.add(`thing ${at}`));
  assert.deepEqual([numbers[0], numbers.at(-1), things.size], [NONE + 1, 3_000, 3_000]);
  for (const [at, number] of numbers.entries()) assert.equal(things.get(number), `thing ${at}`);
});

test("a number that was given back is used again, and counts no more meanwhile", () => {
  const things = new Numbered<string>();
  const [a, b] = [things.add("a"), things.add("b")];
  things.remove(a);
  assert.deepEqual([things.size, things.get(b)], [1, "b"]);
  assert.equal(things.add("c"), a);
  assert.deepEqual([things.get(a), things.size], ["c", 2]);
});

test("another thing takes the place of what has the number", () => {
  const things = new Numbered<string>();
  const number = things.add("a");
  things.replace(number, "b");
  assert.deepEqual([things.get(number), things.size], ["b", 1]);
});
