// Nacos' clients by gRPC at a whole node: what they rely on.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { RunningServer } from "./start.ts";
import { eventually } from "./testing/eventually.ts";
import { TestNacosClient } from "./testing/nacosClient.ts";
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
});

async function connected(setup: object = {}): Promise<TestNacosClient> {
  const client = await TestNacosClient.connect(server, setup);
  clients.push(client);
  return client;
}

const service = (serviceName: string) => ({ namespace: "public", groupName: "G", serviceName });

const instance = (port: number, changes: object = {}) => ({
  ip: "10.0.0.1",
  port,
  weight: 1,
  healthy: true,
  enabled: true,
  ephemeral: true,
  metadata: { k: "v" },
  ...changes,
});

async function register(client: TestNacosClient, name: string, registered: object): Promise<void> {
  const asked = { ...service(name), type: "registerInstance", instance: registered };
  const { type, body } = await client.ask("InstanceRequest", asked);
  assert.deepEqual([type, body.resultCode, body.type], ["InstanceResponse", 200, "registerInstance"]);
}

async function deregister(client: TestNacosClient, name: string, registered: object): Promise<void> {
  const asked = { ...service(name), type: "deregisterInstance", instance: registered };
  assert.equal((await client.ask("InstanceRequest", asked)).body.type, "deregisterInstance");
}

async function subscribe(client: TestNacosClient, name: string, clusters = "") {
  const asked = { ...service(name), subscribe: true, clusters };
  return (await client.ask("SubscribeServiceRequest", asked)).body.serviceInfo;
}

const portsOf = (info: { hosts: readonly { port: number }[] } | undefined) => info?.hosts.map(({ port }) => port);

/** Waits until the last list that was pushed has these ports. */
async function isShown(client: TestNacosClient, name: string, ports: readonly number[]): Promise<void> {
  const last = () => [...(portsOf(client.lists(name).at(-1)) ?? [-1])].sort((a, b) => a - b);
  await eventually(last, (seen) => seen.join() === [...ports].join());
}

test("a connection is set up in the order of the real server", async () => {
  const client = new TestNacosClient(server.ports.nacosGrpc);
  clients.push(client);
  // Until the server serves, a client is told to try another one.
  const { body } = await eventually(
    () => client.ask("ServerCheckRequest"),
    ({ type }) => type === "ServerCheckResponse",
  );
  assert.match(body.connectionId, /^\d{13}_127\.0\.0\.1_\d+$/);
  assert.equal(body.supportAbilityNegotiation, true);
  const early = await client.ask("HealthCheckRequest");
  assert.deepEqual([early.type, early.body.errorCode, early.body.resultCode], ["ErrorResponse", 301, 500]);
  client.setUp();
  const [ack] = await eventually(
    () => client.pushed,
    (pushed) => pushed.length > 0,
  );
  assert.equal(ack?.type, "SetupAckRequest");
  assert.equal((await client.ask("HealthCheckRequest")).type, "HealthCheckResponse");
});

test("a subscriber is answered with the list, and pushed each change, to the empty list", async () => {
  const [provider, consumer] = [await connected(), await connected()];
  const empty = await subscribe(consumer, "first");
  assert.deepEqual([empty.name, empty.groupName, empty.hosts], ["first", "G", []]);
  await register(provider, "first", instance(80));
  await isShown(consumer, "first", [80]);
  const info = consumer.lists("first").at(-1);
  assert.deepEqual(info.hosts[0], {
    instanceId: "10.0.0.1#80#DEFAULT#G@@first",
    ip: "10.0.0.1",
    port: 80,
    weight: 1,
    healthy: true,
    enabled: true,
    ephemeral: true,
    clusterName: "DEFAULT",
    serviceName: "G@@first",
    metadata: { k: "v" },
    instanceHeartBeatInterval: 5_000,
    instanceHeartBeatTimeOut: 15_000,
    ipDeleteTimeout: 30_000,
  });
  assert.ok(info.lastRefTime >= empty.lastRefTime);
  await deregister(provider, "first", instance(80));
  await isShown(consumer, "first", []);
});

