// An operator's view of a server process from its start: the first lines of the log, and the metrics.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Agent, get } from "node:http";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { eventually } from "../server/testing/eventually.ts";
import { startProcess } from "./testing/serverProcess.ts";

const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));

test("a log begins with the version, what was configured and the limits in force", async (t) => {
  const flags = { "push-window-max-ms": 500 };
  const server = startProcess(t, { flags, shell: 'ulimit -n 20000; exec "$@"' });
  await server.line("roster is ready");
  const [first, second] = server.lines();
  assert.equal(first?.msg, "roster is starting");
  assert.equal(first["version"], version);
  assert.match(String(first["settings"]), /push-window-max-ms=500/);
  assert.doesNotMatch(String(first["settings"]), /push-timeout-ms/);
  assert.equal(second?.msg, "limits in force");
  assert.equal(second["descriptors"], 20_000);
  assert.ok(Number(second["clientConnections"]) < 20_000);
  assert.deepEqual(
    server.lines().filter(({ level }) => level !== "info"),
    [],
  );
});

test("fewer connections than were asked for are a warning", async (t) => {
  const flags = { "client-connections-max": 30_000 };
  const server = startProcess(t, { flags, shell: 'ulimit -n 20000; exec "$@"' });
  await server.line("this process may open fewer file descriptors than client-connections-max needs; raise ulimit -n");
});

test("the metrics tell the build, the process and the limits in force", async (t) => {
  const server = startProcess(t, { shell: 'ulimit -n 20000; exec "$@"' });
  const { http } = await server.line("roster is ready");
  const { clientConnections } = await server.line("limits in force");
  const page = await (await fetch(`http://127.0.0.1:${http}/metrics`)).text();
  assert.ok(page.includes(`roster_build_info{version="${version}",node="${process.version}"} 1`));
  assert.ok(page.includes(`roster_connections_max{of="clients"} ${clientConnections}\n`));
  assert.equal(value(page, "process_max_fds"), 20_000);
  assert.ok(value(page, "process_open_fds") > 5);
  assert.ok(value(page, "process_resident_memory_bytes") > 10_000_000);
  assert.ok(value(page, "process_virtual_memory_bytes") > value(page, "process_resident_memory_bytes"));
  assert.ok(value(page, "process_cpu_seconds_total") > 0.01);
  assert.ok(Math.abs(Date.now() / 1000 - value(page, "process_start_time_seconds")) < 60);
});

test("connections that are lost for want of descriptors are logged once, and their time is counted", async (t) => {
  const server = startProcess(t);
  const { http } = await server.line("roster is ready");
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  const scrape = () => scrapeOver(agent, Number(http));
  assert.equal(value(await scrape(), "roster_descriptors_exhausted_seconds_total"), 0);
  const limit = (descriptors: string) =>
    execFileSync("prlimit", [`--pid=${server.child.pid}`, `--nofile=${descriptors}:`]);
  limit("16");
  const seconds = async () => value(await scrape(), "roster_descriptors_exhausted_seconds_total");
  await eventually(seconds, (count) => count >= 2);
  limit("1024");
  await server.line("file descriptors are available again");
  const said = server.lines().filter(({ msg }) => msg.startsWith("no file descriptors are left"));
  assert.equal(said.length, 1);
});

test("bytes that are no frame are counted and logged, on the port of clients and on that of nodes", async (t) => {
  const server = startProcess(t, { flags: { "node-port": 0 } });
  const { http, bolt, node } = await server.line("roster is ready");
  for (const port of [bolt, node]) {
    const socket = connect(Number(port), "127.0.0.1").on("error", () => undefined);
    socket.write("GET / HTTP/1.1\r\nhost: roster\r\n\r\n");
    socket.resume();
    await once(socket, "close");
  }
  const page = await (await fetch(`http://127.0.0.1:${http}/metrics`)).text();
  assert.match(page, /^roster_frames_refused_total\{reason="BOLT_MALFORMED"\} 1$/m);
  assert.match(page, /^roster_node_connections_failed_total\{reason="BOLT_MALFORMED"\} 1$/m);
  assert.match(String((await server.line("a connection was closed"))["reason"]), /^BOLT_MALFORMED/);
  assert.match(String((await server.line("a connection to the node port was no node's"))["reason"]), /^BOLT_MALFORMED/);
});

test("a server whose port is in use says which setting names it", async (t) => {
  const other = createServer().listen(0, "127.0.0.1");
  t.after(() => other.close());
  await once(other, "listening");
  const address = other.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const server = startProcess(t, { flags: { "bolt-port": port } });
  assert.equal(await server.ended, 1);
  assert.match(server.printed(), new RegExp(`ADDRESS_IN_USE: .*key=bolt-port, host=127.0.0.1, port=${port}`));
});

test("a data directory without a database in roster.db, or that can't be made, ends the start for good", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "roster-damaged-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  writeFileSync(join(directory, "roster.db"), randomBytes(8_192));
  const damaged = startProcess(t, { flags: { "data-dir": directory } });
  assert.equal(await damaged.ended, 1);
  assert.match(damaged.printed(), /STORE_DAMAGED: .*roster\.db/);
  const unusable = startProcess(t, { flags: { "data-dir": join(directory, "roster.db", "data") } });
  assert.equal(await unusable.ended, 2);
  assert.match(unusable.printed(), /DATA_DIR_UNUSABLE: .*data-dir/);
});

/** Scrapes the page over an existing connection. */
function scrapeOver(agent: Agent, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ agent, port, host: "127.0.0.1", path: "/metrics" }, (response) => {
      response.toArray().then((chunks) => resolve(Buffer.concat(chunks).toString()), reject);
    }).once("error", reject);
  });
}

function value(page: string, name: string): number {
  return Number(new RegExp(`^${name} (.+)$`, "m").exec(page)?.[1]);
}
