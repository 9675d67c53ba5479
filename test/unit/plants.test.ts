// A change of the program must not lose a planted bug: that would be noticed in CI only.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { PLANTS } from "../planted/plants.ts";

const ROOT = join(import.meta.dirname, "../..");

test("what each plant changes stands in its file exactly once", () => {
  for (const { name, file, find } of PLANTS) {
    const count = readFileSync(join(ROOT, file), "utf8").split(find).length - 1;
    assert.equal(count, 1, `"${name}": ${file} has "${find}" ${count} times`);
  }
});
