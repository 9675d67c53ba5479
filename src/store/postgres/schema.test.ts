import assert from "node:assert/strict";
import { test } from "node:test";
import { MIGRATIONS } from "./schema.ts";

test("no migration shuts out the release before it, and none takes anything away", () => {
  for (const [before, { sql, oldestReader }] of MIGRATIONS.entries()) {
    assert.ok(oldestReader <= Math.max(before, 1), `version ${before + 1} is read by version ${before}`);
    // Functions delete rows when they are called, and not in the step that makes them.
    const made = sql.replaceAll(/\$\$.*?\$\$/gs, "");
    assert.doesNotMatch(made, /\b(?:DROP|RENAME|TRUNCATE|DELETE)\b/i);
  }
});
