import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { brandServiceKey, type NodeId, nodeId } from "../model/ids.ts";
import {
  ackLast,
  batches,
  connect,
  DATA,
  disconnect,
  forgetSent,
  fromData,
  linked,
  nowMs,
  ORDERS,
  pass,
  publish,
  removals,
  reset,
  START_MS,
  session,
  snapshot,
  stall,
  subscribe,
  tableOf,
  taken,
  toData,
  toMeta,
  useBareSession,
  useSession,
} from "./testing/harness.ts";

beforeEach(reset);

const serviceOf = (at: number) => brandServiceKey(`service-${at}#@#I#@#G`);

const inventories = () => toData.flatMap((message) => (message.kind === "inventory" ? [message.entries] : []));

test("a publication is accepted with the client's own version and sent on at once", () => {
  const client = connect();
  publish(client, { version: 7n });
  assert.deepEqual(client.channel.outcomes, [{ kind: "accepted", registId: "p1", version: 7n }]);
  const [item] = batches().flat();
  assert.ok(item?.kind === "put" && item.publication.registeredMs === START_MS);
});

test("while a batch is under way later changes gather, the newest of each registration", () => {
  const client = connect();
  for (let version = 1n; version <= 100n; version++) publish(client, { version });
  assert.equal(batches().length, 1);
  taken();
  const [, second] = batches();
  assert.equal(second?.length, 1);
  const [item] = second ?? [];
  assert.ok(item?.kind === "put" && item.publication.version === 100n);
});

test("what was under way to a data node that was lost is sent again, but nothing that is older than what waits", () => {
  const client = connect();
  publish(client, { version: 1n });
  publish(client, { version: 2n });
  session.step({ kind: "dataDown", node: DATA }, nowMs);
  forgetSent();
  session.step({ kind: "dataUp", node: DATA }, nowMs);
  const items = batches().flat();
  assert.deepEqual(
    items.map((item) => item.kind === "put" && item.publication.version),
    [2n],
  );
});

test("a client that returns within the grace, on another connection, causes no removal", () => {
  const first = connect();
  publish(first);
  taken();
  disconnect(first);
  pass(600);
  publish(connect());
  taken();
  pass(60_000);
  assert.deepEqual(removals(), []);
});

test("a client that returns late is removed after the grace, by the very stamp that it had", () => {
  const client = connect();
  publish(client);
  taken();
  disconnect(client);
  pass(999);
  assert.deepEqual(removals(), []);
  pass(1);
  const stamp = { version: 1n, registeredMs: START_MS };
  assert.deepEqual(removals(), [
    { kind: "remove", removal: { serviceKey: ORDERS, registId: "p1", cause: "left", stamp } },
  ]);
});

test("a client that comes back with many publishers keeps those that it has not yet repeated", () => {
  const first = connect();
  for (const registId of ["p1", "p2", "p3", "p4"]) publish(first, { registId });
  disconnect(first);
  pass(500);
  const back = connect();
  for (const registId of ["p1", "p2", "p3"]) {
    publish(back, { registId });
    taken();
    pass(900);
  }
  assert.deepEqual(removals(), []);
  pass(10_000);
  taken();
  assert.equal(removals().length, 1, "the fourth was given up");
});

test("a subscriber that returns within the grace is not pushed what it confirmed, but is pushed what it missed", () => {
  const first = connect();
  subscribe(first);
  snapshot(10n);
  ackLast(first);
  disconnect(first);
  pass(500);
  const back = connect();
  subscribe(back);
  assert.deepEqual(back.channel.versions, []);
  snapshot(11n);
  assert.deepEqual(back.channel.versions, [11n]);
});

test("a client that comes back as a subscriber first keeps its publishers for a while longer", () => {
  const first = connect();
  publish(first);
  subscribe(first);
  taken();
  disconnect(first);
  pass(900);
  subscribe(connect());
  pass(4_900);
  assert.deepEqual(removals(), []);
  pass(200);
  assert.equal(removals().length, 1);
});

test("what the old connection still had under way does not take the registration from the living one", () => {
  const [old, back] = [connect(), connect()];
  publish(back);
  publish(old);
  assert.equal(old.channel.outcomes.length, 1, "it is answered all the same");
  taken();
  disconnect(old);
  pass(60_000);
  assert.deepEqual(removals(), []);
});

test("a long grace is not cut short by the first sign of the client's return", () => {
  useSession({ clientReturnGraceMs: 20_000 });
  const first = connect();
  for (const registId of ["p1", "p2"]) publish(first, { registId });
  disconnect(first);
  publish(connect(), { registId: "p1" });
  taken();
  pass(19_000);
  assert.deepEqual(removals(), []);
});

test("a process that was away while a client returned does not take it for dead", () => {
  const first = connect();
  publish(first);
  taken();
  disconnect(first);
  stall(1_500);
  session.step({ kind: "woken" }, nowMs);
  publish(connect());
  taken();
  pass(60_000);
  assert.deepEqual(removals(), []);
});

