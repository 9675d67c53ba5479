// Each test that docs/internals/refusals.md names is there.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const ROOT = join(import.meta.dirname, "..");
const ROWS = readFileSync(join(ROOT, "docs/internals/refusals.md"), "utf8")
  .split("\n")
  .filter((line) => line.startsWith("| ") && !line.startsWith("| Refused"));

test("the list of refusals has rows", () => assert.ok(ROWS.length >= 25));

for (const row of ROWS) {
  const [, refused = ""] = row.split(" | ")[0]?.split("| ") ?? [];
  test(`${refused}: the tests that hold it are there`, () => {
    const named = [...row.matchAll(/`([^`]+\.ts)` "([^"]+)"/g)];
    assert.ok(named.length > 0, row);
    for (const [, file = "", title = ""] of named) {
      assert.ok(readFileSync(join(ROOT, file), "utf8").includes(title), `${file}: ${title}`);
    }
  });
}
