import assert from "node:assert/strict";
import { test } from "node:test";
import { RegistryError } from "../base/errors.ts";
import { nodeId } from "../model/ids.ts";
import {
  checkSlotCount,
  DamagedColumn,
  damaged,
  type Row,
  readBigint,
  readMaybeText,
  readNumber,
  readSlotTable,
  readTable,
  readText,
  readVersion,
  slotsColumn,
  textColumn,
} from "./columns.ts";

const COLUMNS = { epoch: "epoch", slots: "slots" };

/** A reader's outcome for one value: its result, or its complaint. */
function reading<Read>(read: (row: Row, column: string) => Read, value: unknown): Read | string {
  try {
    return read({ c: value }, "c");
  } catch (error) {
    assert.ok(error instanceof DamagedColumn);
    return error.message;
  }
}

const tableOf = (epoch: bigint, slots: unknown) => readSlotTable({ epoch, slots: JSON.stringify(slots) }, COLUMNS);

const says = (message: string) => (error: unknown) => error instanceof DamagedColumn && error.message === message;

test("every text comes back as it was, null where that may be", () => {
  for (const text of ["", "orders", "nul \0", "lone \ud800", 'quote " and \\']) {
    assert.equal(reading(readText, textColumn(text)), text);
    assert.equal(reading(readMaybeText, textColumn(text)), text);
  }
  assert.equal(reading(readMaybeText, textColumn(null)), null);
  assert.equal(reading(readText, textColumn(null)), "c is not text");
});

test("what is no text is said to be none", () => {
  for (const read of [readText, readMaybeText]) {
    assert.equal(reading(read, "7"), "c is not text");
    assert.equal(reading(read, '["a"]'), "c is not text");
    assert.equal(reading(read, 7n), "c is not text");
    assert.equal(reading(read, "orders"), "c is not JSON");
  }
});

test("integers are exact, and in their bounds", () => {
  assert.equal(reading(readBigint, -(2n ** 63n)), -(2n ** 63n));
  assert.equal(reading(readBigint, 7), "c is not an integer");
  assert.deepEqual([reading(readVersion, 0n), reading(readVersion, 2n ** 63n - 1n)], [0n, 2n ** 63n - 1n]);
  assert.equal(reading(readVersion, -1n), "c is negative");
  const upTo7 = (row: Row, column: string) => readNumber(row, column, 7);
  assert.deepEqual([reading(upTo7, 7n), reading(upTo7, 8n)], [7, "c is above 7"]);
  assert.equal(reading(readNumber, BigInt(Number.MAX_SAFE_INTEGER)), Number.MAX_SAFE_INTEGER);
  assert.equal(reading(readNumber, BigInt(Number.MAX_SAFE_INTEGER) + 1n), "c is above 9007199254740991");
});

test("a slot table comes back as it was, its epochs beyond 2^53 too", () => {
  const [a, b, c] = [nodeId("a"), nodeId("b"), nodeId("c")];
  const slots = [
    { leader: a, leaderEpoch: 2n ** 63n - 1n, followers: [b, c] },
    { leader: b, leaderEpoch: 0n, followers: [] },
  ];
  const row = { epoch: 2n ** 63n - 1n, slots: slotsColumn(slots) };
  assert.deepEqual(readSlotTable(row, COLUMNS), { epoch: 2n ** 63n - 1n, slots });
});

test("a leader may be as late as the table, and not later", () => {
  assert.equal(tableOf(5n, [["a", "5", []]]).slots[0]?.leaderEpoch, 5n);
  assert.throws(() => tableOf(5n, [["a", "6", []]]), says("slots, slot 0 has a leader from after the table"));
});

test("a slot without a proper leader, or with improper followers, is named by its number", () => {
  for (const slot of [
    null,
    [],
    ["", "5", []],
    [1, "5", []],
    ["a", 5, []],
    ["a", "", []],
    ["a", "-5", []],
    ["a", "5x", []],
  ]) {
    assert.throws(() => tableOf(5n, [["b", "1", []], slot]), says("slots, slot 1 has no leader"), JSON.stringify(slot));
  }
  for (const followers of [undefined, null, "b", [""], [1], ["b", null]]) {
    assert.throws(() => tableOf(5n, [["a", "5", followers]]), says("slots, slot 0 has no followers"));
  }
  for (const followers of [["a"], ["b", "b"], ["b", "a"]]) {
    assert.throws(() => tableOf(5n, [["a", "5", followers]]), says("slots, slot 0 has a node twice"));
  }
});

test("a table without slots is none", () => {
  for (const slots of [[], {}, null, "a"])
    assert.throws(() => tableOf(5n, slots), says("slots is not a list of slots"));
  assert.throws(() => readSlotTable({ epoch: -1n, slots: "[]" }, COLUMNS), says("epoch is negative"));
});

test("a table has as many slots as its cluster, where both are there", () => {
  const table = tableOf(5n, [["a", "5", []]]);
  for (const slotCount of [0, 2]) {
    assert.throws(() => checkSlotCount(table, { name: "c", slotCount }), /table slot_table, row 1: 1 slots of \d/);
  }
  checkSlotCount(table, { name: "c", slotCount: 1 });
  checkSlotCount(table, undefined);
  checkSlotCount(undefined, { name: "c", slotCount: 1 });
});

test("damage is told with its table and row, other errors as they are", () => {
  const rows = [{ c: "1" }, { c: 7n }];
  assert.throws(
    () => readTable("config", rows, (row) => readBigint(row, "c")),
    says("table config, row 1: c is not an integer"),
  );
  assert.throws(
    () => readTable("config", rows, () => assert.fail("a bug")),
    (error) => error instanceof assert.AssertionError && error.message === "a bug",
  );
  assert.deepEqual(
    readTable("config", rows.slice(1), (row) => readBigint(row, "c")),
    [7n],
  );
});

test("callers hear where the damage is and what to do about it, by table", () => {
  const said = (message: string) => {
    const error = damaged({ file: "roster.db" }, new DamagedColumn(message));
    assert.ok(error instanceof RegistryError && error.code === "STORE_DAMAGED");
    return error.message;
  };
  assert.match(said("table slot_table, row 1: x"), /roster\.db.*table slot_table, row 1: x.*created again/);
  assert.match(said("table config, row 2: x"), /delete the row in config/);
  assert.match(said("table service_size, row 2: x"), /delete the rows in service_size/);
  assert.match(said("table cluster, row 1: x"), /restore the store from a backup/);
  assert.match(said("x"), /restore the store from a backup/);
});
