// Nacos' paths of clients at a whole node: who registers and subscribes what.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { RunningServer } from "./start.ts";
import { eventually } from "./testing/eventually.ts";
import { TestNacosClient } from "./testing/nacosClient.ts";
import { askNacos } from "./testing/nacosPort.ts";
import { TestNodes } from "./testing/testNodes.ts";

const nodes = new TestNodes();
let server: RunningServer;
let client: TestNacosClient;
before(async () => {
  server = await nodes.start(["meta", "data", "session"]);
  await eventually(
    () => askNacos(server, "GET /v1/console/health/readiness"),
    ({ status }) => status === 200,
  );
  client = await TestNacosClient.connect(server, { labels: { AppName: "shop" } });
  const ORDERS = { namespace: "", groupName: "", serviceName: "orders" };
  const instance = { ip: "10.9.0.1", port: 80, metadata: {} };
  await client.ask("InstanceRequest", { ...ORDERS, type: "registerInstance", instance });
  for (const clusters of ["", "a"]) {
    await client.ask("SubscribeServiceRequest", { ...ORDERS, subscribe: true, clusters });
  }
});
after(async () => {
  client.close();
  await nodes.close();
});

const read = async (path: string) => (await askNacos(server, `GET /v2/ns/client${path}`)).json.data;

async function ownId(): Promise<string> {
  const [id] = await read("/list");
  return id;
}

test("a client is shown with its version and application", async () => {
  const id = await ownId();
  const { lastUpdatedTime, clientPort, ...rest } = await read(`?clientId=${id}`);
  assert.ok(lastUpdatedTime > 1_000_000_000_000);
  assert.match(clientPort, /^\d+$/);
  assert.deepEqual(rest, {
    ...{ clientId: id, ephemeral: true, clientType: "connection", connectType: "GRPC" },
    ...{ appName: "shop", version: "Nacos-Java-Client:v3.1.1", clientIp: "127.0.0.1" },
  });
});

test("the services that a client has registered and subscribed are listed", async () => {
  const id = await ownId();
  const names = { namespace: "public", group: "DEFAULT_GROUP", serviceName: "orders" };
  const registeredInstance = { ip: "10.9.0.1", port: 80, cluster: "DEFAULT" };
  assert.deepEqual(await read(`/publish/list?clientId=${id}`), [{ ...names, registeredInstance }]);
  const subscriberInfo = { app: "shop", agent: "Nacos-Java-Client:v3.1.1", addr: "127.0.0.1" };
  assert.deepEqual(await read(`/subscribe/list?clientId=${id}`), [{ ...names, subscriberInfo }]);
});

test("the clients of a service are listed: connected, by heartbeats, by UDP, and persistent ones", async () => {
  const clientId = await ownId();
  await askNacos(server, "POST /v1/ns/instance", { serviceName: "orders", ip: "10.9.0.2", port: "81" });
  const publishers = (more = "") => read(`/service/publisher/list?serviceName=orders${more}`);
  const connected = { clientId, ip: "10.9.0.1", port: 80 };
  const byHttp = { clientId: "10.9.0.2:81#true", ip: "10.9.0.2", port: 81 };
  assert.deepEqual(await publishers(), [connected, byHttp]);
  assert.deepEqual(await publishers("&ip=10.9.0.2&port=81"), [byHttp]);
  assert.deepEqual(await publishers("&ephemeral=false"), []);

  const stays = { serviceName: "stays", ip: "10.9.0.3", port: "82", ephemeral: "false" };
  await askNacos(server, "POST /v1/ns/instance", stays);
  await eventually(
    () => read("/service/publisher/list?serviceName=stays&ephemeral=false"),
    ([one]) => one?.clientId === "10.9.0.3:82#false",
  );

  await askNacos(server, "GET /v1/ns/instance/list?serviceName=orders&udpPort=50123");
  const subscribers = (more = "") => read(`/service/subscriber/list?serviceName=orders${more}`);
  const both = [
    { clientId, ip: "127.0.0.1", port: 0 },
    { clientId: "127.0.0.1:50123#true", ip: "127.0.0.1", port: 50_123 },
  ];
  await eventually(subscribers, ({ length }) => length === 2);
  assert.deepEqual(await subscribers(), both);
  assert.deepEqual(await subscribers("&port=50123"), both.slice(1));
  assert.deepEqual(await read("/service/subscriber/list?serviceName=other"), []);
});

test("a client that is not there, and requests without what they need, are refused", async () => {
  for (const path of ["", "/publish/list", "/subscribe/list"]) {
    const unknown = await askNacos(server, `GET /v2/ns/client${path}?clientId=1_a_2`);
    assert.deepEqual([unknown.status, unknown.json.code], [404, 20_004]);
    const missing = await askNacos(server, `GET /v2/ns/client${path}`);
    assert.deepEqual([missing.status, missing.json.code], [400, 10_000]);
  }
  for (const role of ["publisher", "subscriber"]) {
    const path = `GET /v2/ns/client/service/${role}/list`;
    assert.equal((await askNacos(server, path)).status, 400);
    assert.equal((await askNacos(server, `${path}?serviceName=orders&port=x`)).status, 400);
  }
});
