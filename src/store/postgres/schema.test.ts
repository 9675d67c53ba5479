import assert from "node:assert/strict";
import { test } from "node:test";
import { MIGRATIONS } from "./schema.ts";

test("no migration shuts out the release before it, and none takes anything away", () => {
  for (const [before, { sql, oldestReader }] of MIGRATIONS.entries()) {
    assert.ok(oldestReader <= Math.max(before, 1), `version ${before + 1} is read by version ${before}`);
    assert.doesNotMatch(sql, /\b(?:DROP|RENAME|TRUNCATE|DELETE)\b/i);
  }
});
