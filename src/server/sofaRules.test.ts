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
let other: RunningServer;
const clients: TestClient[] = [];
let services = 0;

before(async () => {
  meta = await nodes.start(["meta"], { dataDir });
  const at = { metaAddresses: [`127.0.0.1:${meta.ports.node}`] };
  await nodes.start(["data"], at);
  session = await nodes.start(["session"], at);
  other = await nodes.start(["session"], at);
  for (const { ports } of [session, other]) {
    await eventually(
      async () => (await fetch(`http://127.0.0.1:${ports.http}/readyz`)).status,
      (status) => status === 200,
    );
  }
});

beforeEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await askMeta("/stopPushDataSwitch/close");
  await askMeta("/api/clientManager/clientOpen", "ips=127.0.0.2;127.0.0.4");
});

after(async () => {
  for (const client of clients) client.close();
  await nodes.close();
});

function client(host: number, at = session): TestClient {
  const made = new TestClient(() => at.ports.bolt, { address: `127.0.0.${host}` });
  clients.push(made);
  return made;
}

const askMeta = (path: string, body?: string | object) => ask(meta.ports.metaHttp, path, body);
const askSession = (path: string, body?: string | object) => ask(session.ports.http, path, body);

interface Answer {
  readonly success: boolean;
  readonly message: string | null;
  readonly data: unknown;
}

async function ask(port: number, path: string, body?: string | object): Promise<Answer> {
  const type = typeof body === "object" ? "application/json" : "application/x-www-form-urlencoded";
  const sent = body && {
    body: typeof body === "object" ? JSON.stringify(body) : body,
    headers: { "content-type": type },
  };
  const url = `http://127.0.0.1:${port}${path}`;
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

test("at one session clients are off until they are opened, and at the other session they are not", async () => {
  const { service, subscriber } = await threeClients();
  const elsewhere = client(2, other);
  elsewhere.publish(service, "elsewhere");
  await sees(subscriber, service, "elsewhere one other");
  assert.equal((await askSession("/api/clientManager/clientOff", "ips=127.0.0.2")).success, true);
  await sees(subscriber, service, "elsewhere other");
  assert.equal((await askSession("/api/clientManager/clientOpen", "ips=127.0.0.2")).success, true);
  await sees(subscriber, service, "elsewhere one other");
});

test("in the zone clients are off at all sessions", async () => {
  const { service, subscriber } = await threeClients();
  const elsewhere = client(2, other);
  elsewhere.publish(service, "elsewhere");
  await sees(subscriber, service, "elsewhere one other");
  assert.deepEqual(await askSession("/api/clientManager/zone/clientOff", "ips=127.0.0.2"), {
    success: true,
    message: "",
  });
  await sees(subscriber, service, "other");
  await askSession("/api/clientManager/zone/clientOpen", "ips=127.0.0.2");
  await sees(subscriber, service, "elsewhere one other");
});

test("a session has clients kept off by the meta node, and its version is at all sessions at once", async () => {
  const { service, subscriber } = await threeClients();
  const { data: version } = await askSession("/api/clientManager/persistence/clientOff", "ips=127.0.0.2");
  await sees(subscriber, service, "other");
  // Its last digits are lost in JavaScript's numbers, so that it may be one of a moment later.
  const text = await (await fetch(`http://127.0.0.1:${session.ports.http}/api/clientManager/persistence/query`)).text();
  const [, exact = ""] = /"version":(\d+)/.exec(text) ?? [];
  assert.equal(Number(exact), version);
  const check = `/api/clientManager/persistence/checkVersion?version=`;
  assert.equal((await askSession(`${check}${exact}`)).success, true);
  const { data } = await askSession("/api/clientManager/zone/queryClientOff", "");
  for (const told of Object.values(data as object)) assert.deepEqual(told, { success: true, ips: ["127.0.0.2"] });
  assert.equal(Object.keys(data as object).length, 2);
  await askSession("/api/clientManager/persistence/clientOpen", "ips=127.0.0.2");
  await sees(subscriber, service, "one other");
});

test("one connection of an address loses what it has registered", async () => {
  const { service, subscriber } = await threeClients();
  const second = client(2);
  second.publish(service, "second");
  await sees(subscriber, service, "one other second");
  const dataInfoId = encodeURIComponent(`${service}#@#DEFAULT_INSTANCE_ID#@#DEFAULT_GROUP`);
  const { PUB } = (await askSession(`/digest/pub/data/query?dataInfoId=${dataInfoId}`)) as unknown as {
    PUB: { dataList: { bytes: string }[]; sourceAddress: End; targetAddress: End }[];
  };
  const found = PUB.find(({ dataList }) => Buffer.from(dataList[0]?.bytes ?? "", "base64").includes("second"));
  assert.ok(found !== undefined);
  const connectId = {
    clientHostAddress: found.sourceAddress.ipAddress,
    clientPort: found.sourceAddress.port,
    sessionHostAddress: found.targetAddress.ipAddress,
    sessionPort: found.targetAddress.port,
  };
  assert.equal((await askSession("/api/clients/off", { connectIds: [connectId] })).success, true);
  await sees(subscriber, service, "one other");
});

interface End {
  readonly ipAddress: string;
  readonly port: number;
}

test("while no meta node leads, pushes are stopped at the sessions, and opened when one leads again", async () => {
  const { service, subscriber } = await threeClients();
  const elsewhere = client(4, other);
  elsewhere.subscribe(service);
  await sees(elsewhere, service, "one other");
  assert.match((await askSession("/api/emergency/pushSwitch/stop", "")).message ?? "", /leader is healthy/);
  const { ports } = meta;
  await nodes.stop(meta);
  assert.equal((await askSession("/api/emergency/pushSwitch/stop", "")).success, true);
  const { success, message } = await ask(other.ports.http, "/api/emergency/pushSwitch/zone/stop");
  assert.equal(success, false);
  assert.match(message ?? "", /done here, and not by 1 of 1/);
  assert.deepEqual(await askSession("/digest/pushSwitch"), { pushSwitch: "closed" });
  client(6).publish(service, "third");
  meta = await nodes.start(["meta"], { dataDir, nodePort: ports.node });
  await eventually(
    async () => (await fetch(`http://127.0.0.1:${meta.ports.metaHttp}/readyz`)).status,
    (status) => status === 200,
  );
  const witness = client(7);
  witness.subscribe(service);
  for (const held of [subscriber, elsewhere, witness]) assert.doesNotMatch(held.list(service), /third/);
  await askMeta("/stopPushDataSwitch/close");
  for (const held of [subscriber, elsewhere, witness]) await sees(held, service, "one other third");
  assert.deepEqual(await askSession("/digest/pushSwitch"), { pushSwitch: "open" });
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
