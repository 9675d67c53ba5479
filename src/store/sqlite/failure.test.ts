import assert from "node:assert/strict";
import { test } from "node:test";
import { InvariantError } from "../../base/assert.ts";
import { fail, RegistryError } from "../../base/errors.ts";
import { DamagedColumn } from "../columns.ts";
import { guarded, isBusy } from "./failure.ts";

/** An error as node:sqlite throws it. */
const sqlite = (errcode: unknown, message = "disk I/O error") => Object.assign(new Error(message), { errcode });

/** The error that callers get. */
function outcome(error: unknown): RegistryError {
  try {
    guarded("roster.db", () => {
      throw error;
    });
  } catch (thrown) {
    assert.ok(thrown instanceof RegistryError, String(thrown));
    return thrown;
  }
  return assert.fail("it throws");
}

test("what goes well is passed on", () => {
  assert.equal(
    guarded("roster.db", () => 7),
    7,
  );
});

test("an error of the disk is a store that can't be reached, with file and reason", () => {
  for (const error of [sqlite(10), new Error("disk I/O error"), "disk I/O error"]) {
    const { code, message } = outcome(error);
    assert.equal(code, "STORE_UNAVAILABLE");
    assert.match(message, /roster\.db/);
    assert.match(message, /disk I\/O error/);
    assert.doesNotMatch(message, /backup/);
  }
});

test("a file that is no database, or a damaged one, is to be restored, whatever the details of the code", () => {
  for (const errcode of [11, 26, 11 | (3 << 8)]) assert.match(outcome(sqlite(errcode)).message, /from a backup/);
  assert.doesNotMatch(outcome(sqlite("11")).message, /backup/, "no code of SQLite");
  assert.doesNotMatch(outcome({ errcode: 11 }).message, /backup/, "no error at all");
});

test("damage in a table is said as such, and what is our own comes out as it is", () => {
  assert.equal(outcome(new DamagedColumn("table config, row 1: x")).code, "STORE_DAMAGED");
  const own = fail("DATA_DIR_IN_USE", { dataDir: "d" });
  assert.equal(outcome(own), own);
  const bug = new InvariantError("a bug");
  assert.throws(
    () =>
      guarded("roster.db", () => {
        throw bug;
      }),
    (error) => error === bug,
  );
});

test("a lock that somebody else holds is told apart from everything else", () => {
  assert.deepEqual(
    [5, 5 | (2 << 8), 6, undefined].map((errcode) => isBusy(sqlite(errcode))),
    [true, true, false, false],
  );
  assert.equal(isBusy("busy"), false);
});
