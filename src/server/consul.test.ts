// Consul's paths at a whole node: what its clients rely on.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { RunningServer } from "./start.ts";
import { askConsul } from "./testing/consulPort.ts";
import { askEureka, eurekaBody } from "./testing/eurekaPort.ts";
import { eventually } from "./testing/eventually.ts";
import { TestClient } from "./testing/testClient.ts";
import { TestNodes } from "./testing/testNodes.ts";

const nodes = new TestNodes();
after(() => nodes.close());

let server: RunningServer;
before(async () => {
  server = await nodes.start(["meta", "data", "session"]);
});

const ask = (what: string, body?: object | string) => askConsul(server, what, body);
const statusOf = async (what: string, body?: object | string) => (await ask(what, body)).status;

async function register(name: string, changes: Record<string, unknown> = {}): Promise<void> {
  const { status, text } = await ask("PUT /agent/service/register", { Name: name, Port: 80, ...changes });
  assert.equal(status, 200, text);
}

/** The checks of a service by its name, with their statuses. */
async function checksOf(name: string): Promise<Record<string, string>> {
  const { json } = await ask(`GET /health/checks/${name}`);
  return Object.fromEntries(json.map((check: { CheckID: string; Status: string }) => [check.CheckID, check.Status]));
}

const idsOf = (rows: { Service: { ID: string } }[]) => rows.map(({ Service }) => Service.ID).sort();

test("a service is seen by the first question after its registration, and not after its end", async () => {
  await register("first", { ID: "first-1", Tags: ["v1", "Blue"], Meta: { rack: "r1" }, Weights: { Passing: 7 } });
  const [row] = (await ask("GET /catalog/service/first")).json;
  assert.equal(row.ServiceID, "first-1");
  assert.deepEqual([row.ServiceTags, row.ServiceMeta, row.ServicePort], [["v1", "Blue"], { rack: "r1" }, 80]);
  assert.deepEqual(row.ServiceWeights, { Passing: 7, Warning: 1 });
  assert.equal(row.Address, "127.0.0.1");
  assert.deepEqual((await ask("GET /catalog/services")).json.first, ["v1", "Blue"]);
  assert.equal((await ask("GET /agent/services")).json["first-1"].Service, "first");
  assert.equal(await statusOf("PUT /agent/service/deregister/first-1"), 200);
  assert.deepEqual((await ask("GET /catalog/service/first")).json, []);
  assert.equal((await ask("GET /catalog/services")).json.first, undefined);
  assert.equal(await statusOf("PUT /agent/service/deregister/first-1"), 404);
});

test("a check with a TTL decides whether a service passes, and silence is critical", async () => {
  await register("ttl", { Check: { TTL: "2s" } });
  const passing = async () => (await ask("GET /health/service/ttl?passing")).json.length;
  assert.equal(await passing(), 0);
  assert.equal(await statusOf("PUT /agent/check/pass/service:ttl?note=fine"), 200);
  assert.equal(await passing(), 1);
  const checks = (await ask("GET /agent/checks")).json;
  assert.deepEqual([checks["service:ttl"].Status, checks["service:ttl"].Output], ["passing", "fine"]);
  assert.equal(await statusOf("PUT /agent/check/update/service:ttl", { Status: "warning", Output: "slow" }), 200);
  assert.deepEqual(await checksOf("ttl"), { "service:ttl": "warning" });
  assert.equal(await statusOf("GET /agent/health/service/id/ttl"), 429);
  await eventually(
    () => checksOf("ttl"),
    (statuses) => statuses["service:ttl"] === "critical",
  );
  assert.equal(await statusOf("GET /agent/health/service/name/ttl?format=text"), 503);
});

test("checks come and go beside their service, and maintenance takes it out", async () => {
  await register("kept", { Check: { CheckID: "one", TTL: "1m", Status: "passing" } });
  const body = { Name: "two", ServiceID: "kept", TTL: "1m", Status: "passing" };
  assert.equal(await statusOf("PUT /agent/check/register", body), 200);
  await register("kept", { Port: 81 });
  assert.deepEqual(await checksOf("kept"), { one: "passing", two: "passing" });
  assert.equal(await statusOf("PUT /agent/check/deregister/two"), 200);
  assert.deepEqual(await checksOf("kept"), { one: "passing" });
  assert.equal(await statusOf("PUT /agent/service/maintenance/kept"), 400);
  assert.equal(await statusOf("PUT /agent/service/maintenance/kept?enable=true&reason=later"), 200);
  assert.deepEqual(await checksOf("kept"), { one: "passing", "_service_maintenance:kept": "critical" });
  assert.equal(await statusOf("PUT /agent/service/maintenance/kept?enable=false"), 200);
  assert.deepEqual(await checksOf("kept"), { one: "passing" });
  assert.equal(await statusOf("PUT /agent/service/register?replace-existing-checks", { name: "kept" }), 200);
  assert.deepEqual(await checksOf("kept"), {});
});

