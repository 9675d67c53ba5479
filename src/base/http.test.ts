import assert from "node:assert/strict";
import { test } from "node:test";
import { queryValue } from "./http.ts";

test("a name of the query has one value or none; more are refused with their number", () => {
  const query = { a: "1", b: ["1", "2"] };
  assert.deepEqual([queryValue({ query }, "a"), queryValue({ query }, "c")], ["1", ""]);
  assert.throws(() => queryValue({ query }, "b"), /FIELD_INVALID.*field=b, values=2/);
});
