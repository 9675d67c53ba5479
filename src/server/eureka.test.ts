// Eureka's paths at a whole node: what its clients rely on.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { gunzipSync } from "node:zlib";
import type { RunningServer } from "./start.ts";
import { askEureka, eurekaBody, eurekaPath } from "./testing/eurekaPort.ts";
import { eventually } from "./testing/eventually.ts";
import { TestClient } from "./testing/testClient.ts";
import { TestNodes } from "./testing/testNodes.ts";

const nodes = new TestNodes();
after(() => nodes.close());

let server: RunningServer;
before(async () => {
  server = await nodes.start(["meta", "data", "session"]);
});

const ask = (what: string, init?: RequestInit) => askEureka(server, what, init);
const statusOf = async (what: string, init?: RequestInit) => (await ask(what, init)).status;

async function registered(app: string, changes?: Record<string, unknown>): Promise<string> {
  assert.equal(await statusOf(`POST /apps/${app.toUpperCase()}`, eurekaBody(app, changes)), 204);
  return eurekaPath(app);
}

/** The instance as it is listed. */
async function listed(app: string) {
  return (await ask(`GET ${eurekaPath(app)}`)).json?.instance;
}

test("an instance is seen by the first question after its registration, and not after its end", async () => {
  assert.equal(await statusOf("GET /apps/FIRST"), 404);
  const path = await registered("first");
  const { json } = await ask("GET /apps/first");
  assert.equal(json.application.instance[0].hostName, "host-1.local");
  assert.equal(await statusOf(`PUT ${path}?status=UP&lastDirtyTimestamp=1000`), 200);
  assert.equal(await statusOf(`DELETE ${path}`), 200);
  assert.equal(await statusOf("GET /apps/FIRST"), 404);
  assert.equal(await statusOf(`PUT ${path}?status=UP`), 404);
  assert.equal(await statusOf(`DELETE ${path}`), 404);
});

test("a heartbeat of an unknown instance is answered without a body, which clients for Java can't read", async () => {
  const { status, text } = await ask("PUT /apps/NOPE/nope?status=UP");
  assert.deepEqual({ status, text }, { status: 404, text: "" });
});

test("each of a hundred registrations is seen by the first question after its answer", async () => {
  for (let at = 0; at < 100; at++) {
    const changes = { instanceId: `many-${at}`, port: { $: at, "@enabled": "true" } };
    assert.equal(await statusOf("POST /apps/MANY", eurekaBody("many", changes)), 204);
    assert.equal((await ask("GET /apps/MANY")).json.application.instance.length, at + 1);
  }
});

test("an instance is registered in XML, and read in both forms", async () => {
  const body = `<?xml version="1.0" encoding="UTF-8"?>
    <instance><instanceId>x:1</instanceId><hostName>h</hostName><app>XMLAPP</app><ipAddr>10.0.0.2</ipAddr>
    <vipAddress>xmlapp</vipAddress><status>UP</status><port enabled="true">8081</port>
    <dataCenterInfo class="com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo"><name>MyOwn</name></dataCenterInfo>
    <metadata><my__key>a &amp; b</my__key></metadata></instance>`;
  const init = { body, headers: { "content-type": "application/xml" } };
  assert.equal(await statusOf("POST /apps/XMLAPP", init), 204);
  const { json } = await ask("GET /apps/XMLAPP/x:1");
  assert.deepEqual(json.instance.metadata, { my_key: "a & b" });
  assert.deepEqual(json.instance.port, { $: 8081, "@enabled": "true" });
  for (const accept of ["application/xml", "*/*", "text/html"]) {
    const { type, text } = await ask("GET /apps/XMLAPP/x:1", { headers: { accept } });
    assert.equal(type, "application/xml");
    assert.match(text, /<my__key>a &amp; b<\/my__key>/);
  }
});

test("paths below /eureka/v2, with a slash at the end, and in any case of the application are the same", async () => {
  await registered("paths");
  const paths = ["/eureka/v2/apps/PATHS", "/eureka/apps/PATHS/", "/eureka/v2/apps/paths/", "/eureka/apps/Paths"];
  for (const path of paths) assert.equal((await ask(`GET ${path}`)).json.application.name, "PATHS", path);
  for (const path of ["/eureka/apps", "/eureka/apps/", "/eureka/v2/apps", "/eureka/v2/apps/delta/"]) {
    assert.ok((await ask(`GET ${path}`)).json.applications.application.length > 0, path);
  }
});

