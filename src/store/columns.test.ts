import assert from "node:assert/strict";
import { test } from "node:test";
import { RegistryError } from "../base/errors.ts";
import {
  DamagedColumn,
  damaged,
  type Row,
  readBigint,
  readNumber,
  readTable,
  readText,
  readVersion,
  textColumn,
} from "./columns.ts";

/** A reader's outcome for one value: its result, or its complaint. */
function reading<Read>(read: (row: Row, column: string) => Read, value: unknown): Read | string {
  try {
    return read({ c: value }, "c");
  } catch (error) {
    assert.ok(error instanceof DamagedColumn);
    return error.message;
  }
}

const says = (message: string) => (error: unknown) => error instanceof DamagedColumn && error.message === message;

test("every text comes back as it was", () => {
  for (const text of ["", "orders", "nul \0", "lone \ud800", 'quote " and \\']) {
    assert.equal(reading(readText, textColumn(text)), text);
  }
});

test("what is no text is said to be none", () => {
  for (const value of ["7", "null", '["a"]', 7n]) assert.equal(reading(readText, value), "c is not text");
  assert.equal(reading(readText, "orders"), "c is not JSON");
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
  assert.match(said("table service_size, row 2: x"), /roster\.db.*row 2: x.*delete the rows in service_size/);
  assert.match(said("table config, row 2: x"), /delete the row in config/);
  assert.match(said("table record_head, row 1: x"), /restore the store from a backup/);
  assert.match(said("x"), /restore the store from a backup/);
});