test("a service's id moves to another name", async () => {
  await register("old-name", { ID: "moving" });
  await register("new-name", { ID: "moving" });
  assert.deepEqual((await ask("GET /catalog/service/old-name")).json, []);
  assert.equal((await ask("GET /catalog/service/new-name")).json.length, 1);
});

test("a query waits for its own service, for one that is not there yet, and no longer than asked", async () => {
  await register("watched");
  const { index } = await ask("GET /health/service/watched");
  const waiting = ask(`GET /health/service/watched?index=${index}&wait=20s`);
  let isOver = false;
  void waiting.then(() => {
    isOver = true;
  });
  await register("unwatched");
  await register("unwatched", { Port: 1 });
  assert.equal(isOver, false);
  await register("watched", { Port: 82 });
  const woken = await waiting;
  assert.equal(woken.json[0].Service.Port, 82);
  assert.ok(BigInt(woken.index ?? 0) > BigInt(index ?? 0));
  const unchanged = await ask(`GET /health/service/watched?index=${woken.index}&wait=10ms`);
  assert.equal(unchanged.index, woken.index);
  const none = await ask("GET /catalog/service/not-yet");
  const coming = ask(`GET /catalog/service/not-yet?index=${none.index}&wait=20s`);
  await register("not-yet");
  assert.equal((await coming).json.length, 1);
  const gone = ask(`GET /catalog/service/not-yet?index=${(await coming).index}&wait=20s`);
  await ask("PUT /agent/service/deregister/not-yet");
  assert.deepEqual((await gone).json, []);
});

test("external nodes and their services are put into the catalogue and taken out", async () => {
  const service = { Service: "ext", ID: "ext-1", Port: 80, Address: "10.1.2.3" };
  const check = { CheckID: "c", Name: "c", Status: "warning", ServiceID: "ext-1" };
  const node = { Node: "outside", Address: "10.9.9.9", NodeMeta: { rack: "r1" } };
  assert.equal((await ask("PUT /catalog/register", { ...node, Service: service, Check: check })).text, "true");
  const [row] = (await ask("GET /health/service/ext?node-meta=rack:r1")).json;
  assert.deepEqual([row.Node.Node, row.Node.Meta, row.Checks[0].Status], ["outside", { rack: "r1" }, "warning"]);
  assert.deepEqual((await ask("GET /health/service/ext?node-meta=rack:r2")).json, []);
  assert.equal((await ask("GET /health/service/ext?passing")).json.length, 0);
  assert.ok((await ask("GET /catalog/nodes")).json.some(({ Node }: { Node: string }) => Node === "outside"));
  assert.deepEqual(Object.keys((await ask("GET /catalog/node/outside")).json.Services), ["ext-1"]);
  assert.equal((await ask("GET /catalog/node/nowhere")).json, null);
  const nodeCheck = { ...node, Check: { CheckID: "n", Name: "n", Status: "critical" } };
  assert.equal((await ask("PUT /catalog/register", nodeCheck)).text, "true");
  assert.deepEqual(
    (await ask("GET /health/node/outside")).json.map(({ CheckID }: { CheckID: string }) => CheckID),
    ["n", "c"],
  );
  assert.equal((await ask("PUT /catalog/deregister", { Node: "outside" })).text, "true");
  assert.deepEqual((await ask("GET /catalog/service/ext")).json, []);
  assert.equal((await ask("GET /catalog/node/outside")).json, null);
});

test("tags and filters choose among the instances", async () => {
  for (const [id, version, tags] of [
    ["a", "1", ["x", "y"]],
    ["b", "2", ["x"]],
  ] as const) {
    await register("chosen", { ID: id, Tags: tags, Meta: { ver: version } });
  }
  const chosen = async (query: string) => idsOf((await ask(`GET /health/service/chosen?${query}`)).json).join();
  assert.equal(await chosen("tag=X&tag=y"), "a");
  const filters = {
    "Service.Meta.ver == 2": "b",
    'Service.Meta["ver"] != "2"': "a",
    '"y" in Service.Tags and not Service.Port == 81': "a",
    "Service.Tags contains x": "a,b",
    'Checks.Status == "passing" and Node.Node == roster': "a,b",
    "Service.Meta.none is empty": "a,b",
    'Service.ID matches "^[b-z]$"': "b",
  };
  for (const [filter, ids] of Object.entries(filters)) {
    assert.equal(await chosen(`filter=${encodeURIComponent(filter)}`), ids, filter);
  }
  assert.equal(await statusOf(`GET /health/service/chosen?filter=${encodeURIComponent("Service.ID ==")}`), 500);
  assert.equal(await statusOf(`GET /health/service/chosen?filter=${encodeURIComponent("Nothing == 1")}`), 500);
});

