import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { after, test } from "node:test";
import type { MemberAddress } from "../cluster/messages/membership.ts";
import { joinAddress } from "../transport/address.ts";
import type { RunningServer } from "./start.ts";
import { eventually } from "./testing/eventually.ts";
import { TestClient } from "./testing/testClient.ts";
import { getStatus, operate, TestNodes, TestProxy } from "./testing/testNodes.ts";

const nodes = new TestNodes();
const clients: TestClient[] = [];
after(async () => {
  for (const client of clients) client.close();
  await nodes.close();
});

function client(session: () => RunningServer): TestClient {
  const made = new TestClient(() => session().ports.bolt);
  clients.push(made);
  return made;
}

const at = (server: RunningServer) => ({ metaAddresses: [`127.0.0.1:${server.ports.node}`] });
const isReady = async (server: RunningServer) => (await getStatus(server.ports.http, "/readyz")) === 200;
const members = async (server: RunningServer): Promise<MemberAddress[]> =>
  (await operate(server, "GET", "/nodes")).body.items;
const leaders = async (server: RunningServer): Promise<{ leader: string; followers: string[] }[]> =>
  (await operate(server, "GET", "/slots")).body.items;

test("three roles in three processes: what one client publishes another one is pushed", async () => {
  const meta = await nodes.start(["meta"]);
  const data = await nodes.start(["data"], at(meta));
  const sessions = [await nodes.start(["session"], at(meta)), await nodes.start(["session"], at(meta))] as const;
  for (const session of sessions) await eventually(() => isReady(session), Boolean);
  const [publisher, subscriber] = [client(() => sessions[0]), client(() => sessions[1])];
  subscriber.subscribe("orders");
  publisher.publish("orders", "10.0.0.1:80");
  await eventually(
    () => subscriber.list("orders"),
    (list) => list === "10.0.0.1:80",
  );
  assert.deepEqual((await members(meta)).map(({ role }) => role).sort(), ["data", "meta", "session", "session"]);
  assert.equal(data.ports.bolt, 0);
});

test("a session tells clients where all sessions are, and those that stop are not named any more", async () => {
  const meta = await nodes.start(["meta", "data"], { metaAddresses: [] });
  const [first, second] = [await nodes.start(["session"], at(meta)), await nodes.start(["session"], at(meta))];
  const query = async () => (await fetch(`http://127.0.0.1:${first.ports.http}/api/servers/query`)).text();
  const both = `127.0.0.1:${first.ports.bolt};127.0.0.1:${second.ports.bolt}`;
  await eventually(query, (servers) => servers === both);
  const staying = client(() => first);
  staying.subscribe("orders");
  let home = second;
  const moving = client(() => home);
  moving.publish("orders", "10.0.0.2:80");
  await eventually(
    () => staying.list("orders"),
    (list) => list === "10.0.0.2:80",
  );
  home = first;
  await second.drain();
  assert.equal(await getStatus(second.ports.http, "/health/check"), 503);
  await nodes.stop(second);
  await eventually(query, (servers) => servers === `127.0.0.1:${first.ports.bolt}`);
  await eventually(
    () => moving.undone,
    (undone) => undone === 0,
  );
  assert.deepEqual(
    staying.lists.get("orders")?.filter((list) => list.length > 0),
    [["10.0.0.2:80"]],
    "nobody saw the move",
  );
});

