// Operators' rules through the operations, on a cluster: what they hide and hold, and two operators at once.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { RunningServer } from "./start.ts";
import { assertInForm } from "./testing/answerSchemas.ts";
import { eventually } from "./testing/eventually.ts";
import { TestClient } from "./testing/testClient.ts";
import { type OperationBody, operate, TestNodes } from "./testing/testNodes.ts";

const nodes = new TestNodes();
let meta: RunningServer;
let cluster: readonly RunningServer[] = [];
let client: TestClient;

after(async () => {
  client?.close();
  await nodes.close();
});

before(async () => {
  meta = await nodes.start(["meta"]);
  const at = { metaAddresses: [`127.0.0.1:${meta.ports.node}`] };
  cluster = [meta, await nodes.start(["data"], at), await nodes.start(["session"], at)];
  client = new TestClient(() => cluster[2]?.ports.bolt ?? 0);
  client.publish("orders", "10.0.0.1:80");
  client.publish("stock", "10.0.0.1:81");
  client.subscribe("orders");
  await eventually(
    () => client.list("orders"),
    (list) => list === "10.0.0.1:80",
  );
});

type Method = "GET" | "POST" | "PUT" | "DELETE";

/** Asks each node in turn, so that every way to the answer is gone. */
let turn = 0;
async function ask(name: string, method: Method, path: string, body?: object): Promise<OperationBody> {
  const node = cluster[turn++ % cluster.length] ?? meta;
  const answer = await operate(node, method, path, body);
  assertInForm(name, answer);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body;
}

const rules = async () => (await ask("rules.list", "GET", "/rules")).items;
const put = (body: object) => ask("rules.put", "PUT", "/rule", body);

const seesOrders = (expected: string) =>
  eventually(
    () => client.list("orders"),
    (list) => list === expected,
  );

test("a rule hides a service until it is removed, and says by whom, why and until when", async () => {
  const { items } = await put({
    id: "incident-7",
    effect: "hidePublications",
    services: ["orders"],
    addresses: ["127.0.0.0/8"],
    reason: "bad deploy",
    setBy: "ana",
    for: "1h",
  });
  assert.deepEqual([items[0].id, items[0].change], ["incident-7", "created"]);
  await seesOrders("");
  const [listed] = await rules();
  assert.equal(listed.concerns, "clients at 127.0.0.0/8; service orders");
  assert.deepEqual([listed.setBy, listed.reason, listed.epoch], ["ana (local)", "bad deploy", items[0].epoch]);
  const hour = Date.parse(listed.until) - Date.parse(listed.setAt);
  assert.ok(hour > 3_590_000 && hour < 3_610_000, String(hour));
  const described = await ask("rules.describe", "GET", "/rule?id=incident-7");
  assert.deepEqual((described as unknown as { addresses: string[] }).addresses, ["127.0.0.0/8"]);
  await ask("rules.remove", "DELETE", "/rule?id=incident-7");
  await seesOrders("10.0.0.1:80");
  assert.deepEqual(await rules(), []);
});

test("a preview counts what a rule would concern, and changes nothing", async () => {
  const { items, ...rest } = await put({
    id: "r",
    effect: "hidePublications",
    addresses: ["127.0.0.1", "10.0.0.0/8"],
    preview: true,
  });
  const { isDone, concerned } = rest as unknown as { isDone: boolean; concerned: object };
  assert.deepEqual([isDone, items[0].epoch], [false, "0"]);
  assert.deepEqual(concerned, { registrations: 2, clients: 1, isAtLeast: false });
  const held = await ask("rules.count", "GET", "/rules/count?effect=holdPushes&services=orders,stock");
  assert.deepEqual(held, { registrations: 1, clients: 1, isAtLeast: false });
  assert.deepEqual(await rules(), []);
});

test("the second of two operators who have read the same rule is told", async () => {
  const { items } = await put({ id: "r", effect: "holdPushes", services: ["none"], ifEpoch: "0" });
  const change = (ifEpoch: string) =>
    operate(meta, "PUT", "/rule", { id: "r", effect: "holdPushes", zones: ["z"], ifEpoch });
  const answers = await Promise.all([change(items[0].epoch), change(items[0].epoch)]);
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 409]);
  const refused = answers.find(({ status }) => status === 409);
  assert.equal(refused?.body.error.code, "RULE_CHANGED");
  const again = await operate(meta, "DELETE", `/rule?id=r&ifEpoch=${items[0].epoch}`);
  assert.equal(again.body.error.code, "RULE_CHANGED");
  await ask("rules.remove", "DELETE", "/rule?id=r");
});

test("rules are found by their effect, an address and a service", async () => {
  await put({ id: "a", effect: "hidePublications", addresses: ["10.1.0.0/16"], exceptAddresses: ["10.1.0.7"] });
  await put({ id: "b", effect: "holdPushes", servicePrefixes: ["com.example."], notInForce: true });
  const found = async (query: string) => {
    const { items } = await ask("rules.list", "GET", `/rules?${query}`);
    return items.map(({ id }: { id: string }) => id).join();
  };
  assert.equal(await found("effect=holdPushes"), "b");
  assert.equal(await found("address=10.1.2.3"), "a,b");
  assert.equal(await found("address=10.1.0.7"), "b");
  assert.equal(await found("service=orders"), "a");
  assert.equal(await found("service=com.example.Orders"), "a,b");
  await Promise.all(["a", "b"].map((id) => ask("rules.remove", "DELETE", `/rule?id=${id}`)));
});

