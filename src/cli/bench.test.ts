// `roster bench` against a registry, as a process.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { RunningServer } from "../server/start.ts";
import { eventually } from "../server/testing/eventually.ts";
import { operate, TestNodes } from "../server/testing/testNodes.ts";
import { type BenchFigures, errorsIn } from "./bench.ts";
import { EXIT } from "./exitCodes.ts";
import { type RunningCommand, startRoster } from "./testing/rosterCommand.ts";

const nodes = new TestNodes();
const home = mkdtempSync(join(tmpdir(), "roster-home-"));
const started: RunningCommand[] = [];
let server: RunningServer;

before(async () => {
  server = await nodes.start(["meta", "data", "session"]);
});

after(async () => {
  for (const { child } of started) child.kill("SIGKILL");
  await nodes.close();
  rmSync(home, { recursive: true, force: true });
});

function bench(...args: string[]): RunningCommand {
  const url = `127.0.0.1:${server.ports.admin}`;
  const environment = { HOME: home, ROSTER_TOKEN: server.localToken ?? "" };
  const running = startRoster(["bench", "--url", url, ...args], environment);
  started.push(running);
  return running;
}

async function servicesThere(): Promise<string[]> {
  const { items } = (await operate(server, "GET", "/services?pattern=roster-bench-*")).body;
  return items.map(({ service }) => String(service));
}

test("a run says how long everything takes, and leaves nothing behind", async () => {
  const load = ["--publishers", "4", "--subscribers", "6", "--services", "2", "--rate", "20", "--duration", "1"];
  const { code, out, error } = await bench(...load, "-o", "json").ended;
  const { latencies, errors, rate, sessions, services } = JSON.parse(out) as BenchFigures;
  assert.equal(code, EXIT.ok, `${out}${error}`);
  assert.equal(errorsIn(errors), 0, out);
  assert.deepEqual(
    Object.values(latencies).map(({ count }) => count),
    // Each service has half of the publishers and of the subscribers.
    [4, 20, 60],
  );
  for (const { p50Ms, p99Ms, maxMs } of Object.values(latencies)) {
    assert.ok(p50Ms !== null && p99Ms !== null && maxMs !== null && p50Ms <= p99Ms && p99Ms <= maxMs, out);
  }
  assert.equal(rate.asked, 20);
  assert.deepEqual(Object.values(sessions), [4]);
  assert.match(services, /^roster-bench-[0-9a-f]{8}\.1 to \.2$/);
  await eventually(servicesThere, (names) => names.length === 0);
});

test("one that is told to stop takes everything back, and says what it has measured", async () => {
  const running = bench("--publishers", "2", "--subscribers", "2", "--services", "1", "--duration", "600");
  await eventually(servicesThere, (names) => names.length === 1);
  running.child.kill("SIGINT");
  const { out } = await running.ended;
  assert.match(out, /2 publishers and 2 subscribers of roster-bench-/);
  await eventually(servicesThere, (names) => names.length === 0);
});

for (const args of [
  ["--publishers", "0"],
  ["--publishers", "2001"],
  ["--rate", "many"],
  ["--rate", "10000", "--duration", "3600"],
]) {
  test(`${args.join(" ")} is refused`, async () => {
    const { code, out, error } = await bench(...args).ended;
    assert.deepEqual([code, out], [EXIT.wrongUsage, ""]);
    assert.match(error, /FIELD_INVALID/);
  });
}