test("what a process that stood still reads late is not published if its client turns out to be gone", () => {
  const client = connect();
  stall(6_000);
  publish(client);
  pass(5);
  disconnect(client);
  forgetSent();
  fromData({ kind: "differs", slots: [0] });
  assert.deepEqual(inventories(), [[]], "nor is it spoken of");
  pass(60_000);
  const [item, ...more] = batches().flat();
  assert.ok(item?.kind === "remove", "all that is said of it is that it has left");
  assert.deepEqual(more, []);
});

test("what the data node has of such a client stays until the grace is over, as of one that said nothing late", () => {
  const [first, second] = [connect(), connect()];
  publish(first);
  taken();
  stall(6_000);
  publish(second, { version: 2n });
  publish(second, { version: 3n });
  disconnect(first);
  disconnect(second);
  forgetSent();
  fromData({ kind: "differs", slots: [0] });
  assert.deepEqual(
    inventories().flatMap((entries) => entries.map(({ version, registeredMs }) => [version, registeredMs])),
    [[1n, START_MS]],
  );
  pass(900);
  assert.deepEqual(batches(), []);
  pass(60_000);
  assert.equal(removals().length, 1);
});

test("what one connection left to the next, both read late and closed, is not published either", () => {
  const [first, second] = [connect(), connect()];
  stall(6_000);
  for (const registId of ["p1", "p2"]) publish(first, { registId });
  disconnect(first);
  publish(second, { registId: "p1" });
  disconnect(second);
  pass(60_000);
  assert.deepEqual(
    batches()
      .flat()
      .filter(({ kind }) => kind === "put"),
    [],
  );
});

test("a newer slot table does not end the pause after a stall, nor for a node that begins to lead in it", () => {
  const OTHER_DATA = nodeId("data-2");
  session.step({ kind: "dataUp", node: OTHER_DATA }, nowMs);
  const client = connect();
  stall(6_000);
  publish(client);
  const table = tableOf(OTHER_DATA, 2n);
  session.step({ kind: "fromMeta", message: { kind: "slotTable", table, versionFloor: 0n } }, nowMs);
  pass(900);
  assert.deepEqual(batches(), []);
  pass(2_000);
  assert.equal(batches().flat().length, 1, "whose connection stands is published after it");
});

test("the end of a client with many publishers is spread over many steps", () => {
  useSession({ clientRegistrationsMax: 10_000 });
  const client = connect();
  for (let at = 0; at < 2_000; at++) publish(client, { registId: `p${at}` });
  disconnect(client);
  stall(1_000);
  session.step({ kind: "woken" }, nowMs);
  assert.equal(session.nextWakeMs() <= nowMs, true, "there is more to do");
  for (let round = 0; round < 50; round++) {
    taken();
    pass(0);
  }
  assert.equal(removals().length, 2_000);
});

test("the end of a client with many subscribers is spread over many steps", () => {
  useSession({ clientRegistrationsMax: 10_000 });
  const client = connect();
  for (let at = 0; at < 2_000; at++) subscribe(client, { registId: `s${at}`, serviceKey: serviceOf(at) });
  disconnect(client);
  stall(1_000);
  forgetSent();
  session.step({ kind: "woken" }, nowMs);
  const released = () => toData.filter(({ kind }) => kind === "release").length;
  assert.ok(released() <= 500 && session.nextWakeMs() <= nowMs, `${released()}`);
  for (let round = 0; round < 50; round++) pass(0);
  assert.equal(released(), 2_000);
});

test("a process that stalls again and again forgives the dead three times only", () => {
  const first = connect();
  publish(first);
  taken();
  disconnect(first);
  for (let round = 0; round < 10; round++) {
    stall(1_500);
    session.step({ kind: "woken" }, nowMs);
    taken();
    if (removals().length > 0) break;
    assert.ok(round < 3, "it is still listed");
  }
  pass(1_100);
  assert.equal(removals().length, 1);
});

test("all services are compared within an interval, a thousand in a step, and all of a node that is back", () => {
  useSession({ clientRegistrationsMax: 10_000 });
  const client = connect();
  for (let at = 0; at < 3_500; at++) subscribe(client, { registId: `s${at}`, serviceKey: serviceOf(at) });
  const scans = () => toData.flatMap((message) => (message.kind === "scan" ? [message.versions] : []));
  const isAll = () => assert.equal(new Set(scans().flatMap((part) => part.map(([id]) => id))).size, 3_500);
  forgetSent();
  pass(5_100);
  isAll();
  assert.ok(scans().length >= 4 && scans().every((part) => part.length <= 1_000));
  session.step({ kind: "dataDown", node: DATA }, nowMs);
  forgetSent();
  session.step({ kind: "dataUp", node: DATA }, nowMs);
  pass(100);
  isAll();
});

