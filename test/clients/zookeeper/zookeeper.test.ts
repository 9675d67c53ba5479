// ZooKeeper's clients for Java (with Curator's recipes), Node and Python (kazoo, with its own tests) on started
// servers. `scripts/testZookeeper.ts` installs them and names their folder in ZOOKEEPER_CLIENTS.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { defined } from "../../../src/base/assert.ts";
import { startProcess } from "../../../src/cli/testing/serverProcess.ts";

const FOLDER = defined(process.env["ZOOKEEPER_CLIENTS"], "ZOOKEEPER_CLIENTS, which scripts/testZookeeper.ts sets");
const IS_WHOLE = process.env["ZOOKEEPER_WHOLE"] === "true";
const MAIN = join(import.meta.dirname, "../../../src/cli/main.ts");

/** Runs a program and returns its output; what it prints on the other stream is shown. */
async function run(file: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
  const child = spawn(file, args, { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, ...env } });
  let printed = "";
  child.stdout.on("data", (chunk) => {
    printed += String(chunk);
  });
  const status = await new Promise((resolve) => child.once("close", resolve));
  assert.equal(status, 0, printed);
  return printed;
}

test("Curator's recipes, ZooKeeper's Java client and node-zookeeper-client do what they do on ZooKeeper", async (t) => {
  const server = startProcess(t);
  const { zookeeper } = await server.line("roster is ready");
  const servers = `127.0.0.1:${zookeeper}`;
  const java = ["-cp", `${join(FOLDER, "java/target/classes")}:${join(FOLDER, "java/target/libs/*")}`];
  const recipes = run("java", [...java, "roster.zookeeper.Main", servers]);
  assert.match(await run(process.execPath, [join(import.meta.dirname, "client.cjs"), FOLDER, servers]), /passed/);
  assert.match(await recipes, /passed 19/);
});

// Each of them is left out because Roster does not serve what it is about: docs/guide/zookeeper.md.
const LEFT_OUT = [
  // `reconfig`: the servers of a cluster are not members of an ensemble.
  "TestReconfig",
  // Read-only mode: a session without a quorum.
  "TestReadOnlyMode",
  // TLS at the port of plain connections; suites of their own try TLS.
  "TestSSLClient",
];
/** A minute of them, with a bit of everything. */
const SHORT = ["TestClient and not Gevent and not Eventlet", "KazooLock", "KazooDataWatcher"];

test(`kazoo's own tests pass${IS_WHOLE ? "" : ", those of the client and of some recipes"}`, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "roster-kazoo-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const { stdout: help } = spawnSync(process.execPath, [MAIN, "server", "--help"], { encoding: "utf8" });
  const env = {
    ...{ TESTED_DIR: directory, TESTED_MAIN: MAIN, TESTED_NODE: process.execPath, TESTED_HELP: help },
    ...{ PYTHONPATH: import.meta.dirname, ZOOKEEPER_VERSION: "3.9.5" },
  };
  const leftOut = LEFT_OUT.map((name) => `not ${name}`).join(" and ");
  const chosen = IS_WHOLE ? leftOut : `(${SHORT.join(" or ")}) and ${leftOut}`;
  const options = ["-q", "--no-header", "-W", "ignore", "-p", "no:cacheprovider", "-p", "roster_cluster", "-k", chosen];
  const python = join(FOLDER, "venv/bin/python");
  const printed = await run(python, ["-m", "pytest", ...options, "--pyargs", "kazoo.tests"], env);
  console.log(printed.split("\n").slice(-3).join("\n"));
});
