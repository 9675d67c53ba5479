// Consul's own clients, dig and Go's resolver against one started server. CONSUL_CLIENTS is the folder in which
// scripts/testConsul.ts has installed them.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import type { RunningServer } from "../../../src/server/start.ts";
import { TestNodes } from "../../../src/server/testing/testNodes.ts";

const run = promisify(execFile);
const FOLDER = process.env["CONSUL_CLIENTS"] ?? "";
const CLIENT_MS = 60_000;

const nodes = new TestNodes();
after(() => nodes.close());

let server: RunningServer;
before(async () => {
  server = await nodes.start(["meta", "data", "session"]);
});

test("py-consul registers, checks, locks and reads", async () => {
  const python = join(FOLDER, "venv", "bin", "python");
  const args = [join(import.meta.dirname, "client.py"), `${server.ports.consul}`];
  assert.match((await run(python, args, { timeout: CLIENT_MS })).stdout, /all as expected/);
});

test("HashiCorp's client for Go registers, waits, locks and commits, and Go's resolver finds the service", async () => {
  const args = [`${server.ports.consul}`, `${server.ports.dns}`];
  assert.match((await run(join(FOLDER, "client"), args, { timeout: CLIENT_MS })).stdout, /all as expected/);
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
