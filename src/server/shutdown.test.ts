// Operators let all sessions take no clients, by SOFARegistry's shutdown switch, on a cluster of separate roles.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { RunningServer } from "./start.ts";
import { eventually } from "./testing/eventually.ts";
import { TestClient } from "./testing/testClient.ts";
import { getStatus, operate, TestNodes } from "./testing/testNodes.ts";

const nodes = new TestNodes();
const dataDir = nodes.newDirectory();
let meta: RunningServer;
let data: RunningServer;
let session: RunningServer;
let client: TestClient;

const at = () => ({ metaAddresses: [`127.0.0.1:${meta.ports.node}`] });

before(async () => {
  meta = await nodes.start(["meta"], { dataDir });
  data = await nodes.start(["data"], at());
  session = await nodes.start(["session"], at());
  client = new TestClient(() => session.ports.bolt);
  client.publish("orders", "10.0.0.1:80");
  client.subscribe("orders");
  await sees("10.0.0.1:80");
});

after(async () => {
  client.close();
  await nodes.close();
});

const sees = (list: string) =>
  eventually(
    () => client.list("orders"),
    (seen) => seen === list,
    30_000,
  );

async function ask(path: string, form?: string) {
  const body = form === undefined ? {} : { method: "POST", body: new URLSearchParams(form) };
  const answer = await fetch(`http://127.0.0.1:${meta.ports.metaHttp}${path}`, body);
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

const clients = async () =>
  (await operate(meta, "GET", "/nodes")).body.items.find(({ role }) => role === "session")?.clients as number;
const readiness = () => getStatus(session.ports.http, "/readyz");

test("sessions are shut once pushes are stopped, and their clients are gone", async () => {
  assert.deepEqual((await ask("/shutdown/query")).body, { switch: "empty value." });
  const open = { success: false, message: "push switch is open" };
  assert.deepEqual((await ask("/shutdown/update", "shutdown=true&token=any")).body, open);
  assert.equal(await readiness(), 200);
  await ask("/stopPushDataSwitch/open");
  assert.deepEqual((await ask("/shutdown/update", "shutdown=TRUE&token=any")).body, { success: true, message: null });
  assert.deepEqual((await ask("/shutdown/query")).body, { switch: '{"shutdown":true,"cause":"force"}' });
  await eventually(readiness, (status) => status === 503);
  const ready = await (await fetch(`http://127.0.0.1:${session.ports.http}/readyz`)).text();
  assert.match(ready, /serve-clients/);
  await eventually(
    async () => (await fetch(`http://127.0.0.1:${session.ports.http}/api/servers/connectionNum`)).text(),
    (count) => count === "0",
  );
  assert.equal(await (await fetch(`http://127.0.0.1:${session.ports.http}/api/servers/query`)).text(), "");
  assert.equal(client.list("orders"), "10.0.0.1:80", "its subscribers keep what they have");
});

test("they stay shut when all processes are started anew", async () => {
  for (const one of [session, data, meta]) await nodes.stop(one);
  meta = await nodes.start(["meta"], { dataDir, memberLeaseMs: 5_000 });
  data = await nodes.start(["data"], at());
  session = await nodes.start(["session"], at());
  await eventually(
    async () => (await operate(meta, "GET", "/slots")).body.items,
    (slots) => slots.length === 256 && slots.every(({ state }) => state !== "silent"),
    30_000,
  );
  await eventually(readiness, (status) => status === 503);
  const reason = await (await fetch(`http://127.0.0.1:${session.ports.http}/readyz`)).text();
  assert.match(reason, /serve-clients/);
});

test("they take clients again, which have everything as before", async () => {
  assert.deepEqual((await ask("/shutdown/update", "shutdown=false")).body, { success: true, message: null });
  assert.deepEqual((await ask("/shutdown/query")).body, { switch: '{"shutdown":false}' });
  await ask("/stopPushDataSwitch/close");
  await eventually(readiness, (status) => status === 200);
  client.publish("orders", "10.0.0.2:80");
  await sees("10.0.0.1:80 10.0.0.2:80");
  await eventually(clients, (count) => count === 1);
});

test("a shutdown that is neither true nor false is refused, and changes nothing", async () => {
  for (const form of ["shutdown=yes", "shutdown=", "token=a", "shutdown=true&shutdown=true"]) {
    const { status, body } = await ask("/shutdown/update", form);
    assert.equal(status, 400, form);
    assert.match(String(body["message"]), /shutdown/, form);
  }
  assert.equal(await readiness(), 200);
});
