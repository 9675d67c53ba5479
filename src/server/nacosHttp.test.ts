// Nacos' paths at a whole node: what clients without gRPC rely on.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { RunningServer } from "./start.ts";
import { eventually } from "./testing/eventually.ts";
import { TestNacosClient } from "./testing/nacosClient.ts";
import { askNacos } from "./testing/nacosPort.ts";
import { TestNodes } from "./testing/testNodes.ts";

const nodes = new TestNodes();
const clients: TestNacosClient[] = [];
after(async () => {
  for (const client of clients) client.close();
  await nodes.close();
});

let server: RunningServer;
before(async () => {
  server = await nodes.start(["meta", "data", "session"], { clientReturnGraceMs: 100 });
  await eventually(
    () => ask("GET /v1/console/health/readiness"),
    ({ status }) => status === 200,
  );
});

const ask = (what: string, form?: string) => askNacos(server, what, form);

const AT = "ip=10.9.0.1&port=80";

async function hostsOf(service: string, more = ""): Promise<{ ip: string; port: number; healthy: boolean }[]> {
  return (await ask(`GET /v1/ns/instance/list?serviceName=${service}${more}`)).json.hosts;
}

test("v1: an instance is registered, listed, shown, changed and taken back", async () => {
  const registered = await ask("POST /v1/ns/instance", `serviceName=v1&${AT}&weight=2&metadata={"a":"b"}`);
  assert.deepEqual([registered.status, registered.text], [200, "ok"]);
  const { json } = await ask("GET /v1/ns/instance/list?serviceName=v1");
  const { lastRefTime, ...list } = json;
  assert.ok(lastRefTime > 1_000_000_000_000);
  const host = {
    instanceId: "10.9.0.1#80#DEFAULT#DEFAULT_GROUP@@v1",
    ip: "10.9.0.1",
    port: 80,
    weight: 2,
    healthy: true,
    enabled: true,
    ephemeral: true,
    clusterName: "DEFAULT",
    serviceName: "DEFAULT_GROUP@@v1",
    metadata: { a: "b" },
    instanceHeartBeatInterval: 5_000,
    instanceHeartBeatTimeOut: 15_000,
    ipDeleteTimeout: 30_000,
  };
  const rest = { cacheMillis: 10_000, checksum: "", allIps: false, reachProtectionThreshold: false, valid: true };
  const names = { name: "DEFAULT_GROUP@@v1", groupName: "DEFAULT_GROUP", clusters: "" };
  assert.deepEqual(list, { ...names, hosts: [host], ...rest });
  assert.deepEqual((await ask(`GET /v1/ns/instance?serviceName=v1&${AT}`)).json, {
    service: "DEFAULT_GROUP@@v1",
    ip: "10.9.0.1",
    port: 80,
    clusterName: "DEFAULT",
    weight: 2,
    healthy: true,
    instanceId: "10.9.0.1#80#DEFAULT#DEFAULT_GROUP@@v1",
    metadata: { a: "b" },
  });
  assert.equal((await ask("PUT /v1/ns/instance", `serviceName=v1&${AT}&weight=5`)).text, "ok");
  const [changed] = (await ask("GET /v1/ns/instance/list?serviceName=v1")).json.hosts;
  assert.deepEqual([changed.weight, changed.metadata], [5, { a: "b" }]);
  for (let times = 0; times < 2; times++) {
    assert.equal((await ask(`DELETE /v1/ns/instance?serviceName=v1&${AT}`)).text, "ok");
  }
  assert.deepEqual(await hostsOf("v1"), []);
  assert.equal((await ask(`GET /v1/ns/instance?serviceName=v1&${AT}`)).status, 404);
});

test("a heartbeat is answered with its code, and a whole one registers", async () => {
  const beat = (form: string) => ask("PUT /v1/ns/instance/beat", form);
  const unknown = await beat(`serviceName=DEFAULT_GROUP@@beats&${AT}&namespaceId=public`);
  assert.deepEqual(unknown.json, { clientBeatInterval: 5_000, code: 20_404, lightBeatEnabled: true });
  const body = { ip: "10.9.0.1", port: 80, cluster: "DEFAULT", serviceName: "DEFAULT_GROUP@@beats", weight: 1 };
  const whole = await beat(`serviceName=DEFAULT_GROUP@@beats&beat=${encodeURIComponent(JSON.stringify(body))}`);
  assert.equal(whole.json.code, 10_200);
  assert.equal((await hostsOf("beats")).length, 1);
  assert.equal((await beat(`serviceName=DEFAULT_GROUP@@beats&${AT}`)).json.code, 10_200);
  const asText = encodeURIComponent(JSON.stringify({ ...body, port: "80", weight: "1.0" }));
  assert.equal((await beat(`serviceName=DEFAULT_GROUP@@beats&beat=${asText}`)).json.code, 10_200);
});

