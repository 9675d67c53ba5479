// The effect of signals on a server, tried on processes.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { eventually } from "../server/testing/eventually.ts";
import { TestCertificates } from "../transport/testing/certificates.ts";
import { startProcess } from "./testing/serverProcess.ts";

for (const signal of ["SIGHUP", "SIGUSR1", "SIGUSR2"] as const) {
  test(`${signal} neither ends a server nor opens the inspector, and the log says so`, async (t) => {
    const server = startProcess(t);
    await server.line("roster is ready");
    server.child.kill(signal);
    assert.equal((await server.line("a signal was ignored"))["signal"], signal);
    assert.doesNotMatch(server.printed(), /Debugger listening/);
    server.child.kill("SIGTERM");
    assert.equal(await server.ended, 0);
  });
}

test("SIGHUP has certificates read again", async (t) => {
  const certificates = new TestCertificates(t);
  const { cert, key } = certificates.issue({ name: "first" });
  const server = startProcess(t, { flags: { "tls-cert-file": cert, "tls-key-file": key } });
  await server.line("roster is ready");
  server.child.kill("SIGHUP");
  assert.match(String((await server.line("a new certificate is in force"))["subject"]), /CN=first/);
  server.child.kill("SIGTERM");
  assert.equal(await server.ended, 0);
});

test("a server says why it stops, and that it has stopped", async (t) => {
  const server = startProcess(t);
  await server.line("roster is ready");
  server.child.kill("SIGTERM");
  assert.equal(await server.ended, 0);
  assert.equal((await server.line("roster is stopping"))["reason"], "SIGTERM");
  assert.equal(server.lines().at(-1)?.msg, "roster has stopped");
});

test("a server whose terminal is closed ends in order", async (t) => {
  // `script` gives the server a terminal, and closes it with its own end.
  const server = startProcess(t, { shell: `exec script -qec "$(printf "'%s' " "$@")" /dev/null` });
  await server.line("roster is ready");
  const pid = serverUnder(server.child.pid ?? 0);
  server.child.kill("SIGTERM");
  await server.ended;
  await eventually(async () => !isAlive(pid), Boolean);
});

test("npm that is stopped ends the server that it started", async (t) => {
  const server = startProcess(t, { command: ["npm", "start", "--"] });
  await server.line("roster is ready");
  const pid = serverUnder(server.child.pid ?? 0);
  t.after(() => isAlive(pid) && process.kill(pid, "SIGKILL"));
  server.child.kill("SIGTERM");
  await eventually(async () => !isAlive(pid), Boolean);
  assert.match(server.printed(), /roster has stopped/);
});

/** The process without children that descends from this one. */
function serverUnder(pid: number): number {
  const child = childOf(pid);
  return child === undefined ? pid : serverUnder(child);
}

function childOf(pid: number): number | undefined {
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    const [child] = readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").split(" ");
    if (child !== undefined && child !== "") return Number(child);
  }
  return undefined;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
