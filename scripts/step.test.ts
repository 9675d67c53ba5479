import assert from "node:assert/strict";
import { test } from "node:test";
import { runStep } from "./step.ts";

test("a step that hangs is ended with what it has started, and says that it timed out", async () => {
  const hang = "setInterval(() => undefined, 1_000); console.log('begun');";
  const parent = `require("node:child_process").spawn(process.execPath, ["-e", ${JSON.stringify(hang)}],
    { stdio: "inherit" }); setInterval(() => undefined, 1_000);`;
  const result = await runStep({ name: "hanging", command: ["node", "-e", parent], minutesMax: 1 / 60 });
  // Its pipe closes only when the grandchild has ended, too.
  assert.equal(result.ok, false);
  assert.match(result.output, /timed out after \S+ min: hanging: node/);
});

test("a step that ends in time is judged by its exit code", async () => {
  assert.equal((await runStep({ name: "well", command: ["node", "-e", ""] })).ok, true);
  assert.equal((await runStep({ name: "ill", command: ["node", "-e", "process.exit(3)"] })).ok, false);
});

test("a test that hangs is named by the runner's own limit", async () => {
  // The runner does not run inside of a test otherwise.
  delete process.env["NODE_TEST_CONTEXT"];
  const file = "scripts/testing/hangs.ts";
  const result = await runStep({ name: "tests", command: ["node", "--test", "--test-timeout=500", file] });
  assert.equal(result.ok, false);
  assert.match(result.output, /test timed out after 500ms/);
});

test("a step of the background has the processors last, and so has what it starts", async () => {
  const program = `const { existsSync, readFileSync } = require("node:fs");
    const ofSession = "/proc/self/autogroup";
    const words = existsSync(ofSession) ? readFileSync(ofSession, "utf8").trim().split(" ") : [];
    console.log(require("node:os").getPriority(), words.at(-1) ?? 19);`;
  // It waits, for its priority is set when it has been started.
  const parent = `setTimeout(() => require("node:child_process").spawn(process.execPath,
    ["-e", ${JSON.stringify(program)}], { stdio: "inherit" }), 500)`;
  const result = await runStep({ name: "late", command: ["node", "-e", parent], isBackground: true });
  assert.equal(result.output, "19 19\n");
});
