// `roster server --workers 2` as a process, beside a meta and data node in this one.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, test } from "node:test";
import type { MemberAddress } from "../cluster/messages/membership.ts";
import { eventually } from "../server/testing/eventually.ts";
import { TestClient } from "../server/testing/testClient.ts";
import { operate, TestNodes } from "../server/testing/testNodes.ts";

const MAIN = join(import.meta.dirname, "main.ts");
const CLIENTS = 40;
// For a machine that is busy with other tests.
const START_MS_MAX = 60_000;

const nodes = new TestNodes();
const clients: TestClient[] = [];
let server: ChildProcess | undefined;
after(async () => {
  for (const client of clients) client.close();
  server?.kill("SIGKILL");
  await nodes.close();
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const listener = createServer().listen(0, "127.0.0.1", () => {
      const address = listener.address();
      listener.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

test("two workers share the clients of a port; one that is killed is started again; both stop together", async () => {
  const meta = await nodes.start(["meta", "data"], { metaAddresses: [] });
  const sessions = async () => {
    const rows: readonly MemberAddress[] = (await operate(meta, "GET", "/nodes")).body.items;
    return rows.filter(({ role }) => role === "session").map(({ id }) => id);
  };
  const [bolt, http] = [await freePort(), await freePort()];
  const flags = {
    workers: 2,
    roles: "session",
    "meta-addresses": `127.0.0.1:${meta.ports.node}`,
    "bolt-port": bolt,
    "serve-eureka": false,
    "serve-nacos": false,
    "serve-zookeeper": false,
    "serve-consul": false,
    "serve-dns": false,
    "http-port": http,
    "admin-port": 0,
    "data-dir": nodes.newDirectory(),
    "log-format": "json",
    "log-level": "error",
  };
  const args = Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, String(value)]);
  const supervisor = spawn(process.execPath, [MAIN, "server", ...args], { stdio: ["ignore", "pipe", "pipe"] });
  server = supervisor;
  let printed = "";
  for (const stream of [supervisor.stdout, supervisor.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      printed += chunk.toString();
    });
  }
  const exited = new Promise((resolve) => supervisor.once("exit", resolve));
  const before = await eventually(sessions, ({ length }) => length === 2, START_MS_MAX);

  for (let at = 0; at < CLIENTS; at++) {
    const client = new TestClient(() => bolt);
    clients.push(client);
    client.subscribe("orders");
    client.publish("orders", `10.0.0.${at}:80`);
  }
  const isWhole = () => clients.every((client) => client.list("orders").split(" ").length === CLIENTS);
  await eventually(isWhole, Boolean);
  assert.equal(await (await fetch(`http://127.0.0.1:${http}/api/servers/query`)).text(), `127.0.0.1:${bolt}`);

  const page = async () => (await fetch(`http://127.0.0.1:${http}/metrics`)).text();
  const answered = async () => {
    const lines = (await page()).matchAll(/^roster_requests_total\{type="publisherRegister",outcome="ok"\} (\d+)$/gm);
    return [...lines].reduce((sum, [, count]) => sum + Number(count), 0);
  };
  // Connections are dealt out, so some scrapes ask each of them.
  for (let scrape = 0; scrape < 8; scrape++) {
    const text = await page();
    assert.match(text, new RegExp(`^roster_client_connections\\{protocol="sofa"\\} ${CLIENTS}$`, "m"));
    assert.match(text, /^roster_workers 2$/m);
  }
  assert.equal(await answered(), CLIENTS);

  const [victim] = await children(supervisor.pid);
  assert.ok(victim !== undefined);
  process.kill(victim, "SIGKILL");
  const known = new Set<string>(before);
  const isReplaced = (ids: readonly string[]) => ids.length === 2 && ids.some((id) => !known.has(id));
  await eventually(sessions, isReplaced, START_MS_MAX);
  await eventually(isWhole, Boolean);
  assert.match(printed, /a worker has died and is being restarted/);
  // The killed worker's counts are not lost; otherwise the sum would seem to start anew.
  assert.ok((await answered()) > CLIENTS);

  const pids = await children(supervisor.pid);
  assert.equal(pids.length, 2);
  // As a service manager does: it signals every process.
  for (const pid of [...pids, supervisor.pid]) process.kill(pid ?? 0, "SIGTERM");
  assert.equal(await exited, 0);
  assert.doesNotMatch(printed, /stopped without waiting/);
  for (const pid of pids) assert.throws(() => process.kill(pid, 0), { code: "ESRCH" });
});

async function children(pid: number | undefined): Promise<number[]> {
  const { stdout } = spawn("ps", ["-o", "pid=", "--ppid", String(pid)]);
  let text = "";
  for await (const chunk of stdout) text += chunk;
  return text.split("\n").flatMap((line) => (line.trim() === "" ? [] : [Number(line)]));
}
