// Nodes quit and join the group of servers by SOFARegistry's paths, on a cluster of processes with a host each.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { RegistryError } from "../base/errors.ts";
import type { RunningServer } from "./start.ts";
import { eventually } from "./testing/eventually.ts";
import { operate, TestNodes } from "./testing/testNodes.ts";

const nodes = new TestNodes();
let meta: RunningServer;
let datas: readonly RunningServer[] = [];
let session: RunningServer;
after(() => nodes.close());

const at = () => ({ metaAddresses: [`127.0.0.1:${meta.ports.node}`] });
const SECOND = nodes.newDirectory();

before(async () => {
  meta = await nodes.start(["meta"]);
  datas = [
    await nodes.start(["data"], { ...at(), bind: "127.0.0.2" }),
    await nodes.start(["data"], { ...at(), bind: "127.0.0.3" }),
  ];
  session = await nodes.start(["session"], { ...at(), bind: "127.0.0.4" });
  await eventually(
    async () => (await operate(meta, "GET", "/slots")).body.items,
    (slots) => slots.length === 256 && slots.every(({ state, inSync }) => state === "serving" && inSync.length === 1),
    30_000,
  );
});

async function put(port: number, path: string, form?: Record<string, string>, host = "127.0.0.1") {
  const body = form && { body: new URLSearchParams(form) };
  const answer = await fetch(`http://${host}:${port}/opsapi/${path}`, { method: "PUT", ...body });
  return { status: answer.status, body: (await answer.json()) as { success: boolean; message: string | null } };
}

const atMeta = (action: "quit" | "join", ip: string, nodeType = "data") =>
  put(meta.ports.metaHttp, `v2/server/group/${action}/${ip}`, { cell: "DEFAULT_ZONE", nodeType });

/** Waits until the data node at this host leads slots, or none. */
function leads(host: string, areSome: boolean): Promise<unknown> {
  return eventually(
    async () => (await operate(meta, "GET", "/nodes")).body.items,
    (rows) => {
      const row = rows.find(({ role, address }) => role === "data" && address.startsWith(`${host}:`));
      return row !== undefined && row.leads > 0 === areSome && (row.state === "blocked") === !areSome;
    },
    30_000,
  );
}

test("a data node that quits by its address hands its slots over, and gets some when it has joined", async () => {
  assert.deepEqual(await atMeta("quit", "127.0.0.2"), { status: 200, body: { success: true, message: null } });
  await leads("127.0.0.2", false);
  const last = await atMeta("quit", "127.0.0.3");
  assert.deepEqual([last.status, last.body.success], [400, false]);
  assert.match(last.body.message ?? "", /NODE_NEEDED.*role=data/);
  assert.equal((await atMeta("join", "127.0.0.2")).body.success, true);
  await leads("127.0.0.2", true);
  assert.equal((await atMeta("join", "127.0.0.2")).body.success, true, "a node that is there joins");
});

test("a data node quits and joins by its own port", async () => {
  const port = datas[0]?.ports.dataHttp ?? 0;
  assert.deepEqual((await put(port, "v1/server/group/quit", undefined, "127.0.0.2")).body, {
    success: true,
    message: null,
  });
  await leads("127.0.0.2", false);
  assert.equal((await put(port, "v1/server/group/join", undefined, "127.0.0.2")).body.success, true);
  await leads("127.0.0.2", true);
});

test("the last session stays; one that has quit ends, and is known by its address when it joins", async () => {
  const { http } = session.ports;
  const last = await put(http, "v1/server/group/quit", undefined, "127.0.0.4");
  assert.match(last.body.message ?? "", /NODE_NEEDED.*role=session/);
  const second = await nodes.start(["session"], { ...at(), bind: "127.0.0.5", dataDir: SECOND });
  await eventually(
    async () => (await operate(meta, "GET", "/nodes")).body.items,
    (rows) => rows.filter(({ role }) => role === "session").length === 2,
  );
  assert.equal((await put(second.ports.http, "v1/server/group/quit", undefined, "127.0.0.5")).body.success, true);
  const failure = await second.failed;
  assert.ok(failure instanceof RegistryError && failure.code === "NODE_REFUSED", String(failure));
  await nodes.stop(second);
  assert.equal((await atMeta("join", "127.0.0.5", "session")).body.success, true);
  await nodes.start(["session"], { ...at(), bind: "127.0.0.5", dataDir: SECOND });
  await eventually(
    async () => (await operate(meta, "GET", "/nodes")).body.items,
    (rows) =>
      rows.some(({ role, state, address }) => role === "session" && state === "up" && /127\.0\.0\.5/.test(address)),
  );
});

test("bad input is refused by its name, and a meta node alone keeps the lead", async () => {
  const unknown = await atMeta("quit", "127.0.0.9");
  assert.match(unknown.body.message ?? "", /NODE_UNKNOWN.*node=127\.0\.0\.9/);
  assert.match((await atMeta("quit", "nowhere")).body.message ?? "", /FIELD_INVALID.*field=ip/);
  assert.match((await atMeta("join", "127.0.0.2", "printer")).body.message ?? "", /FIELD_INVALID.*field=nodeType/);
  const empty = await put(meta.ports.metaHttp, "v2/server/group/quit/127.0.0.2");
  assert.match(empty.body.message ?? "", /FIELD_INVALID.*cell, nodeType/);
  const first = await put(meta.ports.metaHttp, "v1/server/group/quit/127.0.0.2");
  assert.deepEqual(first.body, { success: true, message: "nothing was done: cell and nodeType are needed" });
  const lead = await put(meta.ports.metaHttp, "v1/server/group/quit");
  assert.match(lead.body.message ?? "", /NODE_NEEDED.*role=meta/);
});

test("at the port of the clients only those quit who may change something there", async () => {
  const closed = await nodes.start(["session"], { ...at(), bind: "127.0.0.6", sofaChanges: "none" });
  for (const action of ["quit", "join"]) {
    const { status, body } = await put(closed.ports.http, `v1/server/group/${action}`, undefined, "127.0.0.6");
    assert.equal(status, 403);
    assert.match(body.message ?? "", /CHANGE_NOT_ALLOWED/);
  }
  assert.deepEqual(
    (await operate(meta, "GET", "/nodes")).body.items.filter(({ state }) => state === "blocked"),
    [],
  );
});
