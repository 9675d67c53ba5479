// The rules of daily work through the operations: addresses offline and online, pushes stopped and started, services on
// the blacklist; with rules that SOFARegistry's tools have made.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import type { RunningServer } from "./start.ts";
import { assertInForm } from "./testing/answerSchemas.ts";
import { eventually } from "./testing/eventually.ts";
import { TestClient } from "./testing/testClient.ts";
import { type OperationBody, operate, TestNodes } from "./testing/testNodes.ts";

const nodes = new TestNodes();
let registry: RunningServer;
let client: TestClient;

after(async () => {
  client?.close();
  await nodes.close();
});

before(async () => {
  registry = await nodes.start(["meta", "data", "session"]);
  client = new TestClient(() => registry.ports.bolt);
  client.publish("orders", "10.0.0.1:80");
  client.subscribe("orders");
  await sees("10.0.0.1:80");
});

beforeEach(async () => {
  for (const id of Object.keys(await rules())) await operate(registry, "DELETE", `/rule?id=${id}`);
  await sees("10.0.0.1:80");
});

function sees(expected: string) {
  return eventually(
    () => client.list("orders"),
    (list) => list === expected,
    30_000,
  );
}

/** The rules by their ids, in words. */
async function rules(): Promise<Record<string, string>> {
  const { items } = (await operate(registry, "GET", "/rules")).body;
  return Object.fromEntries(items.map(({ id, concerns }) => [id, concerns]));
}

async function post(name: string, path: string, body: object): Promise<OperationBody> {
  const answer = await operate(registry, "POST", path, body);
  assertInForm(name, answer);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body;
}

const offline = (body: object) => post("offline.add", "/offline", body);
const online = (...address: string[]) => post("offline.remove", "/online", { address });
const stop = (body: object) => post("pushes.stop", "/pushes/stop", body);
const startAgain = (body: object) => post("pushes.start", "/pushes/start", body);

async function refused(path: string, body: object): Promise<string> {
  const { status, body: answer } = await operate(registry, "POST", path, body);
  return `${status} ${answer.error?.message}`;
}

