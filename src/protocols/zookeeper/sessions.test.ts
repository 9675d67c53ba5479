import assert from "node:assert/strict";
import { test } from "node:test";
import { nodeId } from "../../model/ids.ts";
import { CODE, OPERATION } from "./codec/operations.ts";
import { createOf, type RawClient, type SceneNode, ZooKeeperScene } from "./testing/scene.ts";

const EPHEMERAL = 1;

async function twoNodes() {
  const scene = new ZooKeeperScene();
  const [one, two] = [await scene.start(), await scene.start()];
  await scene.pass(1_000);
  return { scene, one, two };
}

/** Connects again with the session of a client. */
async function continued(client: RawClient, node: SceneNode): Promise<RawClient> {
  return node.connect({ session: client.session, password: client.password, timeoutMs: client.timeoutMs });
}

/** Time passes while a client pings. */
async function alive(scene: ZooKeeperScene, client: RawClient, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 1_000) {
    await scene.pass(1_000);
    await client.ping();
  }
}

test("a session ends when its client was silent for the timeout, with its ephemerals, and no earlier", async () => {
  const { scene, one, two } = await twoNodes();
  const client = await one.connect({ timeoutMs: 5_000 });
  const observer = await two.connect({ timeoutMs: 40_000 });
  await client.create("/e", "", EPHEMERAL);
  await alive(scene, client, 20_000);
  assert.equal(await observer.exists("/e", true), CODE.ok);
  client.drop();
  await scene.pass(4_500);
  assert.equal(await observer.exists("/e"), CODE.ok);
  await scene.pass(1_500);
  assert.equal(await observer.exists("/e"), CODE.noNode);
  assert.deepEqual(observer.events, [{ type: 2, path: "/e" }]);
  assert.equal((await continued(client, one)).session, 0n);
  assert.equal((await continued(client, two)).session, 0n);
});

test("a closed session ends at once, and its connection behind the answer", async () => {
  const { one, two } = await twoNodes();
  const client = await one.connect();
  await client.create("/c", "", EPHEMERAL);
  assert.equal(await client.code(OPERATION.closeSession), CODE.ok);
  assert.ok(client.isClosed);
  const other = await two.connect();
  await other.ask(OPERATION.sync, (to) => to.string("/"));
  assert.equal(await other.exists("/c"), CODE.noNode);
});

test("a client continues its session at the same node and at another one; its older connection ends", async () => {
  const { scene, one, two } = await twoNodes();
  const client = await one.connect();
  await client.create("/m", "", EPHEMERAL);
  const again = await continued(client, one);
  assert.deepEqual([again.session, client.isClosed], [client.session, true]);
  const moved = await continued(again, two);
  assert.deepEqual([moved.session, again.isClosed], [client.session, true]);
  await alive(scene, moved, 30_000);
  assert.equal(await moved.exists("/m"), CODE.ok);
  assert.equal(await moved.create("/m2", "", EPHEMERAL), "/m2");
});

test("a wrong password is answered as an expired session, and does not hurt the true one", async () => {
  const { one, two } = await twoNodes();
  const client = await one.connect();
  for (const node of [one, two]) {
    for (const password of [new Uint8Array(16), new Uint8Array(0), client.password.slice(1)]) {
      const stranger = await node.connect({ session: client.session, password });
      assert.deepEqual([stranger.session, stranger.timeoutMs, stranger.isClosed], [0n, 0, true]);
    }
  }
  assert.equal((await client.ping()).code, CODE.ok);
});

test("sessions of a node that died get a full timeout, and end at another node", async () => {
  const { scene, one, two } = await twoNodes();
  const client = await one.connect({ timeoutMs: 6_000 });
  const lost = await one.connect({ timeoutMs: 6_000 });
  const observer = await two.connect({ timeoutMs: 40_000 });
  await client.create("/back", "", EPHEMERAL);
  await lost.create("/gone", "", EPHEMERAL);
  await alive(scene, observer, 5_000);
  await client.ping();
  await lost.ping();
  await one.stop();
  await scene.pass(5_500);
  const back = await continued(client, two);
  assert.equal(back.session, client.session);
  assert.equal(await observer.exists("/gone"), CODE.ok);
  for (let round = 0; round < 4; round++) await alive(scene, back, 1_000);
  assert.equal(await observer.exists("/gone"), CODE.noNode);
  assert.equal(await observer.exists("/back"), CODE.ok);
});

test("sessions that the first member in turn does not take over are taken over by the next", async () => {
  const { scene, one, two } = await twoNodes();
  // It does not reach the store, or does not serve ZooKeeper's clients.
  scene.members.add(nodeId("node-9.run"));
  for (let count = 0; count < 8; count++) await (await one.connect()).create(`/e${count}`, "", EPHEMERAL);
  const observer = await two.connect({ timeoutMs: 40_000 });
  await one.stop();
  await alive(scene, observer, 30_000);
  assert.deepEqual(await observer.children("/"), ["zookeeper"]);
});

test("a judge that others took for dead takes its session back", async () => {
  const { scene, one, two } = await twoNodes();
  const client = await one.connect({ timeoutMs: 5_000 });
  await client.create("/kept", "", EPHEMERAL);
  scene.members.delete(one.self);
  await alive(scene, client, 20_000);
  scene.members.add(one.self);
  await alive(scene, client, 2_000);
  assert.equal(client.isClosed, false);
  assert.equal(await (await two.connect()).exists("/kept"), CODE.ok);
});