test("a heartbeat is for the address, whatever cluster it names", async () => {
  await ask("POST /v1/ns/instance", `serviceName=clusters&${AT}&clusterName=None`);
  const body = { ip: "10.9.0.1", port: 80, serviceName: "DEFAULT_GROUP@@clusters" };
  const beat = await ask(
    "PUT /v1/ns/instance/beat",
    `serviceName=clusters&beat=${encodeURIComponent(JSON.stringify(body))}`,
  );
  assert.equal(beat.json.code, 10_200);
  assert.equal((await hostsOf("clusters")).length, 1);
  await ask(`DELETE /v1/ns/instance?serviceName=clusters&${AT}`);
  assert.deepEqual(await hostsOf("clusters"), []);
});

test("an instance without heartbeats is unhealthy, and then gone, in the times that its metadata says", async () => {
  const metadata = { "preserved.heart.beat.timeout": "1000", "preserved.ip.delete.timeout": "2500" };
  const form = `serviceName=silent&${AT}&metadata=${encodeURIComponent(JSON.stringify(metadata))}`;
  await ask("POST /v1/ns/instance", form);
  const healthy = async () => (await hostsOf("silent")).map((host) => host.healthy).join();
  assert.equal(await healthy(), "true");
  await eventually(healthy, (seen) => seen === "false");
  assert.deepEqual(await hostsOf("silent", "&healthyOnly=true"), []);
  await ask("PUT /v1/ns/instance/beat", `serviceName=silent&${AT}`);
  await eventually(healthy, (seen) => seen === "true");
  await eventually(healthy, (seen) => seen === "");
});

test("v2 has an envelope around the same", async () => {
  const ok = { code: 0, message: "success", data: "ok" };
  assert.deepEqual((await ask("POST /v2/ns/instance", `serviceName=v2&${AT}`)).json, ok);
  const { json } = await ask("GET /v2/ns/instance/list?serviceName=v2");
  assert.deepEqual([json.code, json.message, json.data.hosts.length], [0, "success", 1]);
  const shown = (await ask(`GET /v2/ns/instance?serviceName=v2&${AT}`)).json.data;
  assert.deepEqual([shown.serviceName, shown.ip, shown.healthy], ["DEFAULT_GROUP@@v2", "10.9.0.1", true]);
  assert.deepEqual((await ask(`DELETE /v2/ns/instance?serviceName=v2&${AT}`)).json, ok);
  const missing = await ask(`GET /v2/ns/instance?serviceName=v2&${AT}`);
  assert.deepEqual([missing.status, missing.json.code], [404, 21_003]);
});

test("v3: a client registers, sends heartbeats and lists by paths of its own", async () => {
  const ok = { code: 0, message: "success", data: "ok" };
  assert.deepEqual((await ask("POST /v3/client/ns/instance", `serviceName=v3&${AT}&heartBeat=true`)).json, ok);
  assert.deepEqual((await ask("POST /v3/client/ns/instance", `serviceName=v3&${AT}`)).json, ok);
  const { json } = await ask("GET /v3/client/ns/instance/list?serviceName=v3");
  assert.deepEqual([json.code, json.data.length, json.data[0].ip], [0, 1, "10.9.0.1"]);
  assert.deepEqual((await ask(`DELETE /v3/client/ns/instance?serviceName=v3&${AT}`)).json, ok);
});

