// Operations on a cluster of several processes: any node answers any of them.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { OPERATIONS } from "../admin/operations.ts";
import { defined } from "../base/assert.ts";
import type { RunningServer } from "./start.ts";
import { assertInForm } from "./testing/answerSchemas.ts";
import { eventually } from "./testing/eventually.ts";
import { TestClient } from "./testing/testClient.ts";
import { getJson, type OperationBody, operate, TestNodes } from "./testing/testNodes.ts";

const nodes = new TestNodes();
const clients: TestClient[] = [];
let cluster: readonly RunningServer[] = [];
let sessions: readonly RunningServer[] = [];
let meta: RunningServer;
after(async () => {
  for (const client of clients) client.close();
  await nodes.close();
});

const SERVICE = (name: string) => `${name}#@#DEFAULT_INSTANCE_ID#@#DEFAULT_GROUP`;
const query = (parameters: Record<string, string>) => `?${new URLSearchParams(parameters)}`;

before(async () => {
  meta = await nodes.start(["meta"]);
  const at = { metaAddresses: [`127.0.0.1:${meta.ports.node}`] };
  const data = [await nodes.start(["data"], at), await nodes.start(["data"], at)];
  sessions = [await nodes.start(["session"], at), await nodes.start(["session"], at)];
  cluster = [meta, ...data, ...sessions];
  for (const session of sessions) {
    const client = new TestClient(() => session.ports.bolt);
    clients.push(client);
    client.publish("orders", `10.0.0.${clients.length}:80`);
    client.publish(`only-${clients.length}`, "10.0.0.9:80");
    client.subscribe("orders");
    client.watchConfig("colour");
  }
  await eventually(
    () => clients.map((client) => client.list("orders")).join(),
    (lists) => lists === "10.0.0.1:80 10.0.0.2:80,10.0.0.1:80 10.0.0.2:80",
  );
  await eventually(
    async () => (await operate(meta, "GET", "/slots")).body.items,
    (slots) => slots.length === 256 && slots.every(({ state, inSync }) => state === "serving" && inSync.length === 1),
    30_000,
  );
});

/** The answers of all nodes to one question, each in the form that the document promises. */
async function fromAll(name: string, parameters: Record<string, string> = {}): Promise<readonly OperationBody[]> {
  const { path } = defined(
    OPERATIONS.find((operation) => operation.name === name),
    "an operation of the table",
  );
  const answers = await Promise.all(cluster.map((node) => operate(node, "GET", path + query(parameters))));
  for (const answer of answers) {
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    assertInForm(name, answer);
  }
  return answers.map(({ body }) => body);
}

test("each node lists all services, by pattern and in pages", async () => {
  for (const { items } of await fromAll("services.list")) {
    assert.deepEqual(
      items.map(({ name, publishers }) => [name, publishers]),
      [
        ["only-1", 1],
        ["only-2", 1],
        ["orders", 2],
      ],
    );
  }
  for (const { items } of await fromAll("services.list", { pattern: "only-*" })) assert.equal(items.length, 2);
  for (const { items } of await fromAll("services.list", { group: "OTHER" })) assert.deepEqual(items, []);
  const first = await operate(meta, "GET", `/services${query({ limit: "2" })}`);
  const { next } = first.body as unknown as { next: string };
  assert.equal(next, SERVICE("only-2"));
  const second = await operate(meta, "GET", `/services${query({ limit: "2", after: next })}`);
  assert.deepEqual(
    second.body.items.map(({ name }) => name),
    ["orders"],
  );
});

test("each node shows who publishes a service, from where and what", async () => {
  for (const { items } of await fromAll("services.describe", { service: "orders" })) {
    assert.deepEqual(items.map(({ address, boxes }) => [address, boxes]).sort(), [
      ["127.0.0.1", ["10.0.0.1:80"]],
      ["127.0.0.1", ["10.0.0.2:80"]],
    ]);
  }
});

test("a question waits for the next version of a service, and ends at its time without one", async () => {
  const describe = (parameters: Record<string, string>) =>
    operate(meta, "GET", `/service${query({ service: "only-1", ...parameters })}`);
  const { version } = (await describe({})).body;
  const same = await describe({ since: version, waitMs: "100" });
  assert.deepEqual([same.body.version, (same.body as unknown as { isNewer: boolean }).isNewer], [version, false]);
  const later = describe({ since: version, waitMs: "30000" });
  clients[1]?.publish("only-1", "10.0.0.8:80");
  assert.ok(BigInt((await later).body.version) > BigInt(version));
});