test("a client that has seen more than the store has is turned away", async () => {
  const { one } = await twoNodes();
  const client = one.dial();
  assert.equal(await client.greet({ lastZxidSeen: 1n << 50n }), undefined);
  assert.ok(client.isClosed);
});

test("a session with many ephemerals ends with all of them", async () => {
  const { scene, one, two } = await twoNodes();
  const client = await one.connect();
  const paths = Array.from({ length: 130 }, (_, at) => `/many-${at}`);
  for (const path of paths) client.send(OPERATION.create, createOf(path, "", EPHEMERAL));
  await client.settle();
  assert.equal(await client.code(OPERATION.closeSession), CODE.ok);
  const other = await two.connect();
  await scene.pass(500);
  assert.deepEqual(await other.children("/"), ["zookeeper"]);
});

test("a client that waits for its answer is not silent", async () => {
  const scene = new ZooKeeperScene({ next: () => 1, unknownPart: 0 });
  const node = await scene.start();
  const client = await node.connect({ timeoutMs: 40_000 });
  assert.ok(node.store !== undefined);
  node.store.isAway = true;
  client.send(OPERATION.create, createOf("/late", "", EPHEMERAL));
  await scene.pass(20_000);
  node.store.return();
  await scene.pass(25_000);
  await client.settle();
  assert.deepEqual([client.replies.map(({ code }) => code), client.isClosed], [[CODE.ok], false]);
});

test("time that the process stood still does not count", async () => {
  const { scene, one } = await twoNodes();
  const client = await one.connect({ timeoutMs: 5_000 });
  scene.nowMs += 20_000;
  one.connections.server.resumed(20_000);
  await scene.pass(1_000);
  assert.equal((await client.ping()).code, CODE.ok);
});

test("a client that comes back while the end of its session is under way is told that it has ended", async () => {
  const scene = new ZooKeeperScene({ next: () => 1, unknownPart: 0 });
  const node = await scene.start();
  const client = await node.connect({ timeoutMs: 5_000 });
  client.drop();
  await scene.pass(4_500);
  assert.ok(node.store !== undefined);
  node.store.isAway = true;
  await scene.pass(1_000);
  const back = node.dial();
  const greeted = back.greet({ session: client.session, password: client.password, timeoutMs: client.timeoutMs });
  assert.equal(await greeted, undefined);
  node.store.return();
  await scene.pass(1_000);
  await back.settle();
  assert.equal(back.isClosed, true);
  assert.deepEqual([back.session, back.replies], [0n, []]);
});

test("a node that stood still answers nothing as of before, until it has reached the store", async () => {
  const scene = new ZooKeeperScene({ next: () => 1, unknownPart: 0 });
  const [still, other] = [await scene.start(), await scene.start()];
  const writer = await other.connect();
  await writer.create("/r", "old");
  await scene.pass(1_000);
  const reader = await still.connect({ timeoutMs: 12_000 });
  assert.equal(await reader.get("/r"), "old");
  assert.ok(still.store !== undefined);
  still.store.isAway = true;
  await writer.set("/r", "new");
  scene.nowMs += 9_000;
  // Its sockets are read before it notices that it stood still.
  const read = reader.send(OPERATION.getData, (to) => to.string("/r").bool(false));
  reader.send(OPERATION.ping, undefined, -2);
  still.connections.server.resumed(9_000);
  await reader.settle();
  assert.deepEqual([reader.replies.length, reader.isClosed], [1, false]);
  still.store.return();
  await scene.pass(1_500);
  await reader.settle();
  const { body } = reader.replies.find(({ xid }) => xid === read) ?? assert.fail("the read is answered");
  assert.equal(Buffer.from(body.buffer() ?? []).toString(), "new");
});

test("a node that stood still and does not reach the store cuts its clients off", async () => {
  const scene = new ZooKeeperScene({ next: () => 1, unknownPart: 0 });
  const node = await scene.start();
  await scene.pass(1_000);
  const client = await node.connect({ timeoutMs: 12_000 });
  assert.ok(node.store !== undefined);
  node.store.isAway = true;
  scene.nowMs += 7_000;
  node.connections.server.resumed(7_000);
  await scene.pass(500);
  assert.equal((await client.ping()).code, CODE.ok);
  await scene.pass(3_000);
  assert.equal(client.isClosed, true);
});

test("containers without children, and znodes whose time is over, are removed", async () => {
  const { scene, one } = await twoNodes();
  const client = await one.connect({ timeoutMs: 40_000 });
  await client.ask(OPERATION.createContainer, createOf("/box", "", 4));
  await client.ask(OPERATION.createContainer, createOf("/new", "", 4));
  await client.create("/box/child");
  await client.ask(OPERATION.createTTL, (to) => {
    createOf("/ttl", "", 5)(to);
    to.long(15_000);
  });
  await alive(scene, client, 12_000);
  assert.deepEqual(await client.children("/"), ["box", "new", "ttl", "zookeeper"]);
  await client.delete("/box/child");
  await alive(scene, client, 12_000);
  assert.deepEqual(await client.children("/"), ["new", "zookeeper"]);
});