test("a service is made, shown, listed, changed and removed, but not while it has instances", async () => {
  const made = await ask("POST /v1/ns/service", "serviceName=made&protectThreshold=0.5&metadata=k=v");
  assert.deepEqual([made.status, made.text], [200, "ok"]);
  const again = await ask("POST /v2/ns/service", "serviceName=made");
  assert.deepEqual([again.status, again.json.code], [400, 21_007]);
  assert.deepEqual((await ask("GET /v1/ns/service?serviceName=made")).json, {
    namespaceId: "public",
    groupName: "DEFAULT_GROUP",
    name: "made",
    protectThreshold: 0.5,
    metadata: { k: "v" },
    selector: { type: "none", contextType: "NONE" },
    clusters: [],
  });
  assert.ok((await ask("GET /v1/ns/service/list?pageNo=1&pageSize=100")).json.doms.includes("made"));
  assert.equal((await ask("PUT /v1/ns/service", "serviceName=made&protectThreshold=0.2")).text, "ok");
  const { data } = (await ask("GET /v2/ns/service?serviceName=made")).json;
  assert.deepEqual([data.serviceName, data.protectThreshold, data.metadata], ["made", 0.2, { k: "v" }]);
  await ask("POST /v1/ns/instance", `serviceName=made&${AT}`);
  assert.equal((await ask("DELETE /v1/ns/service?serviceName=made")).status, 400);
  await ask(`DELETE /v1/ns/instance?serviceName=made&${AT}`);
  assert.equal((await ask("DELETE /v1/ns/service?serviceName=made")).text, "ok");
  for (const what of ["GET /v2/ns/service?serviceName=made", "DELETE /v2/ns/service?serviceName=made"]) {
    const { status, json } = await ask(what);
    assert.deepEqual([status, json.code], [404, 21_008], what);
  }
  assert.equal((await ask("PUT /v1/ns/service", "serviceName=made")).status, 404);
  assert.equal((await ask("POST /v1/ns/service", "serviceName=made&protectThreshold=2")).status, 400);
});

test("with few healthy instances, those of a service with a threshold are all shown as healthy", async () => {
  await ask("POST /v1/ns/service", "serviceName=threshold&protectThreshold=0.5");
  await ask("POST /v1/ns/instance", "serviceName=threshold&ip=10.9.0.1&port=80&healthy=false");
  await ask("POST /v1/ns/instance", "serviceName=threshold&ip=10.9.0.2&port=80");
  const { json } = await ask("GET /v1/ns/instance/list?serviceName=threshold");
  assert.equal(json.reachProtectionThreshold, true);
  assert.deepEqual(
    json.hosts.map(({ healthy }: { healthy: boolean }) => healthy),
    [true, true],
  );
});

test("what an operator sets of a connected client's instance wins, also when the client registers again", async () => {
  const client = await TestNacosClient.connect(server);
  clients.push(client);
  const service = { namespace: "", groupName: "", serviceName: "operated" };
  const instance = { ip: "10.9.0.1", port: 80, weight: 1, metadata: { a: "b" } };
  const register = () => client.ask("InstanceRequest", { ...service, type: "registerInstance", instance });
  await register();
  assert.equal((await ask("PUT /v1/ns/instance", `serviceName=operated&${AT}&weight=7`)).text, "ok");
  const weights = async () => (await ask("GET /v1/ns/instance/list?serviceName=operated")).json.hosts;
  await eventually(weights, ([host]) => host?.weight === 7);
  await register();
  const [host, ...others] = await weights();
  assert.deepEqual([host.weight, host.metadata, others], [7, { a: "b" }, []]);
  await ask("PUT /v1/ns/instance", `serviceName=operated&${AT}&enabled=false`);
  await eventually(weights, (hosts) => hosts.length === 0);
  await client.ask("InstanceRequest", { ...service, type: "deregisterInstance", instance });
  await register();
  assert.deepEqual(await weights(), []);
});

test("services are listed in pages", async () => {
  for (const name of ["b", "a"]) await ask("POST /v1/ns/instance", `namespaceId=list&serviceName=${name}&${AT}`);
  const v1 = await ask("GET /v1/ns/service/list?pageNo=1&pageSize=1&namespaceId=list");
  assert.deepEqual(v1.json, { count: 2, doms: ["a"] });
  const v2 = await ask("GET /v2/ns/service/list?pageNo=2&pageSize=1&namespaceId=list");
  assert.deepEqual(v2.json.data, { count: 2, services: ["b"] });
});

test("the server says that it is up", async () => {
  assert.deepEqual((await ask("GET /v1/ns/operator/metrics")).json, { status: "UP" });
  assert.deepEqual((await ask("GET /v2/ns/operator/metrics")).json.data, { status: "UP" });
  assert.match((await ask("GET /serverlist")).text, /^127\.0\.0\.1:\d+\n$/);
});

test("an instance by HTTP and one by gRPC are seen by both, and one address is shown once", async () => {
  const client = await TestNacosClient.connect(server);
  clients.push(client);
  const service = { namespace: "public", groupName: "DEFAULT_GROUP", serviceName: "both" };
  const instance = { ip: "10.9.0.1", port: 80, weight: 1, healthy: true, enabled: true, ephemeral: true, metadata: {} };
  const asked = { ...service, type: "registerInstance", instance };
  assert.equal((await client.ask("InstanceRequest", asked)).body.resultCode, 200);
  assert.equal((await ask("POST /v1/ns/instance", `serviceName=both&${AT}`)).text, "ok");
  assert.equal((await ask("PUT /v1/ns/instance/beat", `serviceName=both&${AT}`)).json.code, 10_200);
  assert.equal((await hostsOf("both")).length, 1);
  assert.equal((await client.ask("InstanceRequest", { ...asked, type: "deregisterInstance" })).body.resultCode, 200);
  assert.equal((await hostsOf("both")).length, 1);
  await ask(`DELETE /v1/ns/instance?serviceName=both&${AT}`);
  assert.equal((await hostsOf("both")).length, 0);
});

