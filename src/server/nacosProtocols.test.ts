// One registry, several protocols: what a client of Nacos registers is seen by those of the others, and the other way
// around, with health, weight and metadata.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { RunningServer } from "./start.ts";
import { askEureka, eurekaBody, eurekaPath } from "./testing/eurekaPort.ts";
import { eventually } from "./testing/eventually.ts";
import { TestNacosClient } from "./testing/nacosClient.ts";
import { TestClient } from "./testing/testClient.ts";
import { TestNodes } from "./testing/testNodes.ts";

const nodes = new TestNodes();
let nacos: TestNacosClient;
let server: RunningServer;
before(async () => {
  server = await nodes.start(["meta", "data", "session"]);
  nacos = await TestNacosClient.connect(server);
});
after(async () => {
  nacos.close();
  await nodes.close();
});

const named = (serviceName: string) => ({ namespace: "", groupName: "", serviceName });

async function subscribe(name: string): Promise<void> {
  await nacos.ask("SubscribeServiceRequest", { ...named(name), subscribe: true, clusters: "" });
}

/** Waits until the last list of a service that was pushed is as expected. */
async function shown(name: string, isExpected: (hosts: Record<string, unknown>[]) => boolean) {
  const list = await eventually(
    () => nacos.lists(name).at(-1)?.hosts ?? [],
    (hosts: Record<string, unknown>[]) => isExpected(hosts),
  );
  return list;
}

async function register(name: string, changes: object = {}): Promise<void> {
  const instance = { ip: "10.0.0.9", port: 80, weight: 2, healthy: true, enabled: true, ephemeral: true, ...changes };
  const asked = { ...named(name), type: "registerInstance", instance };
  assert.equal((await nacos.ask("InstanceRequest", asked)).body.resultCode, 200);
}

test("Nacos' clients are pushed instances of Eureka, as they come, change and go", async () => {
  await subscribe("of-eureka");
  const body = eurekaBody("of-eureka", { metadata: { color: "blue", weight: "3", zone: "z1" } });
  assert.equal((await askEureka(server, "POST /apps/OF-EUREKA", body)).status, 204);
  const [host] = await shown("of-eureka", (hosts) => hosts.length === 1);
  assert.deepEqual(
    [host?.["ip"], host?.["port"], host?.["weight"], host?.["healthy"], host?.["clusterName"]],
    ["10.0.0.1", 8080, 3, true, "z1"],
  );
  assert.deepEqual(host?.["metadata"], { color: "blue", weight: "3", zone: "z1" });
  await askEureka(server, `PUT ${eurekaPath("of-eureka")}/status?value=DOWN`);
  await shown("of-eureka", ([one]) => one?.["healthy"] === false);
  await askEureka(server, `PUT ${eurekaPath("of-eureka")}/status?value=OUT_OF_SERVICE`);
  await shown("of-eureka", (hosts) => hosts.length === 0);
  await askEureka(server, `PUT ${eurekaPath("of-eureka")}/status?value=UP`);
  await shown("of-eureka", (hosts) => hosts.length === 1);
  await askEureka(server, `DELETE ${eurekaPath("of-eureka")}`);
  await shown("of-eureka", (hosts) => hosts.length === 0);
});

test("Eureka's clients see instances of Nacos, with health, weight and metadata", async () => {
  const listed = async () => (await askEureka(server, "GET /apps/OF-NACOS")).json?.application.instance[0];
  await register("of-nacos", { metadata: { color: "red" }, clusterName: "c1" });
  const found = await eventually(listed, (one) => one !== undefined);
  assert.deepEqual([found.ipAddr, found.port.$, found.status], ["10.0.0.9", 80, "UP"]);
  assert.deepEqual(found.metadata, { color: "red", weight: "2", zone: "c1" });
  await register("of-nacos", { healthy: false });
  await eventually(listed, (one) => one?.status === "DOWN");
  await register("of-nacos", { enabled: false });
  await eventually(listed, (one) => one?.status === "OUT_OF_SERVICE");
  await nacos.ask("InstanceRequest", { ...named("of-nacos"), type: "deregisterInstance", instance: {} });
  await eventually(listed, (one) => one === undefined);
});

test("SOFARegistry's clients and those of Nacos see each other", async (t) => {
  const sofa = new TestClient(() => server.ports.bolt);
  t.after(() => sofa.close());
  await subscribe("of-sofa");
  sofa.publish("of-sofa", "10.0.0.7:12200?weight=200&app=shop");
  const [host] = await shown("of-sofa", (hosts) => hosts.length === 1);
  assert.deepEqual([host?.["ip"], host?.["port"], host?.["weight"]], ["10.0.0.7", 12_200, 2]);
  sofa.subscribe("for-sofa");
  await register("for-sofa", { metadata: { color: "red" } });
  await eventually(
    () => sofa.list("for-sofa"),
    (boxes) => boxes === "10.0.0.9:80?weight=200&color=red",
  );
});