test("each node lists what the clients at an address publish and subscribe, in the whole cluster", async () => {
  for (const { items } of await fromAll("instances.list", { address: "127.0.0.1" })) {
    assert.deepEqual(items.map(({ name }) => name).sort(), ["only-1", "only-1", "only-2", "orders", "orders"]);
  }
  for (const { items } of await fromAll("clients.list", { address: "::ffff:127.0.0.1" })) assert.equal(items.length, 2);
  for (const { items } of await fromAll("subscribers.list", { address: "127.0.0.1" })) {
    assert.deepEqual(items.map(({ kind, service }) => `${kind} ${service}`).sort(), [
      ...new Array(2).fill(`configuration ${SERVICE("colour")}`),
      ...new Array(2).fill(`service ${SERVICE("orders")}`),
    ]);
  }
  for (const { items } of await fromAll("instances.list", { address: "10.9.9.9,10.9.9.8" }))
    assert.deepEqual(items, []);
});

test("each node lists the applications of all sessions' clients", async () => {
  const numbers = async (parameters: Record<string, string>) =>
    (await fromAll("applications.list", parameters)).map(({ items }) =>
      items.map(({ application, clients: its, publishers, subscribers }) => [
        application,
        its,
        publishers,
        subscribers,
      ]),
    );
  for (const rows of await numbers({})) assert.deepEqual(rows, [["test", 2, 5, 2]]);
  for (const rows of await numbers({ service: "orders" })) assert.deepEqual(rows, [["test", 2, 2, 2]]);
  for (const rows of await numbers({ pattern: "other*" })) assert.deepEqual(rows, []);
  for (const rows of await numbers({ address: "10.9.9.9" })) assert.deepEqual(rows, []);
});

test("each node lists all nodes, all slots, and the health of all nodes", async () => {
  for (const { items, leader } of await fromAll("nodes.list")) {
    assert.deepEqual(items.map(({ role, state }) => `${role} ${state}`).sort(), [
      "data up",
      "data up",
      "meta leads",
      "session up",
      "session up",
    ]);
    assert.equal(leader, items.find(({ role }) => role === "meta").id);
  }
  for (const { items } of await fromAll("slots.list")) assert.equal(items.length, 256);
  for (const { items } of await fromAll("slots.list", { service: "orders" })) assert.equal(items.length, 1);
  for (const { items } of await fromAll("slots.list", { state: "gathering" })) assert.deepEqual(items, []);
  for (const body of await fromAll("health.get")) {
    assert.equal(body.items.length, 5);
    assert.equal((body as unknown as { isHealthy: boolean }).isHealthy, true);
  }
  for (const { items } of await fromAll("held.list")) assert.deepEqual(items, []);
});

test("each node explains a service, known or not", async () => {
  const levels = (body: OperationBody) =>
    (body as unknown as { findings: { level: string }[] }).findings.map(({ level }) => level);
  for (const body of await fromAll("services.explain", { service: "orders" })) {
    assert.deepEqual(levels(body), ["ok", "ok", "ok", "ok", "ok"]);
  }
  for (const body of await fromAll("services.explain", { service: "no-such" })) {
    assert.deepEqual(levels(body), ["ok", "ok", "ok", "ok", "warning"]);
  }
});

test("a value that is set through any node reaches the clients that watch it, and is read at all nodes", async () => {
  for (const [at, node] of cluster.entries()) {
    const put = await operate(node, "PUT", "/config", { key: "colour", data: `${at}` });
    assert.equal(put.status, 200, JSON.stringify(put.body));
    assertInForm("configs.put", put);
    for (const { data, version } of await fromAll("configs.get", { key: "colour" })) {
      assert.deepEqual([data, version], [`${at}`, put.body.version]);
    }
    await eventually(
      () => clients.map(({ configs }) => configs.get("colour")?.at(-1)),
      (values) => values.every((value) => value === `${at}`),
    );
  }
  for (const { items } of await fromAll("configs.list")) assert.equal(items.length, 1);
  const removal = await operate(defined(sessions[0], "a session"), "DELETE", `/config${query({ key: "colour" })}`);
  assertInForm("configs.remove", removal);
  assert.equal(removal.status, 200);
  assert.equal((await operate(meta, "GET", `/config${query({ key: "colour" })}`)).status, 404);
});

