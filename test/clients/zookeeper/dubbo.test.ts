// An application of Dubbo 3 with ZooKeeper as its registry: a consumer calls two providers without end, while one of
// them stops, is killed and comes back. `scripts/testZookeeper.ts` builds it and names its class path in
// DUBBO_CLASSES.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { defined } from "../../../src/base/assert.ts";
import { startProcess } from "../../../src/cli/testing/serverProcess.ts";
import { eventually } from "../../../src/server/testing/eventually.ts";
import { Cast } from "../frameworks/cast.ts";

const CLASS_PATH = defined(process.env["DUBBO_CLASSES"], "DUBBO_CLASSES, which scripts/testZookeeper.ts sets");

const SESSION_ENDS_MS = 30_000;

/** The number of ephemeral znodes. */
async function ephemerals(port: number): Promise<number> {
  const socket = connect(port, "127.0.0.1");
  socket.write("mntr");
  return Number(/zk_ephemerals_count\t(\d+)/.exec(await text(socket))?.[1]);
}

test("Dubbo's calls reach the providers that are there: one stops, is killed, and comes back", async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "roster-dubbo-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const { zookeeper } = await startProcess(t, { flags: { "zookeeper-words": "mntr" } }).line("roster is ready");
  const framework = { name: "dubbo-3.3.6", main: "roster.frameworks.dubbo.Main" };
  // A killed provider is listed for as long as its session.
  const registry = `zookeeper://127.0.0.1:${zookeeper}?session=4000`;
  const cast = await Cast.start(framework, { registry, classPath: CLASS_PATH, dir });
  t.after(() => cast.end());
  for (const leave of ["stopProvider", "killProvider"] as const) {
    const before = await ephemerals(Number(zookeeper));
    await cast[leave]("b");
    await cast.callsReach(["a"]);
    // Dubbo tries a provider that is back before its old session has ended only a minute later.
    await eventually(
      () => ephemerals(Number(zookeeper)),
      (count) => count < before,
      SESSION_ENDS_MS,
    );
    await cast.startProvider("b");
    await cast.callsReach(["a", "b"]);
  }
  const said = await cast.judge();
  assert.match(said, /calls/);
  t.diagnostic(said);
});
