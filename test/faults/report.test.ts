import assert from "node:assert/strict";
import { test } from "node:test";
import { withResults } from "./report.ts";
import { faultsOf, type ScenarioResult, tableOf } from "./result.ts";

const RESULT: ScenarioResult = {
  name: "data-killed",
  about: "kill -9",
  isPassed: true,
  times: { detectionMs: 12.4, convergenceMs: 2_345 },
  notes: ["a note"],
  failures: [],
  findings: [],
  explanations: [],
  seconds: 10,
  logs: "there",
};

test("the table shows what was measured, and a dash for what does not apply", () => {
  const [, , row] = tableOf([RESULT]).split("\n");
  assert.equal(row, "| data-killed | 12 ms     | –                | 2.3 s       | passed  | kill -9; a note |");
});

test("a failed scenario says what was wrong, what may explain it and where its logs are", () => {
  const failed = { ...RESULT, isPassed: false, failures: ["too late"], findings: ["ghost"], explanations: ["5 of 6"] };
  assert.equal(faultsOf(failed), "data-killed:\n  - too late\n  - ghost\n  5 of 6\n  logs and history: there");
});

test("new results replace the old ones between the marks, and nothing else", () => {
  const page = "a\n<!-- results: written by the suite -->\nold\n<!-- end of results -->\nb\n";
  const written = withResults(page, "new");
  assert.equal(written, page.replace("\nold\n", "\n\nnew\n\n"));
  assert.equal(withResults(written, "new"), written);
});

test("a page without marks is not written", () => {
  assert.throws(() => withResults("a", "new"), /has lost its marks/);
});