test("of two operators who change the same version, the second is told, through whatever nodes they go", async () => {
  const first = await operate(meta, "PUT", "/config", { key: "size", data: "1", ifVersion: "0" });
  assert.equal(first.status, 200);
  const { version } = first.body;
  const both = await Promise.all(
    sessions.map((node, at) => operate(node, "PUT", "/config", { key: "size", data: `by ${at}`, ifVersion: version })),
  );
  assert.deepEqual(both.map(({ status }) => status).sort(), [200, 409]);
  const told = defined(
    both.find(({ status }) => status === 409),
    "one was told",
  );
  assert.equal(told.body.error.code, "VERSION_CONFLICT");
  const winner = both.findIndex(({ status }) => status === 200);
  assert.equal((await operate(meta, "GET", `/config${query({ key: "size" })}`)).body.data, `by ${winner}`);
  const again = await operate(meta, "PUT", "/config", { key: "size", data: "new", ifVersion: "0" });
  assert.equal(again.status, 409);
  const late = await operate(meta, "DELETE", `/config${query({ key: "size", ifVersion: version })}`);
  assert.equal(late.status, 409);
});

test("a preview says what would be done, and changes nothing", async () => {
  const session = defined(sessions[0], "a session");
  const [row] = (await operate(meta, "GET", "/nodes")).body.items.filter(({ role }) => role === "data");
  for (const [name, method, path, parameters] of [
    ["nodes.block", "POST", "/nodes/block", { node: row.id }],
    ["nodes.drain", "POST", "/nodes/drain", { node: row.id }],
    ["configs.put", "PUT", "/config", { key: "later", data: "x" }],
  ] as const) {
    const answer = await operate(session, method, path, { ...parameters, preview: true });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    assertInForm(name, answer);
  }
  for (const { blocked } of (await fromAll("nodes.list")) as unknown as { blocked: string[] }[]) {
    assert.deepEqual(blocked, []);
  }
  assert.equal((await operate(meta, "GET", `/config${query({ key: "later" })}`)).status, 404);
  const removal = query({ key: "size", preview: "true" });
  assert.equal((await operate(meta, "DELETE", `/config${removal}`)).status, 200);
  assert.equal((await operate(meta, "GET", `/config${query({ key: "size" })}`)).status, 200);
  const refused = await operate(session, "POST", "/nodes/block", { node: "no-such", preview: true });
  assert.deepEqual([refused.status, refused.body.error.code], [404, "NODE_UNKNOWN"]);
});

test("each node serves the document and its health at the port for operators", async () => {
  const all = await Promise.all(cluster.map(({ ports }) => getJson<object>(ports.admin, "/v1/openapi.json")));
  for (const document of all) assert.deepEqual(document, all[0]);
  for (const { ports } of cluster) {
    for (const path of ["/livez", "/readyz", "/metrics"]) {
      assert.equal((await fetch(`http://127.0.0.1:${ports.admin}${path}`)).status, 200);
    }
  }
});

test("a node that is told through another one to stop does so, and is then no longer asked", async () => {
  const [first, second] = sessions;
  assert.ok(first !== undefined && second !== undefined);
  const rows = (await operate(meta, "GET", "/nodes")).body.items;
  const row = rows.find(({ clientAddresses }) => clientAddresses?.bolt.endsWith(`:${second.ports.bolt}`));
  const drained = await operate(first, "POST", "/nodes/drain", { node: row.id });
  assertInForm("nodes.drain", drained);
  assert.equal(drained.status, 202);
  await second.stopAsked;
  await nodes.stop(second);
  // Until the cluster has noticed, the answer names the node as one that did not answer.
  await eventually(
    async () => (await operate(first, "GET", `/clients${query({ address: "127.0.0.1" })}`)).body,
    (body) => (body as unknown as { unreachable: object[] }).unreachable.length === 0 && body.items.length >= 1,
  );
});

test("without a meta node its questions are refused with the reason, and others are answered", async () => {
  const session = defined(sessions[0], "a session");
  await nodes.stop(meta);
  const answer = await operate(session, "GET", `/config${query({ key: "size" })}`);
  assertInForm("configs.get", answer);
  assert.deepEqual(
    [answer.status, answer.body.error.code, answer.body.error.retry],
    [503, "NODE_ASKED_UNREACHABLE", true],
  );
  assert.match(answer.body.error.message, /no meta node/);
  assert.equal((await operate(session, "PUT", "/config", { key: "size", data: "x" })).status, 503);
  assert.equal((await operate(session, "GET", `/service${query({ service: "orders" })}`)).status, 200);
});
