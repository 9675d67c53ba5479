import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { HashIndex } from "./hashIndex.ts";

function under(index: HashIndex, hash: number): number[] {
  const numbers: number[] = [];
  for (let number = index.first(hash); number !== 0; number = index.next()) numbers.push(number);
  return numbers.sort((a, b) => a - b);
}

// Few, so that many entries share one, at both ends of the table.
const hash = fc.constantFrom(0, 1, 2 ** 28, 2 ** 31, 2 ** 32 - 2, 2 ** 32 - 1);
const change = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("add" as const), hash }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("remove" as const), at: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("replace" as const), at: fc.nat() }) },
);

test("an index has what was added, under its hash, until it is removed", () => {
  const property = fc.property(fc.array(change, { maxLength: 400, size: "max" }), (changes) => {
    const index = new HashIndex();
    const entries: { hash: number; number: number }[] = [];
    let number = 2 ** 32 - 1_000;
    for (const one of changes) {
      if (one.kind === "add") {
        entries.push({ hash: one.hash, number });
        index.add(one.hash, number++);
        continue;
      }
      const at = one.at % Math.max(1, entries.length);
      const entry = entries[at];
      if (entry === undefined) continue;
      if (one.kind === "remove") {
        index.remove(entry.hash, entry.number);
        entries.splice(at, 1);
      } else {
        index.replace(entry.hash, entry.number, number);
        entry.number = number++;
      }
    }
    assert.equal(index.size, entries.length);
    for (const { hash } of entries) {
      const expected = entries.filter((entry) => entry.hash === hash).map((entry) => entry.number);
      assert.deepEqual(
        under(index, hash),
        expected.sort((a, b) => a - b),
      );
    }
    assert.deepEqual(under(index, 12_345), []);
  });
  fc.assert(property, { numRuns: 200 });
});

const scrambled = (number: number): number => Math.imul(number, 0x9e37_79b1) >>> 0;

test("while an index grows and shrinks, all of it can be found at any time", () => {
  const index = new HashIndex();
  const count = 20_000;
  for (let number = 1; number <= count; number++) {
    index.add(scrambled(number), number);
    for (const other of [1, number >> 1, number])
      if (other > 0) assert.deepEqual(under(index, scrambled(other)), [other]);
  }
  assert.ok(index.bytes <= (count * 8) / 0.5, `${index.bytes} bytes`);
  for (let number = 1; number < count; number++) {
    index.remove(scrambled(number), number);
    assert.deepEqual(under(index, scrambled(number)), []);
    assert.deepEqual(under(index, scrambled(count)), [count]);
  }
  assert.ok(index.bytes <= 64, `${index.bytes} bytes`);
});

test("an empty index takes no memory", () => {
  const index = new HashIndex();
  assert.equal(index.bytes, 0);
  index.add(1, 1);
  index.remove(1, 1);
  assert.equal(index.bytes, 0);
});
