// Every text scenario is a test named after its file.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { runScenario } from "./scenario/runScenario.ts";

const SCENARIOS = new URL("scenarios/", import.meta.url);

for (const file of readdirSync(SCENARIOS).sort()) {
  test(`scenario: ${file.replace(/\.txt$/, "").replaceAll("-", " ")}`, () => {
    const { differences } = runScenario(readFileSync(new URL(file, SCENARIOS), "utf8"));
    const repeat = `repeat with: npm run sim -- --scenario ${file.replace(/\.txt$/, "")}`;
    assert.deepEqual(differences, [], `${differences.join("\n")}\n${repeat}`);
  });
}
