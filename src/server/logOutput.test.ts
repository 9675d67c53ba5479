// The log of a process whose standard output is full, stuck or gone.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { eventually } from "./testing/eventually.ts";

const LOG = JSON.stringify(new URL("./log.ts", import.meta.url).href);
const PRELUDE = `
  const { createLog } = await import(${LOG});
  const said = {};
  const count = (name, value) => { said[name] = value; console.error(name, value); };
  const none = () => ({ add() {}, observe() {} });
  const add = (name, by) => count(name, (said[name] ?? 0) + by);
  const metrics = { add, set: count, counter: none, histogram: none };
  const log = createLog({ level: "info", format: "text", metrics });
  const pass = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const until = async (isSo) => {
    for (let waitedMs = 0; waitedMs < 5_000 && !isSo(); waitedMs += 10) await pass(10);
    return isSo();
  };
`;
const ARGS = ["--input-type=module", "-e"] as const;

test("a process whose log has no disk left ends all the same, and a metric says so", () => {
  const program = `${PRELUDE} log.info("one"); await pass(50); await log.stop(); process.exit(7);`;
  const command = 'exec "$@" > /dev/full';
  const { status, stderr } = spawnSync("sh", ["-c", command, "sh", process.execPath, ...ARGS, program], {
    encoding: "utf8",
    timeout: 10_000,
  });
  assert.equal(status, 7);
  assert.match(stderr, /roster_log_blocked 1/);
});

test("a log whose disk was full goes on when there is room, with all that waited", (t) => {
  const directory = mkdtempSync(join(tmpdir(), "roster-full-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const file = (name: string) => JSON.stringify(join(directory, name));
  const program = `${PRELUDE}
    const fs = await import("node:fs");
    const { default: assert } = await import("node:assert/strict");
    log.info("before");
    await until(() => fs.statSync(${file("log")}).size > 0);
    const fill = () => { for (;;) fs.appendFileSync(${file("ballast")}, "x".repeat(1000)); };
    assert.throws(fill, { code: "ENOSPC" });
    for (let at = 0; at < 1_000; at++) log.info("while full" + at, { text: "y".repeat(100) });
    if (!(await until(() => said.roster_log_blocked === 1))) throw new Error("the log says nothing of the full disk");
    fs.rmSync(${file("ballast")});
    if (!(await until(() => said.roster_log_blocked === 0))) throw new Error("the log has not recovered");
    log.info("after");
    await log.stop();
    process.stderr.write(fs.readFileSync(${file("log")}));
  `;
  const command = `mount -t tmpfs -o size=512k none "${directory}" && exec "$@" > "${directory}/log"`;
  // A user other than root may mount in a user namespace of its own.
  const namespaces = process.getuid?.() === 0 ? ["--mount"] : ["--user", "--map-root-user", "--mount"];
  const args = [...namespaces, "sh", "-c", command, "sh", process.execPath, ...ARGS, program];
  const { status, stderr } = spawnSync("unshare", args, { encoding: "utf8", timeout: 20_000 });
  assert.equal(status, 0, stderr);
  assert.match(stderr, /before/);
  for (const at of [0, 500, 999]) assert.ok(stderr.includes(`while full${at} `));
  assert.match(stderr, /after/);
});

test("a reader that has stopped holds up neither the process nor its end, and what was lost is counted", async (t) => {
  const program = `${PRELUDE}
    for (let at = 0; at < 6_000; at++) log.info("line" + at, { text: "y".repeat(1_000) });
    console.error("said all");
    await log.stop();
    process.exit(7);
  `;
  const command = '{ "$@"; echo "ended with $?" >&2; } | sleep 20 2> /dev/null';
  const child = spawn("sh", ["-c", command, "sh", process.execPath, ...ARGS, program], {
    stdio: ["ignore", "ignore", "pipe"],
    detached: true,
  });
  t.after(() => child.pid !== undefined && process.kill(-child.pid, "SIGKILL"));
  let said = "";
  child.stderr.on("data", (chunk) => {
    said += String(chunk);
  });
  await eventually(
    () => said,
    (text) => text.includes("ended with"),
  );
  assert.match(said, /said all/);
  assert.match(said, /roster_log_lines_lost_total \d+/);
  assert.match(said, /ended with 7/);
});