test("a subscriber is answered with the list, and is pushed it as well: some clients look at one only", async () => {
  const [provider, consumer] = [await connected(), await connected()];
  await register(provider, "answered", instance(80));
  assert.deepEqual(portsOf(await subscribe(consumer, "answered")), [80]);
  await isShown(consumer, "answered", [80]);
});

test("the next registration of a connection for a service replaces the one before, and so does a batch", async () => {
  const [provider, consumer] = [await connected(), await connected()];
  await subscribe(consumer, "replaced");
  await register(provider, "replaced", instance(80));
  await register(provider, "replaced", instance(81));
  await isShown(consumer, "replaced", [81]);
  const batch = async (...ports: readonly number[]) => {
    const instances = ports.map((port) => instance(port));
    const asked = { ...service("replaced"), type: "batchRegisterInstance", instances };
    assert.equal((await provider.ask("BatchInstanceRequest", asked)).body.resultCode, 200);
    await isShown(consumer, "replaced", ports);
  };
  await batch(81, 82, 83);
  await batch(82, 84);
  await batch();
});

test("an address of two connections is shown once, until both are gone", async () => {
  const [one, other, consumer] = [await connected(), await connected(), await connected()];
  await subscribe(consumer, "twice");
  await register(one, "twice", instance(80));
  await register(other, "twice", instance(80));
  await isShown(consumer, "twice", [80]);
  one.close();
  const gone = () =>
    server.page.render("").then((page) => page?.body.includes('roster_client_connections{protocol="nacos"}'));
  await eventually(gone, Boolean);
  await register(consumer, "twice-other", instance(1));
  assert.deepEqual(portsOf(await subscribe(await connected(), "twice")), [80]);
  await deregister(other, "twice", instance(80));
  await isShown(consumer, "twice", []);
});

test("a client that is killed is gone after the grace, and one that comes back at once was never away", async () => {
  const [provider, consumer] = [await connected(), await connected()];
  await subscribe(consumer, "back");
  await register(provider, "back", instance(80));
  await isShown(consumer, "back", [80]);
  const pushes = consumer.lists("back").length;
  provider.close();
  const again = await connected();
  await register(again, "back", instance(80));
  assert.equal(consumer.lists("back").length, pushes);
  again.close();
  await isShown(consumer, "back", []);
});

test("a client that ends its stream is gone, though its connection stands", async () => {
  const [provider, consumer] = [await connected(), await connected()];
  await subscribe(consumer, "ended");
  await register(provider, "ended", instance(80));
  await isShown(consumer, "ended", [80]);
  provider.stream.end();
  await isShown(consumer, "ended", []);
});

test("clusters, health, weight and enabled are as the client says", async () => {
  const [a, b, consumer, ofA] = [await connected(), await connected(), await connected(), await connected()];
  await register(a, "said", instance(80, { clusterName: "a", weight: 0, healthy: false }));
  await register(b, "said", instance(81, { clusterName: "b", enabled: false }));
  const query = async (fields: object) => {
    const { body } = await consumer.ask("ServiceQueryRequest", { ...service("said"), ...fields });
    return body.serviceInfo;
  };
  const info = await query({ cluster: "" });
  assert.deepEqual(portsOf(info), [80]);
  assert.deepEqual([info.hosts[0].healthy, info.hosts[0].weight, info.hosts[0].clusterName], [false, 0, "a"]);
  assert.deepEqual(portsOf(await query({ healthyOnly: true })), []);
  assert.deepEqual(portsOf(await query({ cluster: "b,c" })), []);
  assert.deepEqual(portsOf(await subscribe(ofA, "said", "a")), [80]);
  await register(b, "said", instance(81, { clusterName: "b" }));
  await register(a, "said", instance(82, { clusterName: "a" }));
  await isShown(ofA, "said", [82]);
  assert.equal(ofA.lists("said").at(-1).clusters, "a");
});

