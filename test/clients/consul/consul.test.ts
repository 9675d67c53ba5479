// Consul's own clients, dig and Go's resolver against one started server, and the tests of these clients against
// servers of their own. CONSUL_CLIENTS is the folder in which scripts/testConsul.ts has installed them;
// CONSUL_NODE_SUITE is set if the tests of the client for Node, which its package does not contain, are there too.

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import type { RunningServer } from "../../../src/server/start.ts";
import { eventually } from "../../../src/server/testing/eventually.ts";
import { TestNodes } from "../../../src/server/testing/testNodes.ts";
import { startAgents } from "./agents.ts";
import { LEFT_OUT } from "./leftOut.ts";
import { LEFT_OUT_NODE } from "./leftOutNode.ts";
import { LEFT_OUT_PYTHON } from "./leftOutPython.ts";

const run = promisify(execFile);
const FOLDER = process.env["CONSUL_CLIENTS"] ?? "";
const CLIENT_MS = 60_000;
const SUITE_MS = 150_000;
// The bytes that the suite may print before a test: each of its servers prints a configuration.
const SUITE_OUTPUT_BYTES = 64 * 1024 * 1024;

// Of 168.
const PYTHON_PASSED = 130;

const nodes = new TestNodes();
after(() => nodes.close());

let server: RunningServer;
before(async () => {
  const checks = { activeChecks: true, activeCheckAddresses: ["127.0.0.0/8"] };
  server = await nodes.start(["meta", "data", "session"], checks);
});

test("py-consul registers, checks, locks and reads", async () => {
  const python = join(FOLDER, "venv", "bin", "python");
  const args = [join(import.meta.dirname, "client.py"), `${server.ports.consul}`];
  assert.match((await run(python, args, { timeout: CLIENT_MS })).stdout, /all as expected/);
});

test("the client for Node registers, checks, locks, watches and commits", async () => {
  const args = [join(FOLDER, "client.mjs"), `${server.ports.consul}`];
  assert.match((await run(process.execPath, args, { timeout: CLIENT_MS })).stdout, /all as expected/);
});

test("HashiCorp's client for Go registers, waits, locks and commits, and Go's resolver finds the service", async () => {
  const args = [`${server.ports.consul}`, `${server.ports.dns}`, server.localToken];
  assert.match((await run(join(FOLDER, "client"), args, { timeout: CLIENT_MS })).stdout, /all as expected/);
});

test("consul-template writes its file anew with each change of a service or of a key", async (t) => {
  const ask = async (path: string, body: string) => {
    const answer = await fetch(`http://127.0.0.1:${server.ports.consul}/v1/${path}`, { method: "PUT", body });
    assert.equal(answer.status, 200);
  };
  const instance = (ID: string, Port: number) =>
    ask("agent/service/register", JSON.stringify({ ID, Name: "templated", Address: "10.9.9.9", Port }));
  const folder = mkdtempSync(join(tmpdir(), "consul-template-"));
  const [template, output] = [join(folder, "in"), join(folder, "out")];
  writeFileSync(template, '{{range service "templated"}}{{.Port}} {{end}}{{keyOrDefault "templated/color" "none"}}');
  const args = ["-consul-addr", `127.0.0.1:${server.ports.consul}`, "-template", `${template}:${output}`];
  const child = spawn(join(FOLDER, "bin", "consul-template"), args, { stdio: ["ignore", "inherit", "inherit"] });
  t.after(() => {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true });
  });
  const becomes = (text: string) =>
    eventually(
      async () => (existsSync(output) ? readFileSync(output, "utf8") : undefined),
      (written) => written === text,
    );
  await becomes("none");
  await instance("templated-1", 81);
  await becomes("81 none");
  await instance("templated-2", 82);
  await ask("kv/templated/color", "blue");
  await becomes("81 82 blue");
  await ask("agent/service/deregister/templated-1", "");
  await becomes("82 blue");
});

test("dig finds it over UDP and TCP, by name, tag and port, and hears of what is not there", async () => {
  const dig = async (...words: string[]) => {
    const args = ["@127.0.0.1", "-p", `${server.ports.dns}`, "+time=5", ...words];
    return (await run("dig", args, { timeout: CLIENT_MS })).stdout;
  };
  assert.equal(await dig("+short", "go-web.service.consul"), "10.1.2.3\n");
  assert.equal(await dig("+short", "+tcp", "+noedns", "BLUE.go-web.service.consul"), "10.1.2.3\n");
  assert.equal(await dig("+short", "SRV", "_go-web._tcp.service.consul"), "1 1 8080 0a010203.addr.dc1.consul.\n");
  assert.equal(await dig("+short", "-x", "10.1.2.3"), "go-web.service.consul.\n");
  const unknown = await dig("none.service.consul");
  assert.match(unknown, /status: NXDOMAIN.*flags: qr aa rd;.*AUTHORITY: 1/s);
  assert.doesNotMatch(unknown, /Malformed|WARNING: Messages/);
});