test("a client on a new connection has what its old one held, and the end of that removes nothing", () => {
  const [first, second] = [connect(), connect()];
  publish(first);
  disconnect(first);
  publish(second);
  taken();
  pass(60_000);
  assert.deepEqual(removals(), []);
  disconnect(second);
  pass(1_000);
  taken();
  assert.equal(removals().length, 1);
});

test("an older version of a registration is answered but not sent on", () => {
  const client = connect();
  publish(client, { version: 5n });
  taken();
  forgetSent();
  publish(client, { version: 4n });
  assert.deepEqual(client.channel.outcomes.at(-1), { kind: "accepted", registId: "p1", version: 4n });
  assert.deepEqual(batches(), []);
});

test("a client at its limit is refused further registrations, but may renew those that it has", () => {
  const client = connect();
  for (let at = 0; at < 5; at++) publish(client, { registId: `p${at}` });
  publish(client, { registId: "p9" });
  publish(client, { registId: "p1", version: 2n });
  assert.deepEqual(
    client.channel.outcomes.slice(5).map(({ kind }) => kind),
    ["failed", "accepted"],
  );
});

test("a client at its limit may end what it has, of each kind", () => {
  const client = connect();
  const key = { serviceKey: ORDERS, registId: "x", version: 9n };
  publish(client, { registId: "p1" });
  subscribe(client, { registId: "s1" });
  session.step({ kind: "watchedConfig", client: client.id, request: 1, key }, nowMs);
  for (const registId of ["p2", "p3"]) publish(client, { registId });
  for (const kind of ["unpublished", "unsubscribed", "unwatchedConfig"] as const) {
    session.step({ kind, client: client.id, request: 2, key }, nowMs);
    assert.equal(client.channel.outcomes.at(-1)?.kind, "accepted", kind);
  }
  assert.deepEqual(toMeta.at(-1), { kind: "unwatchConfig", serviceKeys: [ORDERS] });
});

test("connections are counted from their beginning to their end", () => {
  const clients = [connect(), connect()];
  assert.equal(session.connections, 2);
  for (const client of clients) disconnect(client);
  assert.equal(session.connections, 0);
});

test("a meta node that can be reached is told at once who is here, and what is watched", () => {
  const client = connect();
  const key = { serviceKey: ORDERS, registId: "c1", version: 1n };
  session.step({ kind: "watchedConfig", client: client.id, request: 1, key }, nowMs);
  pass(1);
  toMeta.length = 0;
  session.step({ kind: "metaUp" }, nowMs);
  assert.deepEqual(
    toMeta.map(({ kind }) => kind),
    ["watchConfig", "heartbeat"],
  );
});

test("a session wants links to the data nodes of the membership, and to one that leads though it is not listed", () => {
  const members = (serial: number, ...data: readonly NodeId[]) => {
    const others = [{ id: nodeId("session-2"), role: "session" as const, address: "10.0.0.3:9620" }];
    const list = [...others, ...data.map((id) => ({ id, role: "data" as const, address: `${id}:9620` }))];
    session.step({ kind: "fromMeta", message: { kind: "members", members: { epoch: 1n, serial, list } } }, nowMs);
    return linked.map(({ id }) => id);
  };
  const OTHER_DATA = nodeId("data-2");
  assert.deepEqual(members(2, DATA, OTHER_DATA), [DATA, OTHER_DATA]);
  assert.deepEqual(members(1, OTHER_DATA), [DATA, OTHER_DATA], "an older list is none");
  assert.deepEqual(members(3), [DATA], "the slot table names it still");
  assert.equal(session.members?.serial, 3);
});

test("a meta node is not asked for configuration if nobody watches any", () => {
  pass(1);
  toMeta.length = 0;
  session.step({ kind: "metaUp" }, nowMs);
  pass(6_000);
  assert.deepEqual(new Set(toMeta.map(({ kind }) => kind)), new Set(["heartbeat"]));
});

test("meta hears of the end of a client only if nobody watches any more what it has watched", () => {
  const [first, second, third] = [connect(), connect(), connect()];
  for (const client of [first, second]) {
    const key = { serviceKey: ORDERS, registId: "c1", version: 1n };
    session.step({ kind: "watchedConfig", client: client.id, request: 1, key }, nowMs);
  }
  toMeta.length = 0;
  disconnect(first);
  disconnect(third);
  assert.deepEqual(toMeta, []);
  disconnect(second);
  assert.deepEqual(toMeta, [{ kind: "unwatchConfig", serviceKeys: [ORDERS] }]);
});

test("registrations that come before the first slot table are kept and sent when it is there", () => {
  useBareSession();
  publish(connect());
  assert.deepEqual(toData, []);
  session.step({ kind: "dataUp", node: DATA }, nowMs);
  const table = { epoch: 1n, slots: [{ leader: DATA, leaderEpoch: 1n, followers: [] }] };
  session.step({ kind: "fromMeta", message: { kind: "slotTable", table, versionFloor: 0n } }, nowMs);
  assert.equal(batches().flat().length, 1);
});