test("services are listed by namespace and group, in pages", async () => {
  const client = await connected();
  for (const name of ["page-b", "page-a", "page-c"]) {
    const asked = { namespace: "pages", groupName: "P", serviceName: name, type: "registerInstance" };
    await client.ask("InstanceRequest", { ...asked, instance: instance(80) });
  }
  const list = async (fields: object) => {
    const { body } = await client.ask("ServiceListRequest", { namespace: "pages", groupName: "P", ...fields });
    return [body.count, body.serviceNames];
  };
  assert.deepEqual(await list({ pageNo: 1, pageSize: 2 }), [3, ["page-a", "page-b"]]);
  assert.deepEqual(await list({ pageNo: 2, pageSize: 2 }), [3, ["page-c"]]);
  assert.deepEqual(await list({ namespace: "", pageNo: 1, pageSize: 2 }), [0, []]);
});

test("a fuzzy watch tells the services of a pattern, and each one that comes or goes", async () => {
  const [provider, watcher] = [await connected(), await connected()];
  await register(provider, "fuzzy-a", instance(80));
  await register(provider, "other", instance(80));
  const watch = { namespace: "public", groupKeyPattern: "public>>G>>fuzzy-*", receivedGroupKeys: [] };
  const asked = { ...watch, watchType: "WATCH", initializing: true };
  const { type, body } = await watcher.ask("NamingFuzzyWatchRequest", asked);
  assert.deepEqual([type, body.resultCode], ["NamingFuzzyWatchResponse", 200]);
  const told = (kind: string) =>
    watcher.pushed.filter((message) => message.type === kind).map((message) => message.body);
  const syncs = await eventually(
    () => told("NamingFuzzyWatchSyncRequest"),
    (all) => all.length === 2,
  );
  assert.deepEqual(
    syncs.map(({ syncType, contexts }) => [syncType, contexts]),
    [
      ["FUZZY_WATCH_INIT_NOTIFY", [{ serviceKey: "public@@G@@fuzzy-a", changedType: "ADD_SERVICE" }]],
      ["FINISH_FUZZY_WATCH_INIT_NOTIFY", []],
    ],
  );
  await register(provider, "fuzzy-b", instance(80));
  await deregister(provider, "fuzzy-a", instance(80));
  const changes = await eventually(
    () => told("NamingFuzzyWatchChangeNotifyRequest"),
    (all) => all.length === 2,
  );
  assert.deepEqual(
    changes.map(({ serviceKey, changedType }) => [serviceKey, changedType]),
    [
      ["public@@G@@fuzzy-b", "ADD_SERVICE"],
      ["public@@G@@fuzzy-a", "DELETE_SERVICE"],
    ],
  );
  const wrong = { ...asked, groupKeyPattern: "fuzzy-*" };
  assert.equal((await watcher.ask("NamingFuzzyWatchRequest", wrong)).body.errorCode, 400);
  const cancelled = await watcher.ask("NamingFuzzyWatchRequest", { ...watch, watchType: "CANCEL_WATCH" });
  assert.equal(cancelled.body.resultCode, 200);
});

test("a persistent instance outlives its connection, and no ephemeral one joins its service", async () => {
  const [provider, consumer] = [await connected(), await connected()];
  await subscribe(consumer, "stays");
  const asked = { ...service("stays"), type: "registerInstance", instance: instance(80, { ephemeral: false }) };
  const { type, body } = await provider.ask("PersistentInstanceRequest", asked);
  assert.deepEqual([type, body.resultCode, body.message], ["InstanceResponse", 200, undefined]);
  await isShown(consumer, "stays", [80]);
  assert.equal(consumer.lists("stays").at(-1).hosts[0].ephemeral, false);
  const mixed = { ...service("stays"), type: "registerInstance", instance: instance(81) };
  const refused = await consumer.ask("InstanceRequest", mixed);
  assert.deepEqual([refused.type, refused.body.errorCode], ["InstanceResponse", 400]);
  provider.close();
  const other = await connected();
  assert.deepEqual(portsOf(await subscribe(other, "stays")), [80]);
  await other.ask("PersistentInstanceRequest", { ...asked, type: "deregisterInstance" });
  await isShown(consumer, "stays", []);
});
