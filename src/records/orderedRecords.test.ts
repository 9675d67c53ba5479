import assert from "node:assert/strict";
import { test } from "node:test";
import { Dice } from "../sim/random.ts";
import { compareKeys, isIn, keysWith } from "./keys.ts";
import { OrderedRecords } from "./orderedRecords.ts";
import type { StoredRecord } from "./records.ts";

const recordOf = (key: string, revision: number): StoredRecord => {
  return { key, value: new Uint8Array(revision % 7), revision: BigInt(revision), createdRevision: 1n };
};

test("records come in the order of their keys, whatever was put and deleted before", () => {
  const dice = new Dice(1);
  const ordered = new OrderedRecords();
  const plain = new Map<string, StoredRecord>();
  const names = ["a/", "a/\uff5e", "a/\u{1f490}", "b", ""];
  for (let step = 1; step <= 20_000; step++) {
    const key = `${dice.pick(names)}${dice.below(3_000)}`;
    if (dice.chance(0.3)) {
      assert.deepEqual(ordered.delete(key), plain.get(key));
      plain.delete(key);
    } else {
      ordered.set(recordOf(key, step));
      plain.set(key, recordOf(key, step));
    }
  }
  const sorted = [...plain.values()].sort((one, other) => compareKeys(one.key, other.key));
  for (const range of [keysWith(""), keysWith("a/"), keysWith("a/2"), { from: "a/1", to: "b1" }, keysWith("c")]) {
    assert.deepEqual(
      [...ordered.range(range)],
      sorted.filter(({ key }) => isIn(range, key)),
    );
  }
  assert.equal(ordered.size, sorted.length);
  assert.equal(
    ordered.bytes,
    sorted.reduce((sum, { value }) => sum + value.length, 0),
  );
  assert.deepEqual(ordered.get("nobody"), undefined);
});