test("a data node that is told to stop hands its slots over first", async () => {
  const meta = await nodes.start(["meta"]);
  const [one, two] = [await nodes.start(["data"], at(meta)), await nodes.start(["data"], at(meta))];
  const session = await nodes.start(["session"], at(meta));
  await eventually(
    () => leaders(meta),
    (slots) => new Set(slots.map(({ leader }) => leader)).size === 2,
  );
  const [publisher, subscriber] = [client(() => session), client(() => session)];
  for (const name of ["a", "b", "c", "d"]) {
    subscriber.subscribe(name);
    publisher.publish(name, `10.0.0.1:${name}`);
  }
  const seen = () => ["a", "b", "c", "d"].map((name) => subscriber.list(name)).join();
  const all = "10.0.0.1:a,10.0.0.1:b,10.0.0.1:c,10.0.0.1:d";
  await eventually(seen, (list) => list === all);
  await one.drain();
  await nodes.stop(one);
  const left = await leaders(meta);
  assert.equal(new Set(left.map(({ leader }) => leader)).size, 1);
  const late = client(() => session);
  late.publish("a", "10.0.0.9:a");
  await eventually(
    () => subscriber.list("a"),
    (list) => list === "10.0.0.1:a 10.0.0.9:a",
  );
  for (const [name, lists] of subscriber.lists) {
    const shrinks = lists.some((list, index) => list.length < (lists[index - 1]?.length ?? 0));
    assert.equal(shrinks, false, `${name} lost nothing`);
  }
  await nodes.stop(two);
});

test("a link that is cut is made again, and nothing was lost meanwhile", async () => {
  const meta = await nodes.start(["meta", "data"], { metaAddresses: [] });
  const proxy = new TestProxy(meta.ports.node);
  const session = await nodes.start(["session"], { metaAddresses: [`127.0.0.1:${await proxy.listen()}`] });
  await eventually(() => isReady(session), Boolean);
  const before = proxy.passed;
  proxy.cut();
  await eventually(
    () => proxy.passed,
    (passed) => passed > before,
  );
  await eventually(
    () => members(meta),
    (list) => list.some(({ role }) => role === "session"),
  );
  const both = client(() => session);
  both.subscribe("orders");
  both.publish("orders", "10.0.0.1:80");
  await eventually(
    () => both.list("orders"),
    (list) => list === "10.0.0.1:80",
  );
  proxy.close();
});

test("nodes find each other by IPv6 where the machine has it", async () => {
  const hasIPv6 = Object.values(networkInterfaces()).some((each) => each?.some(({ address }) => address === "::1"));
  const bind = hasIPv6 ? "::1" : "127.0.0.1";
  const meta = await nodes.start(["meta"], { bind });
  const at6 = { bind, metaAddresses: [joinAddress(bind, meta.ports.node)] };
  await nodes.start(["data"], at6);
  const session = await nodes.start(["session"], at6);
  const url = `http://${joinAddress(bind, session.ports.http)}/readyz`;
  await eventually(
    async () => (await fetch(url)).status,
    (status) => status === 200,
  );
});

test("a node of another cluster takes no part, and its health says so", async () => {
  const meta = await nodes.start(["meta", "data"], { metaAddresses: [] });
  const stranger = await nodes.start(["session"], { ...at(meta), clusterName: "other" });
  const own = await nodes.start(["session"], at(meta));
  await eventually(() => isReady(own), Boolean);
  assert.equal(await getStatus(stranger.ports.http, "/readyz"), 503);
  assert.equal((await members(meta)).filter(({ role }) => role === "session").length, 1);
});

test("an operator's call ends a node: its stop is asked for", async () => {
  const meta = await nodes.start(["meta", "data", "session"]);
  assert.equal((await operate(meta, "POST", "/nodes/drain")).status, 202);
  await meta.stopAsked;
});

test("a meta node whose database is away starts all the same, and its health says so", async () => {
  const meta = await nodes.start(["meta"], { storeUrl: "postgres://nobody:secret@127.0.0.1:1/none" });
  const response = await fetch(`http://127.0.0.1:${meta.ports.metaHttp}/readyz`);
  assert.deepEqual([response.status, await response.text()], [503, "the store does not answer"]);
  assert.equal(await getStatus(meta.ports.metaHttp, "/livez"), 200);
  assert.equal((await operate(meta, "POST", "/nodes/block", { node: "a" })).status, 503);
});
