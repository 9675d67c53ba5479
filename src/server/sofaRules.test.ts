// What operators want, told by SOFARegistry's paths to a cluster of separate roles: its clients see it, and it outlives
// the cluster's processes. The clients are at different addresses of the loopback network.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import type { RunningServer } from "./start.ts";
import { eventually } from "./testing/eventually.ts";
import { TestClient } from "./testing/testClient.ts";
import { TestNodes } from "./testing/testNodes.ts";

const SEEN_MS_MAX = 5_000;

const nodes = new TestNodes();
const dataDir = nodes.newDirectory();
let meta: RunningServer;
let session: RunningServer;
const clients: TestClient[] = [];
let services = 0;

before(async () => {
  meta = await nodes.start(["meta"], { dataDir });
  const at = { metaAddresses: [`127.0.0.1:${meta.ports.node}`] };
  await nodes.start(["data"], at);
  session = await nodes.start(["session"], at);
  await eventually(
    async () => (await fetch(`http://127.0.0.1:${session.ports.http}/readyz`)).status,
    (status) => status === 200,
  );
});

beforeEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await askMeta("/stopPushDataSwitch/close");
});

after(async () => {
  for (const client of clients) client.close();
  await nodes.close();
});

function client(host: number): TestClient {
  const made = new TestClient(() => session.ports.bolt, { address: `127.0.0.${host}` });
  clients.push(made);
  return made;
}

async function askMeta(path: string, body?: string | object): Promise<{ success: boolean; data: unknown }> {
  const type = typeof body === "object" ? "application/json" : "application/x-www-form-urlencoded";
  const sent = body && {
    body: typeof body === "object" ? JSON.stringify(body) : body,
    headers: { "content-type": type },
  };
  const url = `http://127.0.0.1:${meta.ports.metaHttp}${path}`;
  const answer = await fetch(url, body === undefined ? {} : { method: "POST", ...sent });
  const text = await answer.text();
  assert.equal(answer.status, 200, `${path}: ${text}`);
  return JSON.parse(text);
}

const sees = (subscriber: TestClient, service: string, list: string) =>
  eventually(
    () => subscriber.list(service),
    (seen) => seen === list,
    SEEN_MS_MAX,
  );

/** Two publishers at two addresses and a subscriber at a third one, of a service of their own. */
async function threeClients() {
  const service = `com.example.Service${services++}`;
  const [one, other, subscriber] = [client(2), client(3), client(4)];
  one.publish(service, "one");
  other.publish(service, "other");
  subscriber.subscribe(service);
  await sees(subscriber, service, "one other");
  return { service, one, other, subscriber };
}

test("the clients at an address are off until they are opened, and the others are not", async () => {
  const { service, subscriber } = await threeClients();
  assert.equal((await askMeta("/api/clientManager/clientOff", "ips=127.0.0.2;10.0.0.1")).success, true);
  await sees(subscriber, service, "other");
  await askMeta("/api/clientManager/clientOpen", "ips=127.0.0.2;10.0.0.1");
  await sees(subscriber, service, "one other");
});

test("a client that is off with its subscribers keeps its list, and gets the newest one when it is back", async () => {
  const { service, subscriber } = await threeClients();
  const ips = encodeURIComponent('[{"address":"127.0.0.4","pub":true,"sub":true}]');
  await askMeta("/api/clientManager/clientOffWithSub", `ips=${ips}`);
  const witness = client(5);
  witness.subscribe(service);
  const third = client(6);
  third.publish(service, "third");
  await sees(witness, service, "one other third");
  assert.equal(subscriber.list(service), "one other");
  await askMeta("/api/clientManager/reduce", "ips=127.0.0.4");
  await sees(subscriber, service, "one other third");
});

test("stopped pushes are held, opened for an address, and released", async () => {
  const { service, subscriber } = await threeClients();
  const witness = client(5);
  witness.subscribe(service);
  await sees(witness, service, "one other");
  await askMeta("/stopPushDataSwitch/open");
  client(6).publish(service, "third");
  await askMeta("/stopPushDataSwitch/grayOpen", { ips: ["127.0.0.5"] });
  await sees(witness, service, "one other third");
  assert.equal(subscriber.list(service), "one other");
  await askMeta("/stopPushDataSwitch/close");
  await sees(subscriber, service, "one other third");
});

test("the publications of a service on the blacklist are in no list, and come back", async () => {
  const { service, subscriber } = await threeClients();
  await askMeta("/datainfoid/blacklist/add", `dataId=${service}`);
  await sees(subscriber, service, "");
  await askMeta("/datainfoid/blacklist/delete", `dataId=${service}`);
  await sees(subscriber, service, "one other");
});

test("a switch that is put as persistent data is in force, and is told by its own paths", async () => {
  const { service, subscriber } = await threeClients();
  const name = { dataId: "session.blacklist.data", instanceId: "9600", group: "CONFIG" };
  const data = JSON.stringify({ FORBIDDEN_PUB: { IP_FULL: ["127.0.0.3"] } });
  await askMeta("/persistentData/put", { ...name, data });
  await sees(subscriber, service, "one");
  await askMeta("/persistentData/remove", name);
  await sees(subscriber, service, "one other");
  await askMeta("/persistentData/put", { ...name, dataId: "session.stop.push.data.switch", data: "true" });
  assert.deepEqual(await askMeta("/digest/pushSwitch"), {
    stopPush: "true",
    "gray push switch msg": "data is empty",
    grayPushSwitch: "",
  });
});

test("what operators want outlives the meta node", async () => {
  const { service, subscriber } = await threeClients();
  await askMeta("/api/clientManager/clientOff", "ips=127.0.0.2");
  await sees(subscriber, service, "other");
  const { ports } = meta;
  await nodes.stop(meta);
  meta = await nodes.start(["meta"], { dataDir, nodePort: ports.node });
  await eventually(
    async () => (await fetch(`http://127.0.0.1:${meta.ports.metaHttp}/readyz`)).status,
    (status) => status === 200,
  );
  const { data } = (await askMeta("/api/clientManager/query")) as { data: { clientOffAddress: object } };
  assert.deepEqual(Object.keys(data.clientOffAddress), ["127.0.0.2"]);
  assert.equal(subscriber.list(service), "other");
  await askMeta("/api/clientManager/clientOpen", "ips=127.0.0.2");
  await sees(subscriber, service, "one other");
});