test("HashiCorp's own tests of their client for Go pass, except for those that are left out", async (t) => {
  const agents = await startAgents();
  t.after(agents.close);
  const env = {
    ...process.env,
    PATH: [join(FOLDER, "bin"), process.env["PATH"]].join(delimiter),
    ROSTER_AGENTS: agents.address,
  };
  const suite = async (...args: string[]) => {
    const options = { cwd: join(FOLDER, "suite", "api"), env, timeout: SUITE_MS, maxBuffer: SUITE_OUTPUT_BYTES };
    return (await run(join(FOLDER, "suite", "api.test"), args, options)).stdout;
  };
  const all = (await suite("-test.list", "^Test")).split("\n").filter((name) => name.startsWith("Test"));
  const leftOut = new Set(
    Object.values(LEFT_OUT)
      .flat()
      .map((name) => `TestAPI_${name}`),
  );
  assert.deepEqual([...leftOut].filter((name) => !all.includes(name)), [], "tests that the suite does not have");
  const wanted = all.filter((name) => !leftOut.has(name));
  const passed = new Set<string>();
  let output = "";
  // Some of them give a second to what they wait for: one that fails beside seven others is run once more alone.
  for (const parallel of ["8", "1"]) {
    const names = wanted.filter((name) => !passed.has(name));
    if (names.length === 0) break;
    output = await suite("-test.v", "-test.parallel", parallel, "-test.run", `^(${names.join("|")})$`).catch(
      ({ stdout }) => String(stdout),
    );
    for (const [, name = ""] of output.matchAll(/^--- PASS: (\w+)/gm)) passed.add(name);
  }
  const failed = wanted.filter((name) => !passed.has(name));
  assert.deepEqual(failed, [], failuresIn(output));
  t.diagnostic(`${passed.size} of ${all.length} tests passed, ${leftOut.size} are left out`);
});

test("py-consul's own tests pass, except for those that are left out", async (t) => {
  const agents = await startAgents();
  t.after(agents.close);
  const env = {
    ...process.env,
    PYTHONPATH: import.meta.dirname,
    ROSTER_AGENTS: agents.address,
    ROSTER_LEFT_OUT: Object.values(LEFT_OUT_PYTHON).flat().join(" "),
  };
  const [cwd = ""] = globSync(join(FOLDER, "python-suite", "py_consul-*", "tests")).map((tests) => join(tests, ".."));
  const options = ["asyncio_mode=auto", "asyncio_default_fixture_loop_scope=function"].flatMap((each) => ["-o", each]);
  const suite = async (...args: string[]) => {
    const all = ["-m", "pytest", "-q", "-p", "roster_consul", ...options, ...args, "tests"];
    return (await run(join(FOLDER, "venv", "bin", "python"), all, { cwd, env, timeout: SUITE_MS })).stdout;
  };
  // They mostly wait. Some give 20 ms to what they wait for: one that fails beside others is run once more alone.
  const whole = await suite("--cache-clear", "-n", "4").catch(({ stdout }) => String(stdout));
  const again = /\d+ (failed|error)/.test(whole) ? await suite("--last-failed", "--last-failed-no-failures=none") : "";
  const passed = [whole, again].map((output) => Number(/(\d+) passed/.exec(output)?.[1] ?? 0));
  assert.equal(
    passed.reduce((sum, each) => sum + each),
    PYTHON_PASSED,
    whole + again,
  );
  t.diagnostic(`${PYTHON_PASSED} of 168 tests passed, ${passed[1]} of them alone; the others are left out`);
});

if (process.env["CONSUL_NODE_SUITE"] !== undefined) {
  test("the own tests of the client for Node pass, except for those that are left out", async (t) => {
    const changes = { consulNode: "node1", activeChecks: true, activeCheckAddresses: ["127.0.0.0/8"] };
    const { ports } = await nodes.start(["meta", "data", "session"], changes);
    const leftOut = Object.values(LEFT_OUT_NODE).flat();
    const options = ["--reporter", "json", "--check-leaks", "--exit", "--timeout", "20000"];
    const args = [...options, "--invert", "--grep", `^(${leftOut.join("|")})$`, "test/acceptance"];
    const mocha = join(FOLDER, "node_modules", "mocha", "bin", "mocha.js");
    const env = { ...process.env, CONSUL_PORT: `${ports.consul}` };
    const at = { cwd: join(FOLDER, "node-suite"), env, timeout: CLIENT_MS };
    const { stdout } = await run(process.execPath, [mocha, ...args], at).catch((error: { stdout: string }) => error);
    const { passes, failures } = JSON.parse(stdout) as { passes: object[]; failures: object[] };
    assert.deepEqual(failures, []);
    assert.equal(passes.length, 60 - leftOut.length);
    t.diagnostic(`${passes.length} of 60 tests passed, ${leftOut.length} are left out`);
  });
}

/** The lines of a suite's output that tell of failures. */
function failuresIn(output: string): string {
  const lines = output.split("\n").filter((line) => !/CONFIG JSON|freeport|^=== (RUN|PAUSE|CONT)|--- PASS/.test(line));
  return lines.slice(-200).join("\n");
}