test("all applications and the changes have one hash, and are compressed for those who can read it", async () => {
  const path = await registered("hash", { status: "STARTING" });
  const { json } = await ask("GET /apps");
  assert.match(json.applications.apps__hashcode, /^STARTING_1_UP_\d+_$/);
  const delta = await ask("GET /apps/delta?regions=");
  assert.equal(delta.json.applications.apps__hashcode, json.applications.apps__hashcode);
  const url = `http://127.0.0.1:${server.ports.eureka}/eureka/apps`;
  const plain = await (await fetch(url, { headers: { accept: "application/json" } })).text();
  assert.equal(plain, JSON.stringify((await ask("GET /apps")).json));
  const { request } = await import("node:http");
  const zipped = await new Promise<Buffer>((resolve) => {
    const headers = { accept: "application/json", "accept-encoding": "gzip" };
    request(url, { headers }, async (response) => {
      assert.equal(response.headers["content-encoding"], "gzip");
      resolve(Buffer.concat(await response.toArray()));
    }).end();
  });
  assert.equal(gunzipSync(zipped).toString(), plain);
  await statusOf(`DELETE ${path}`);
});

test("a change and an end are told in the changes", async () => {
  const path = await registered("delta");
  const action = async () => {
    const { json } = await ask("GET /apps/delta");
    const apps: { name: string; instance: { actionType: string }[] }[] = json.applications.application;
    return apps.find(({ name }) => name === "DELTA")?.instance.map(({ actionType }) => actionType);
  };
  assert.deepEqual(await action(), ["ADDED"]);
  assert.equal(await statusOf(`PUT ${path}/status?value=DOWN`), 200);
  assert.deepEqual(await action(), ["MODIFIED"]);
  assert.equal(await statusOf(`DELETE ${path}`), 200);
  assert.deepEqual(await action(), ["DELETED"]);
});

test("the compact form has what a call needs", async () => {
  await registered("compact");
  const { json } = await ask("GET /apps/COMPACT", { headers: { "x-eureka-accept": "compact" } });
  const [instance] = json.application.instance;
  assert.deepEqual([instance.metadata, instance.leaseInfo, instance.port.$], [undefined, undefined, 8080]);
  assert.equal(typeof instance.lastUpdatedTimestamp, "number");
});

test("a status that an operator sets stays through heartbeats and registrations until it is taken back", async () => {
  const path = await registered("override");
  assert.equal(await statusOf(`PUT ${path}/status?value=OUT_OF_SERVICE`), 200);
  assert.deepEqual(Object.entries(await listed("override")).slice(4, 6), [
    ["status", "OUT_OF_SERVICE"],
    ["overriddenStatus", "OUT_OF_SERVICE"],
  ]);
  assert.equal(await statusOf(`PUT ${path}?status=UP&lastDirtyTimestamp=1000`), 200);
  await registered("override", { lastDirtyTimestamp: "2000" });
  assert.equal((await listed("override")).status, "OUT_OF_SERVICE");
  assert.equal(await statusOf(`DELETE ${path}/status?value=UP`), 200);
  const { status, overriddenStatus } = await listed("override");
  assert.deepEqual([status, overriddenStatus], ["UP", "UNKNOWN"]);
  assert.equal(await statusOf(`PUT ${path}/status?value=DOWN`), 200);
  assert.equal(await statusOf(`DELETE ${path}/status`), 200);
  assert.equal((await listed("override")).status, "UNKNOWN");
  assert.equal(await statusOf(`PUT ${path}?status=UP`), 404, "its client has to register again");
  assert.equal(await statusOf("PUT /apps/NOPE/x/status?value=UP"), 404);
  assert.equal(await statusOf("DELETE /apps/NOPE/x/status"), 404);
});