test("instances of other protocols are in the catalogue, and those of Consul are seen by them", async () => {
  const { status } = await askEureka(server, "POST /apps/SHARED", eurekaBody("shared"));
  assert.equal(status, 204);
  const client = new TestClient(() => server.ports.bolt ?? 0);
  client.publish("shared", "10.0.0.9:12200?weight=300&color=red");
  client.subscribe("shared");
  const meta = { color: "green", zone: "z1" };
  await register("shared", {
    ID: "own",
    Address: "10.0.0.7",
    Port: 90,
    Meta: meta,
    Weights: { Passing: 2, Warning: 1 },
  });
  const rows = await eventually(
    async () => (await ask("GET /catalog/service/shared")).json,
    ({ length }) => length === 3,
  );
  const addresses = rows.map((row: Record<string, unknown>) => `${row["ServiceAddress"]}:${row["ServicePort"]}`);
  assert.deepEqual(addresses.sort(), ["10.0.0.1:8080", "10.0.0.7:90", "10.0.0.9:12200"]);
  const sofa = rows.find((row: Record<string, unknown>) => row["ServicePort"] === 12_200);
  assert.deepEqual([sofa.ServiceMeta, sofa.ServiceWeights.Passing, sofa.Node], [{ color: "red" }, 3, "10.0.0.9"]);
  const apps = (await askEureka(server, "GET /apps/SHARED")).json.application.instance;
  const own = apps.find(({ ipAddr }: { ipAddr: string }) => ipAddr === "10.0.0.7");
  assert.deepEqual([own.port.$, own.metadata.color, own.status], [90, "green", "UP"]);
  await eventually(
    () => client.lists.get("shared")?.at(-1) ?? [],
    (boxes) => boxes.some((box) => box.startsWith("10.0.0.7:90?weight=200")),
  );
  client.close();
});

test("another node of the cluster is the same agent", async (t) => {
  const cluster = new TestNodes();
  t.after(() => cluster.close());
  const meta = await cluster.start(["meta", "data"], { metaAddresses: [] });
  const metaAddresses = [`127.0.0.1:${meta.ports.node}`];
  const [one, other] = [
    await cluster.start(["session"], { metaAddresses }),
    await cluster.start(["session"], { metaAddresses }),
  ];
  // Until a session has heard of the cluster, it answers that there is no leader.
  const register = () => askConsul(one, "PUT /agent/service/register", { Name: "both", Check: { TTL: "1m" } });
  await eventually(register, ({ status }) => status === 200);
  const seen = () => askConsul(other, "GET /agent/services");
  await eventually(seen, ({ json }) => json?.both !== undefined);
  const pass = () => askConsul(other, "PUT /agent/check/pass/service:both");
  await eventually(pass, ({ status }) => status === 200);
  const passing = () => askConsul(one, "GET /health/service/both?passing");
  await eventually(passing, ({ json }) => json.length === 1);
});

const REFUSALS: readonly [what: string, body: object | string | undefined, status: number, says: RegExp][] = [
  ["PUT /agent/service/register", "{", 400, /decode failed/],
  ["PUT /agent/service/register", "[]", 400, /must be an object/],
  ["PUT /agent/service/register", {}, 400, /Missing service name/],
  ["PUT /agent/service/register", { Name: "x", Port: 70_000 }, 400, /Invalid port/],
  ["PUT /agent/service/register", { Name: "x", Tags: "x" }, 400, /Tags must be a list/],
  ["PUT /agent/service/register", { Name: "x", Check: { HTTP: "nonsense", Interval: "1s" } }, 400, /must be a URL/],
  ["PUT /agent/service/register", { Name: "x", Check: { Args: ["rm"], Interval: "1s" } }, 400, /Scripts are disabled/],
  ["PUT /agent/service/register", { Name: "x", Check: { TTL: "soon" } }, 400, /invalid duration "soon"/],
  ["PUT /agent/check/register", { Name: "c", ServiceID: "nowhere", TTL: "1s" }, 404, /does not exist/],
  ["PUT /agent/check/pass/nowhere", undefined, 404, /Unknown check ID/],
  ["PUT /catalog/register", { Node: "x" }, 500, /Must provide Node and Address/],
  ["PUT /catalog/register", { Node: "x", Address: "1.2.3.4", Datacenter: "dc9" }, 500, /No path to datacenter/],
  ["GET /health/service/x?passing=maybe", undefined, 400, /Invalid value/],
  ["GET /health/service/x?index=soon", undefined, 400, /Invalid index/],
  ["GET /health/service/x?index=1&wait=soon", undefined, 400, /Invalid wait/],
  ["GET /health/service/x?dc=dc9", undefined, 500, /No path to datacenter/],
  ["GET /catalog/services?stale&consistent", undefined, 400, /conflicting/],
  ["GET /acl/tokens", undefined, 401, /ACL support disabled/],
  ["GET /agent/service/nowhere", undefined, 404, /unknown service ID/],
];
for (const [what, body, status, says] of REFUSALS) {
  const sent = typeof body === "object" ? JSON.stringify(body) : (body ?? "");
  test(`${what} ${sent} is refused with ${status}`, async () => {
    const answer = await ask(what, body);
    assert.equal(answer.status, status, answer.text);
    assert.match(answer.text, says);
  });
}

