import assert from "node:assert/strict";
import { test } from "node:test";
import { SLAB_BYTES, Slabs, UNIT_BYTES, unitOf } from "./slabs.ts";

/** Cells that each carry a number, and where they are. */
function cells(): {
  slabs: Slabs;
  at: Map<number, number>;
  add: (number: number, units: number) => void;
  remove: (number: number) => void;
} {
  const at = new Map<number, number>();
  const slabs = new Slabs((from, to) => {
    const number = slabs.slabOf(to).words[unitOf(to) * 2 + 1] ?? 0;
    assert.equal(at.get(number), from);
    at.set(number, to);
  });
  const add = (number: number, units: number): void => {
    const position = slabs.allocate(units);
    slabs.slabOf(position).words[unitOf(position) * 2 + 1] = number;
    at.set(number, position);
  };
  const remove = (number: number): void => {
    slabs.free(at.get(number) ?? 0);
    at.delete(number);
  };
  return { slabs, at, add, remove };
}

test("cells keep what is in them while others go and slabs are emptied", () => {
  const { slabs, at, add, remove } = cells();
  for (let number = 1; number <= 50_000; number++) add(number, 5 + (number % 40));
  for (let number = 1; number <= 50_000; number++) if (number % 7 !== 0) remove(number);
  while (slabs.tidy(1_000));
  assert.ok(slabs.bytes <= slabs.liveBytes * 1.25 + 5 * SLAB_BYTES, `${slabs.bytes} for ${slabs.liveBytes}`);
  for (const [number, position] of at) {
    const { words } = slabs.slabOf(position);
    assert.equal(words[unitOf(position) * 2], 5 + (number % 40));
    assert.equal(words[unitOf(position) * 2 + 1], number);
  }
});

test("when all is freed, only some spare slabs are left", () => {
  const { slabs, add, remove } = cells();
  for (let number = 1; number <= 50_000; number++) add(number, 25);
  for (let number = 1; number <= 50_000; number++) remove(number);
  while (slabs.tidy(1_000));
  assert.equal(slabs.liveBytes, 0);
  assert.ok(slabs.bytes <= 5 * SLAB_BYTES, `${slabs.bytes} bytes`);
});

test("a cell never reaches over the end of its slab", () => {
  const { slabs, at, add } = cells();
  const units = SLAB_BYTES / UNIT_BYTES / 3 + 1;
  for (let number = 1; number <= 5; number++) add(number, Math.floor(units));
  const ends = [...at.values()].map((position) => unitOf(position) + Math.floor(units));
  assert.ok(ends.every((end) => end * UNIT_BYTES <= SLAB_BYTES));
  assert.equal(slabs.bytes, 3 * SLAB_BYTES);
});

test("slabs that were emptied are used again: filled ten times, they are as many as at first", () => {
  const { slabs, at, add, remove } = cells();
  const used = new Set<number>();
  for (let round = 0; round < 10; round++) {
    for (let number = 1; number <= 20_000; number++) add(number, 25);
    for (const position of at.values()) used.add(slabs.slabOf(position).number);
    for (let number = 1; number <= 20_000; number++) remove(number);
  }
  assert.ok(used.size <= 6, `${used.size} slabs for what fits four`);
});