test("a heartbeat with a newer state makes the client register, and another server gets a newer one", async () => {
  const path = await registered("dirty");
  assert.equal(await statusOf(`PUT ${path}?status=UP&lastDirtyTimestamp=1001`), 404);
  assert.equal(await statusOf(`PUT ${path}?status=UP&lastDirtyTimestamp=999`), 200);
  const headers = { "x-netflix-discovery-replication": "true" };
  const conflict = await ask(`PUT ${path}?status=UP&lastDirtyTimestamp=999`, { headers });
  assert.deepEqual([conflict.status, conflict.json.instance.lastDirtyTimestamp], [409, "1000"]);
  await registered("dirty", { lastDirtyTimestamp: "900", metadata: { color: "red" } });
  assert.equal((await listed("dirty")).metadata.color, "blue", "an older state changes nothing");
});

test("metadata is merged", async () => {
  const path = await registered("metadata");
  assert.equal(await statusOf(`PUT ${path}/metadata?color=red&size=9%25`), 200);
  assert.deepEqual((await listed("metadata")).metadata, { color: "red", size: "9%" });
  assert.equal(await statusOf("PUT /apps/NOPE/x/metadata?a=b"), 404);
});

test("instances are found by their ids, and by the names of their virtual hosts", async () => {
  await registered("vips", { vipAddress: "vip-a,vip-b", secureVipAddress: "svip" });
  assert.equal((await ask("GET /instances/10.0.0.1:vips:8080")).json.instance.app, "VIPS");
  assert.equal(await statusOf("GET /instances/nope"), 404);
  for (const path of ["/vips/vip-a", "/vips/vip-b", "/svips/svip"]) {
    const { applications } = (await ask(`GET ${path}`)).json;
    assert.deepEqual([applications.application[0].name, applications.apps__hashcode], ["VIPS", "UP_1_"], path);
  }
  const { status, json } = await ask("GET /vips/nope");
  assert.deepEqual([status, json.applications.application, json.applications.apps__hashcode], [200, [], ""]);
});

test("an instance whose heartbeats stop is gone after its duration; one that is renewed stays", async () => {
  const lease = { leaseInfo: { renewalIntervalInSecs: 1, durationInSecs: 2 } };
  const path = await registered("silent", lease);
  await registered("alive", lease);
  await eventually(
    async () => {
      assert.equal(await statusOf(`PUT ${eurekaPath("alive")}?status=UP`), 200);
      return statusOf("GET /apps/SILENT");
    },
    (status) => status === 404,
  );
  assert.equal(await statusOf("GET /apps/ALIVE"), 200);
  assert.equal(await statusOf(`PUT ${path}?status=UP`), 404);
  await registered("silent", lease);
});

test("SOFARegistry's clients see what Eureka's register, and the other way around", async () => {
  const client = new TestClient(() => server.ports.bolt);
  try {
    client.subscribe("across");
    const path = await registered("across");
    const seen = (text: string) =>
      eventually(
        () => client.list("across"),
        (texts) => texts === text,
      );
    await seen("10.0.0.1:8080?color=blue");
    assert.equal(await statusOf(`PUT ${path}/status?value=OUT_OF_SERVICE`), 200);
    await seen("");
    assert.equal(await statusOf(`DELETE ${path}/status?value=UP`), 200);
    client.publish("across", "10.0.0.7:12200?weight=200&side=sofa");
    await seen("10.0.0.1:8080?color=blue 10.0.0.7:12200?weight=200&side=sofa");
    const { json } = await eventually(
      () => ask("GET /apps/ACROSS"),
      (answer) => answer.json?.application.instance.length === 2,
    );
    const [foreign] = json.application.instance.filter(({ ipAddr }: { ipAddr: string }) => ipAddr === "10.0.0.7");
    assert.deepEqual(
      [foreign.instanceId, foreign.status, foreign.vipAddress, foreign.port.$, foreign.metadata],
      ["10.0.0.7:across:12200", "UP", "across", 12_200, { side: "sofa", weight: "2" }],
    );
    for (const what of ["DELETE", "PUT"] as const) {
      const suffix = what === "PUT" ? "/status?value=DOWN" : "";
      const { status, text } = await ask(`${what} /apps/ACROSS/10.0.0.7:across:12200${suffix}`);
      assert.deepEqual([status, /not registered by a client of Eureka/.test(text)], [400, true]);
    }
  } finally {
    client.close();
  }
});
