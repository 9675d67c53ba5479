// Roster and Spring's server of Eureka as peers of each other: what clients say to one of them is found at the other.
// `scripts/testEureka.ts` fetches the server.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { defined } from "../../../src/base/assert.ts";
import { startProcess } from "../../../src/cli/testing/serverProcess.ts";
import { eventually } from "../../../src/server/testing/eventually.ts";
import { freePort } from "../nodes.ts";

const CLASS_PATH = defined(process.env["EUREKA_SERVER"], "EUREKA_SERVER, which scripts/testEureka.ts sets");

// The server starts in eight seconds where there is nothing else to do, and tells its peers each half second.
const SEEN_MS = 90_000;
const HEARTBEAT_MS = 1_000;

/** A server, either of the two, as its clients reach it. */
interface Server {
  /** Ends with a slash. */
  readonly url: string;
}

function startSpring(t: TestContext, port: string, peer: string): ChildProcess {
  const settings = [
    `--server.port=${port}`,
    "--eureka.client.register-with-eureka=false",
    // As after a restart of the only server: it has nobody to ask.
    "--eureka.client.fetch-registry=false",
    `--eureka.client.service-url.defaultZone=${peer}`,
    "--eureka.server.enable-self-preservation=false",
    "--eureka.server.response-cache-update-interval-ms=500",
    "--logging.level.root=WARN",
  ];
  const child = spawn("java", ["-cp", CLASS_PATH, "roster.eureka.Server", ...settings], { stdio: "inherit" });
  t.after(() => void child.kill("SIGKILL"));
  return child;
}

async function call({ url }: Server, method: string, path: string, body?: object): Promise<Response | undefined> {
  const headers = { accept: "application/json", "content-type": "application/json" };
  try {
    return await fetch(url + path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
  } catch {
    // The server is not there yet.
    return undefined;
  }
}

/** The status of the answer; 0 without one. */
async function say(...asked: Parameters<typeof call>): Promise<number> {
  const answer = await call(...asked);
  await answer?.arrayBuffer();
  return answer?.status ?? 0;
}

/** The status under which an instance is listed; undefined where it is not. */
async function listed(server: Server, app: string): Promise<string | undefined> {
  const answer = await call(server, "GET", `apps/${app}/${app}-1`);
  if (answer?.status !== 200) return undefined;
  const { instance } = (await answer.json()) as { readonly instance: { readonly status: string } };
  return instance.status;
}

async function becomes(server: Server, app: string, status: string | undefined): Promise<void> {
  await eventually(
    () => listed(server, app),
    (now) => now === status,
    SEEN_MS,
  );
}

function instanceOf(app: string, changes: object = {}) {
  const dataCenterInfo = { "@class": "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo", name: "MyOwn" };
  const times = { lastDirtyTimestamp: String(Date.now()) };
  const named = { instanceId: `${app}-1`, app: app.toUpperCase(), hostName: "10.0.0.1", ipAddr: "10.0.0.1" };
  const rest = { vipAddress: app, status: "UP", dataCenterInfo, port: { $: 8080, "@enabled": "true" } };
  return { instance: { ...named, ...rest, ...times, ...changes } };
}

/** The heartbeats of a client. `stop` returns the statuses of the answers. */
function beat(t: TestContext, server: Server, app: string): { stop(): ReadonlySet<number> } {
  const statuses = new Set<number>();
  const path = `apps/${app}/${app}-1?status=UP`;
  const timer = setInterval(async () => statuses.add(await say(server, "PUT", path)), HEARTBEAT_MS);
  t.after(() => clearInterval(timer));
  return {
    stop: () => {
      clearInterval(timer);
      return statuses;
    },
  };
}

test("Roster and Spring's server are peers", async (t) => {
  const springPort = await freePort();
  const spring = { url: `http://127.0.0.1:${springPort}/eureka/` };
  const server = startProcess(t, { flags: { "eureka-peers": `http://me:secret@127.0.0.1:${springPort}/eureka` } });
  const { eureka } = await server.line("roster is ready");
  const roster = { url: `http://127.0.0.1:${eureka}/eureka/` };
  const first = startSpring(t, springPort, roster.url);
  await eventually(
    () => say(roster, "POST", "apps/ours", instanceOf("ours")),
    (status) => status === 204,
    SEEN_MS,
  );
  const beats = beat(t, roster, "ours");

  await t.test("a client of Roster's is found at the server, with an operator's word, and is gone", async () => {
    // The server was not there when it registered: it hears of it with a heartbeat.
    await becomes(spring, "ours", "UP");
    assert.equal(await say(roster, "PUT", "apps/ours/ours-1/status?value=OUT_OF_SERVICE"), 200);
    await becomes(spring, "ours", "OUT_OF_SERVICE");
    assert.equal(await say(roster, "DELETE", "apps/ours/ours-1/status?value=UP"), 200);
    await becomes(spring, "ours", "UP");
    assert.equal(await say(roster, "POST", "apps/short", instanceOf("short")), 204);
    await becomes(spring, "short", "UP");
    assert.equal(await say(roster, "DELETE", "apps/short/short-1"), 200);
    await becomes(spring, "short", undefined);
  });

  await t.test("a client of the server's is found at Roster, and what Roster has heard it does not tell", async () => {
    assert.equal(await say(spring, "POST", "apps/theirs", instanceOf("theirs")), 204);
    await becomes(roster, "theirs", "UP");
    assert.equal(await say(spring, "DELETE", "apps/theirs/theirs-1"), 200);
    await becomes(roster, "theirs", undefined);
    // A word that went in a circle would have it back.
    await sleep(2 * HEARTBEAT_MS);
    assert.equal(await listed(spring, "theirs"), undefined);
    assert.equal(await listed(roster, "theirs"), undefined);
  });

  await t.test("Roster takes a newer state that the server answers with", async () => {
    const dirty = { lastDirtyTimestamp: String(Date.now() + 1_000) };
    const headers = { "content-type": "application/json", "x-netflix-discovery-replication": "true" };
    const body = JSON.stringify(instanceOf("ours", { ...dirty, status: "DOWN" }));
    assert.equal((await fetch(`${spring.url}apps/ours`, { method: "POST", headers, body })).status, 204);
    await becomes(roster, "ours", "DOWN");
  });

  await t.test("a server that has lost everything hears it again with the next heartbeats", async () => {
    first.kill("SIGKILL");
    await once(first, "exit");
    await eventually(
      () => server.printed().split("a peer of Eureka's could not be told").length - 1,
      (times) => times === 2,
      SEEN_MS,
    );
    assert.doesNotMatch(server.printed(), /secret/);
    startSpring(t, springPort, roster.url);
    await becomes(spring, "ours", "DOWN");
    await server.line("a peer of Eureka's is told again");
  });
  assert.deepEqual([...beats.stop()], [200]);
});