test("hidden publications stay visible to operators, with the rule that hides them", async () => {
  await put({ id: "r", effect: "hidePublications", services: ["orders"], addresses: ["127.0.0.1"] });
  await seesOrders("");
  const described = await ask("services.describe", "GET", "/service?service=orders");
  const { hidden, total } = described as unknown as { hidden: number; total: number };
  assert.deepEqual([hidden, total], [1, 1]);
  assert.deepEqual(
    described.items.map(({ boxes, hiddenBy }) => [boxes, hiddenBy]),
    [[["10.0.0.1:80"], ["r"]]],
  );
  const listed = await ask("hidden.describe", "GET", "/hidden/publishers?service=orders");
  assert.deepEqual(listed.items, described.items);
  const all = await ask("hidden.list", "GET", "/hidden");
  assert.deepEqual(
    all.items.map(({ service, hidden: its, publishers }) => [service.split("#")[0], its, publishers]),
    [["orders", 1, 0]],
  );
  const services = await ask("services.list", "GET", "/services");
  assert.deepEqual(
    services.items.map(({ name, hidden: its, publishers }) => [name, its, publishers]),
    [
      ["orders", 1, 0],
      ["stock", 0, 1],
    ],
  );
  for (const query of ["address=127.0.0.1", "service=orders", "application=test", "address=127.0.0.1&service=orders"]) {
    const { items } = await ask("instances.list", "GET", `/instances?${query}`);
    const orders = items.filter(({ name }) => name === "orders");
    assert.deepEqual(
      orders.map(({ hiddenBy, isConnected, application }) => [hiddenBy, isConnected, application]),
      [[["r"], true, "test"]],
      query,
    );
  }
  const { findings } = (await ask("services.explain", "GET", "/explain?service=orders")) as unknown as {
    findings: { level: string; finding: string; advice: string }[];
  };
  const hides = findings.find(({ finding }) => finding.includes("hidden"));
  assert.deepEqual(
    [hides?.level, hides?.finding, hides?.advice],
    ["warning", "1 publishers are hidden, and in no list: 1 by r", "who and why: roster describe rule r"],
  );
  assert.ok(findings.some(({ finding }) => finding.startsWith("the list has 0 publishers")));
  await ask("rules.remove", "DELETE", "/rule?id=r");
  await seesOrders("10.0.0.1:80");
});

test("a publisher that hides itself is shown as hidden by itself", async () => {
  client.publish("shy", "10.0.0.1:82", new Map([["!Blocked", "true"]]));
  await eventually(
    async () => (await operate(meta, "GET", "/service?service=shy")).body,
    (body) => body.items?.[0].hiddenBy.join() === "!Blocked",
  );
});

test("held pushes are shown, and which subscribers are behind", async () => {
  const subscribers = async () => {
    const { items } = await ask("subscribers.list", "GET", "/subscribers?service=orders");
    return items.map(({ kind, isBehind, heldBy }) => [kind, isBehind, heldBy.join()].join(" "));
  };
  await eventually(subscribers, (rows) => rows.join() === "service false ");
  await put({ id: "stop", effect: "holdPushes", addresses: ["127.0.0.0/8"] });
  await eventually(subscribers, (rows) => rows.join() === "service false stop");
  client.publish("orders", "10.0.0.2:80");
  await eventually(subscribers, (rows) => rows.join() === "service true stop");
  const { items } = await ask("clients.list", "GET", "/clients?address=127.0.0.1");
  assert.deepEqual(
    items.map(({ publishers, subscribers: its, rules: held }) => [publishers, its, held]),
    [[4, 1, ["stop"]]],
  );
  const { findings } = (await ask("services.explain", "GET", "/explain?service=orders")) as unknown as {
    findings: { level: string; finding: string }[];
  };
  assert.ok(
    findings.some(
      ({ level, finding }) => level === "warning" && finding.startsWith("pushes are held by stop (clients"),
    ),
  );
  await ask("rules.remove", "DELETE", "/rule?id=stop");
  await seesOrders("10.0.0.1:80 10.0.0.2:80");
  await eventually(subscribers, (rows) => rows.join() === "service false ");
});

test("a mebibyte of addresses goes from any node to the leader", async () => {
  const addresses = Array.from({ length: 90_000 }, (_, at) => `10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`);
  for (const node of cluster) {
    const { status } = await operate(node, "PUT", "/rule", { id: "many", effect: "hidePublications", addresses });
    assert.equal(status, 200);
  }
  const described = (await ask("rules.describe", "GET", "/rule?id=many")) as unknown as { addresses: string[] };
  assert.equal(described.addresses.length, 90_000);
  await ask("rules.remove", "DELETE", "/rule?id=many");
});

test("all nodes confirm the newest rules", async () => {
  const behind = async () => (await ask("rules.list", "GET", "/rules")) as unknown as { behind: string[] };
  await eventually(behind, (answer) => answer.behind.length === 0);
});