test("a service is put on a node that is not there yet, and two zeros are no weights", async () => {
  const weights = { Passing: 0, Warning: 0 };
  const service = { Service: "early", Address: "10.1.2.4", Port: 80, Weights: weights, Connect: { Native: true } };
  const early = { Node: "later", SkipNodeUpdate: true, Service: service };
  assert.equal((await ask("PUT /catalog/register", early)).text, "true");
  const [row] = (await ask("GET /catalog/service/early")).json;
  assert.deepEqual([row.Node, row.Address, row.ServiceAddress], ["later", "", "10.1.2.4"]);
  assert.deepEqual(row.ServiceWeights, { Passing: 1, Warning: 1 });
  assert.equal((await ask("GET /catalog/connect/early")).json.length, 1);
  const usage = (await ask("GET /operator/usage")).json.Usage.dc1;
  assert.equal(usage.ConnectServiceInstances["connect-native"], 1);
  assert.equal((await ask("PUT /catalog/register", { Node: "later", Address: "10.9.9.8" })).text, "true");
  assert.equal((await ask("GET /catalog/service/early")).json[0].Address, "10.9.9.8");
  const nowhere = { ...early, Node: "never", Service: { Service: "nowhere" } };
  assert.equal(await statusOf("PUT /catalog/register", nowhere), 500);
});

test("a registration that skips the node's update leaves its address, and adds checks to those it has", async () => {
  const node = { Node: "settled", Address: "10.8.0.1", Check: { CheckID: "disk", Name: "disk", Status: "passing" } };
  assert.equal((await ask("PUT /catalog/register", node)).text, "true");
  const check = { CheckID: "load", Name: "load", Status: "passing" };
  const skipping = { Node: "settled", Address: "10.8.0.2", SkipNodeUpdate: true, Check: check };
  assert.equal((await ask("PUT /catalog/register", skipping)).text, "true");
  assert.equal((await ask("GET /catalog/node/settled")).json.Node.Address, "10.8.0.1");
  const checks: { CheckID: string }[] = (await ask("GET /health/node/settled")).json;
  assert.deepEqual(checks.map(({ CheckID }) => CheckID).sort(), ["disk", "load"]);
});

test("a service on the agent's node needs no address in the catalogue", async () => {
  const [{ Node, Address }] = (await ask("GET /catalog/nodes")).json.filter(({ Node: name }: { Node: string }) =>
    name.startsWith("roster"),
  );
  const body = { Node, SkipNodeUpdate: true, Service: { Service: "beside" } };
  assert.equal((await ask("PUT /catalog/register", body)).text, "true");
  assert.equal((await ask("GET /catalog/service/beside")).json[0].Address, Address);
});

test("a duration that is none is named, and another datacenter has no path", async () => {
  await register("timed");
  const check = { Name: "c", ServiceID: "timed", TTL: "15s", DeregisterCriticalServiceAfter: "nope" };
  assert.match((await ask("PUT /agent/check/register", check)).text, /invalid duration "nope"/);
  assert.deepEqual(await checksOf("timed"), {});
  assert.deepEqual(await ask("GET /status/leader?dc=dc2").then(({ status, text }) => [status, text]), [
    500,
    "No path to datacenter",
  ]);
});

test("a method that a path does not have is answered with those that it has", async () => {
  const told = async (what: string) => {
    const { status, text, headers } = await ask(what);
    return [status, text, headers.get("allow")];
  };
  assert.deepEqual(await told("GET /agent/service/deregister/web"), [405, "method GET not allowed", "OPTIONS,PUT"]);
  assert.deepEqual(await told("POST /kv/a/b"), [405, "method POST not allowed", "OPTIONS,GET,PUT,DELETE"]);
  assert.deepEqual(await told("OPTIONS /catalog/services"), [200, "", "OPTIONS,GET"]);
  assert.equal(await statusOf("POST /nowhere"), 404);
});