/** SOFARegistry's own interface, at meta. */
async function sofa(path: string, form: Record<string, string>): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${registry.ports.metaHttp}${path}`, {
    method: "POST",
    body: new URLSearchParams(form),
  });
  assert.equal(answer.status, 200, await answer.text());
}

test("an address is taken offline and brought online again", async () => {
  const { items, message } = await offline({ address: ["127.0.0.1"], reason: "bad disk", setBy: "ana" });
  assert.equal(items[0].id, "offline-127.0.0.1");
  assert.match(message, /to bring them back: roster online 127\.0\.0\.1/);
  await sees("");
  const listed = await operate(registry, "GET", "/offline");
  assertInForm("offline.list", listed);
  const [{ address, rule, setBy, reason, holdsPushes }] = listed.body.items;
  assert.deepEqual(
    [address, rule, setBy, reason, holdsPushes],
    ["127.0.0.1", items[0].id, "ana (local)", "bad disk", false],
  );
  assert.match((await online("127.0.0.1")).message, /127\.0\.0\.1 is online again$/);
  assert.deepEqual(await rules(), {});
});

test("a second time online changes nothing, and says so", async () => {
  const { items, message } = await online("127.0.0.1");
  assert.deepEqual([items, message], [[], "no rule takes 127.0.0.1 offline"]);
});

test("online takes out just that address, of every rule that has it", async () => {
  await offline({ address: ["127.0.0.1", "10.0.0.8"] });
  await offline({ address: ["127.0.0.1", "10.0.0.9"], rule: "incident-7", holdPushes: true });
  const { items } = await online("127.0.0.1");
  assert.deepEqual(
    items.map(({ id, change }) => `${id} ${change}`),
    ["incident-7 changed", "incident-7:sub changed", "offline-127.0.0.1-and-1-more changed"],
  );
  await sees("10.0.0.1:80");
  const [, second] = Object.values(await rules());
  assert.equal(second, "clients at 10.0.0.9");
});

test("an address within an offline block becomes an exception, and the answer says so", async () => {
  await offline({ address: ["127.0.0.0/16"] });
  await sees("");
  const { message } = await online("127.0.0.1");
  assert.match(
    message,
    /offline-127\.0\.0\.0-16 has an exception for 127\.0\.0\.1 now and keeps the rest of 127\.0\.0\.0\/16/,
  );
  await sees("10.0.0.1:80");
  const [row] = (await operate(registry, "GET", "/offline")).body.items;
  assert.deepEqual(row.exceptions, ["127.0.0.1"]);
  await offline({ address: ["127.0.0.1"] });
  await sees("");
  await online("127.0.0.1");
  await online("127.0.0.0/8");
  assert.deepEqual(await rules(), {});
});

test("addresses are added to a rule by its name, and keep its reason and its end", async () => {
  await offline({ address: ["10.0.0.8"], rule: "incident-7", reason: "bad disk", until: "2999-01-01T00:00:00Z" });
  await offline({ address: ["127.0.0.1"], rule: "incident-7" });
  const { reason, until, addresses } = (await operate(registry, "GET", "/rule?id=incident-7")).body as unknown as {
    [name: string]: unknown;
  };
  assert.deepEqual([reason, until, addresses], ["bad disk", "2999-01-01T00:00:00.000Z", ["10.0.0.8", "127.0.0.1"]]);
});

test("twenty operators at once: each address is offline afterwards, and then each is online", async () => {
  const addresses = Array.from({ length: 20 }, (_, at) => `10.1.0.${at}`);
  await Promise.all(addresses.map((address) => offline({ address: [address], rule: "incident-7" })));
  assert.equal((await operate(registry, "GET", "/offline?limit=1000")).body.items.length, 20);
  await Promise.all(addresses.map((address) => online(address)));
  assert.deepEqual(await rules(), {});
});

test("the lists of SOFARegistry's tools are shown, and online takes an address out of them", async () => {
  await sofa("/api/clientManager/clientOff", { ips: "127.0.0.1;10.0.0.8" });
  await sees("");
  const { items } = (await operate(registry, "GET", "/offline")).body;
  assert.deepEqual(
    items.map(({ address, rule }) => `${address} ${rule}`),
    ["10.0.0.8 registry.client.off.list", "127.0.0.1 registry.client.off.list"],
  );
  await online("127.0.0.1");
  await sees("10.0.0.1:80");
  assert.equal((await rules())["registry.client.off.list"], "clients at 10.0.0.8");
  await sofa("/api/clientManager/clientOpen", { ips: "10.0.0.8" });
  assert.deepEqual((await operate(registry, "GET", "/offline")).body.items, []);
  await offline({ address: ["10.0.0.8"], rule: "registry.client.off.list" });
  assert.equal((await rules())["registry.client.off.list"], "clients at 10.0.0.8");
});

test("what takes nothing, or everything, offline is refused", async () => {
  assert.match(await refused("/offline", { address: ["0.0.0.0/0"] }), /^400 .*address.*0\.0\.0\.0\/0.*a smaller block/);
  assert.match(await refused("/offline", { address: [] }), /^400 .*address/);
  assert.match(await refused("/offline", { address: ["10.0.0.1/8"] }), /^400 .*address.*10\.0\.0\.0\/8/);
  await post("pushes.stop", "/pushes/stop", { service: ["orders"] });
  const [stopped = ""] = Object.keys(await rules());
  assert.match(await refused("/offline", { address: ["10.0.0.8"], rule: stopped }), /^400 .*rule.*stop-push-orders/);
  await offline({ address: ["10.0.0.0/8"], rule: "r" });
  await online("10.1.0.0/16");
  assert.match(await refused("/offline", { address: ["10.1.2.3"], rule: "r" }), /^400 .*10\.1\.2\.3.*has an exception/);
});

test("a mebibyte of addresses is one rule, taken whole or not at all", async () => {
  const many = Array.from({ length: 90_000 }, (_, at) => `10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`);
  const { items } = await offline({ address: many });
  assert.equal(items[0].id, "offline-10.0.0.0-and-89999-more");
  assert.match(
    await refused("/offline", {
      address: many.map((address) => `172.${address.slice(3)}`).concat(many.slice(0, 40_000)),
    }),
    /^400 RULES_EXHAUSTED/,
  );
  assert.equal(Object.keys(await rules()).length, 1);
  await online("10.0.0.0/8");
  assert.deepEqual(await rules(), {});
});

test("all pushes are stopped and started, for some addresses first", async () => {
  client.subscribe("stock");
  await eventually(
    () => client.lists.has("stock"),
    (has) => has,
  );
  await stop({ all: true, reason: "network" });
  client.publish("stock", "10.0.0.2:80");
  const show = async () => {
    const answer = await operate(registry, "GET", "/pushes");
    assertInForm("pushes.get", answer);
    const { state, open } = answer.body as unknown as { state: string; open: string[] };
    return `${state} ${open}`;
  };
  assert.equal(await show(), "stopped ");
  await startAgain({ address: ["10.0.0.7"] });
  assert.equal(await show(), "stopped 10.0.0.7");
  await startAgain({ address: ["127.0.0.0/8"] });
  await eventually(
    () => client.list("stock"),
    (list) => list === "10.0.0.2:80",
  );
  await startAgain({ all: true });
  assert.equal(await show(), "pushed ");
  assert.equal((await startAgain({ all: true })).message, "no pushes were stopped: all clients");
});

test("pushes of a service are stopped and started; a wider stop is not touched, and named", async () => {
  await stop({ service: ["orders", "stock"] });
  await startAgain({ service: ["orders"] });
  assert.deepEqual(await rules(), { "stop-push-orders-and-1-more": "service stock" });
  await stop({ prefix: ["ord"] });
  assert.match(await refused("/pushes/start", { service: ["orders"] }), /^409 RULE_IN_THE_WAY.*stop-push-ord/);
  await startAgain({ prefix: ["ord"] });
  await stop({ all: true });
  assert.match(await refused("/pushes/start", { service: ["stock"] }), /^409 RULE_IN_THE_WAY.*session\.stop\.push/);
  await startAgain({ all: true });
  assert.deepEqual(await rules(), {});
});

test("pushes are named in one way, and an empty list is not all of them", async () => {
  for (const path of ["/pushes/stop", "/pushes/start"]) {
    assert.match(await refused(path, {}), /^400 .*one of all, address, service and prefix/);
    assert.match(await refused(path, { address: [] }), /^400 .*address/);
    assert.match(await refused(path, { prefix: [""] }), /^400 .*prefix/);
    assert.match(await refused(path, { all: true, service: ["orders"] }), /^400 .*one of all/);
  }
});

test("services are put on the blacklist and taken off, those of SOFARegistry's list too", async () => {
  const add = (body: object) => post("blacklist.add", "/blacklist/add", body);
  const remove = (body: object) => post("blacklist.remove", "/blacklist/remove", body);
  await add({ service: ["orders"], prefix: ["com.example."], reason: "licence", for: "30m" });
  await sofa("/datainfoid/blacklist/add", {
    dataId: "orders",
    group: "DEFAULT_GROUP",
    instanceId: "DEFAULT_INSTANCE_ID",
  });
  await sees("");
  const listed = await operate(registry, "GET", "/blacklist");
  assertInForm("blacklist.list", listed);
  assert.deepEqual(
    listed.body.items.map(({ name, kind, rule }) => `${name.split("#")[0]} ${kind} ${rule}`),
    [
      "com.example. prefix blacklist-com.example.",
      "orders service blacklist-orders",
      "orders service session.dataid.blacklist",
    ],
  );
  assert.match(
    await refused("/blacklist/remove", { service: ["com.example.A"] }),
    /^409 RULE_IN_THE_WAY.*com\.example/,
  );
  await remove({ service: ["orders"] });
  await sees("10.0.0.1:80");
  assert.equal((await remove({ service: ["orders"] })).message, "not on the blacklist: service orders");
  await remove({ prefix: ["com.example."] });
  assert.deepEqual(await rules(), {});
  assert.match(await refused("/blacklist/add", {}), /^400 .*a service, or a prefix/);
});