const REFUSED: readonly (readonly [what: string, form: string, status: number, text: RegExp])[] = [
  ["POST /v1/ns/instance", AT, 400, /serviceName/],
  ["POST /v1/ns/instance", "serviceName=x&port=80", 400, /field=ip/],
  ["POST /v1/ns/instance", "serviceName=x&ip=10.0.0.1", 400, /field=port/],
  ["POST /v1/ns/instance", "serviceName=x&ip=10.0.0.1&port=65536", 400, /port/],
  ["POST /v1/ns/instance", "serviceName=x&ip=10.0.0.1&port=8.5", 400, /whole/],
  ["POST /v1/ns/instance", "serviceName=x&ip=10 0&port=80", 400, /field=ip/],
  ["POST /v1/ns/instance", `serviceName=a b&${AT}`, 400, /serviceName/],
  ["POST /v1/ns/instance", `serviceName=名字&${AT}`, 400, /serviceName/],
  ["POST /v1/ns/instance", `serviceName=x&groupName=a/b&${AT}`, 400, /groupName/],
  ["POST /v1/ns/instance", `serviceName=x&namespaceId=a.b&${AT}`, 400, /namespaceId/],
  ["POST /v1/ns/instance", `serviceName=x&clusterName=a,b&${AT}`, 400, /clusterName/],
  ["POST /v1/ns/instance", `serviceName=x&${AT}&weight=-1`, 400, /weight/],
  ["POST /v1/ns/instance", `serviceName=x&${AT}&weight=much`, 400, /weight/],
  ["POST /v1/ns/instance", `serviceName=x&${AT}&enabled=perhaps`, 400, /enabled/],
  ["POST /v1/ns/instance", `serviceName=x&${AT}&metadata={"a":`, 400, /metadata/],
  ["POST /v1/ns/instance", `serviceName=x&${AT}&metadata={"a":{}}`, 400, /metadata/],
  ["POST /v1/ns/instance", `serviceName=x&${AT}&metadata=a`, 400, /metadata/],
  ["POST /v1/ns/instance", `serviceName=%E0%A4%A&${AT}`, 400, /escapes/],
  ["PUT /v1/ns/instance/beat", "serviceName=x&beat=[]", 400, /beat/],
  ["PUT /v1/ns/instance/beat", 'serviceName=x&beat={"ip":5}', 400, /beat/],
  ["PUT /v1/ns/instance/beat", "serviceName=x", 400, /ip/],
  ["PUT /v1/ns/instance", `serviceName=nothing&${AT}&weight=2`, 404, /no instance/],
  ["PUT /v1/ns/health/instance", `serviceName=x&${AT}`, 400, /healthy/],
  ["POST /v3/client/ns/instance", `heartBeat=true&serviceName=nothing&${AT}&weight=much`, 400, /weight/],
  ["POST /v1/ns/nothing", "", 404, /no route/],
];

for (const [what, form, status, text] of REFUSED) {
  test(`${what} with ${JSON.stringify(form)} is refused in words`, async () => {
    const answer = await ask(what, form);
    assert.deepEqual([answer.status, text.test(answer.text)], [status, true], answer.text);
  });
}

test("v2 refuses in its envelope", async () => {
  const missing = await ask("POST /v2/ns/instance", AT);
  assert.deepEqual([missing.status, missing.json.code, missing.json.message], [400, 10_000, "parameter missing"]);
  const invalid = await ask("POST /v2/ns/instance", `serviceName=x&${AT}&weight=-1`);
  assert.deepEqual([invalid.status, invalid.json.code], [400, 20_002]);
});

test("names that mean something to JavaScript are names of metadata like any other", async () => {
  const form = `serviceName=proto&${AT}&metadata=${encodeURIComponent('{"__proto__":"p","constructor":"c"}')}`;
  assert.equal((await ask("POST /v1/ns/instance", form)).text, "ok");
  const { text } = await ask("GET /v1/ns/instance/list?serviceName=proto");
  assert.match(text, /"metadata":\{"__proto__":"p","constructor":"c"\}/);
});
