// An application of Dubbo 3 with ZooKeeper as its registry: a consumer calls two providers without end, while one of
// them stops, is killed and comes back. `scripts/testZookeeper.ts` builds it and names its class path in
// DUBBO_CLASSES.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { defined } from "../../../src/base/assert.ts";
import { startProcess } from "../../../src/cli/testing/serverProcess.ts";
import { Cast } from "../frameworks/cast.ts";

const CLASS_PATH = defined(process.env["DUBBO_CLASSES"], "DUBBO_CLASSES, which scripts/testZookeeper.ts sets");

test("Dubbo's calls reach the providers that are there: one stops, is killed, and comes back", async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "roster-dubbo-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const { zookeeper } = await startProcess(t).line("roster is ready");
  const framework = { name: "dubbo-3.3.6", main: "roster.frameworks.dubbo.Main" };
  // A killed provider is listed for as long as its session.
  const registry = `zookeeper://127.0.0.1:${zookeeper}?timeout=4000`;
  const cast = await Cast.start(framework, { registry, classPath: CLASS_PATH, dir });
  t.after(() => cast.end());
  for (const leave of ["stopProvider", "killProvider"] as const) {
    await cast[leave]("b");
    await cast.callsReach(["a"]);
    await cast.startProvider("b");
    await cast.callsReach(["a", "b"]);
  }
  const said = await cast.judge();
  assert.match(said, /calls/);
  t.diagnostic(said);
});
