import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CODE, OPERATION } from "./codec/operations.ts";
import { createOf, type RawClient, settled, ZooKeeperScene } from "./testing/scene.ts";

async function oneClient() {
  const scene = new ZooKeeperScene();
  const node = await scene.start();
  return { scene, node, client: await node.connect() };
}

test("a new client gets a session with the timeout it asked for, within bounds", async () => {
  const { node, client } = await oneClient();
  assert.equal(client.timeoutMs, 10_000);
  assert.notEqual(client.session, 0n);
  assert.equal((await node.connect({ timeoutMs: 1 })).timeoutMs, 4_000);
  assert.equal((await node.connect({ timeoutMs: 1_000_000 })).timeoutMs, 40_000);
});

test("the connect response has the readOnly byte if the request has it", async () => {
  const { node } = await oneClient();
  assert.equal((await node.dial().greet({}))?.length, 37);
  assert.equal((await node.dial().greet({ hasReadOnly: false }))?.length, 36);
});

test("creates, reads, writes and deletes answer as ZooKeeper does", async () => {
  const { client } = await oneClient();
  assert.equal(await client.create("/a", "one"), "/a");
  assert.equal(await client.create("/a"), CODE.nodeExists);
  assert.equal(await client.create("/x/y"), CODE.noNode);
  assert.equal(await client.get("/a"), "one");
  assert.equal(await client.set("/a", "two", 7), CODE.badVersion);
  assert.equal(await client.set("/a", "two", 0), CODE.ok);
  assert.equal(await client.get("/a"), "two");
  assert.equal(await client.create("/a/s-", "", 2), "/a/s-0000000000");
  assert.equal(await client.create("/a/s-", "", 2), "/a/s-0000000001");
  assert.deepEqual(await client.children("/a"), ["s-0000000000", "s-0000000001"]);
  assert.equal(await client.delete("/a"), CODE.notEmpty);
  assert.equal(await client.delete("/a/s-0000000000"), CODE.ok);
  assert.equal(await client.create("/a/s-", "", 2), "/a/s-0000000002");
  assert.equal(await client.get("/nix"), CODE.noNode);
  assert.deepEqual(await client.children("/"), ["a", "zookeeper"]);
});

const BAD_PATHS = ["", "a", "/zookeeper/", "//a", "/a/./b", "/a/../b", "/a\u0001"];
for (const path of BAD_PATHS) {
  test(`the path ${JSON.stringify(path)} is refused by every operation that takes one`, async () => {
    const { client } = await oneClient();
    const { create, create2, createContainer, setData, setACL, getACL, exists, getData, getChildren } = OPERATION;
    for (const type of [create, create2])
      assert.equal(await client.code(type, createOf(path, "", 0)), CODE.badArguments);
    assert.equal(await client.code(createContainer, createOf(path, "", 4)), CODE.badArguments);
    assert.equal(await client.delete(path), CODE.badArguments);
    assert.equal(await client.code(setData, (to) => to.string(path).buffer(undefined).int(-1)), CODE.badArguments);
    assert.equal(await client.code(setACL, (to) => to.string(path).int(0).int(-1)), CODE.badArguments);
    for (const type of [exists, getData, getChildren, OPERATION.getChildren2]) {
      assert.equal(await client.code(type, (to) => to.string(path).bool(true)), CODE.badArguments);
    }
    for (const type of [getACL, OPERATION.getAllChildrenNumber]) {
      assert.equal(await client.code(type, (to) => to.string(path)), CODE.badArguments);
    }
    assert.equal(await client.code(OPERATION.addWatch, (to) => to.string(path).int(0)), CODE.badArguments);
  });
}

test("flags that mean nothing, and a TTL that is none, are bad arguments", async () => {
  const { client } = await oneClient();
  for (const flags of [-1, 5, 7, 100]) assert.equal(await client.create("/f", "", flags), CODE.badArguments);
  for (const ttl of [0n, -1n, 2n ** 40n]) {
    const write = (to: Parameters<ReturnType<typeof createOf>>[0]) => {
      createOf("/t", "", 5)(to);
      to.long(ttl);
    };
    assert.equal(await client.code(OPERATION.createTTL, write), CODE.badArguments);
  }
});

test("an unknown operation and those that are not served have their errors, and the connection stays", async () => {
  const { client } = await oneClient();
  assert.equal(await client.code(999), CODE.unimplemented);
  assert.equal(await client.code(OPERATION.deleteContainer), CODE.unimplemented);
  assert.equal(await client.code(OPERATION.reconfig), CODE.reconfigDisabled);
  assert.equal(await client.code(OPERATION.sasl), CODE.authFailed);
  assert.equal((await client.ping()).code, CODE.ok);
});

test("a record that is cut short is answered as one that can't be read", async () => {
  const { client } = await oneClient();
  for (const type of Object.values(OPERATION)) {
    const bare = new Set<number>([OPERATION.ping, OPERATION.closeSession, OPERATION.whoAmI, OPERATION.reconfig]);
    const other = new Set<number>([OPERATION.sasl, OPERATION.check, OPERATION.deleteContainer]);
    if (bare.has(type) || other.has(type)) continue;
    assert.equal(await client.code(type, (to) => to.int(5)), CODE.marshallingError, `${type}`);
  }
});

test("answers leave in the order of the requests, and a read behind a write shows it", async () => {
  const { client } = await oneClient();
  const xids = [
    client.send(OPERATION.create, createOf("/o", "1", 0)),
    client.send(OPERATION.getData, (to) => to.string("/o").bool(false)),
    client.send(OPERATION.setData, (to) => to.string("/o").buffer(Buffer.from("2")).int(-1)),
    client.send(OPERATION.ping, undefined, -2),
    client.send(OPERATION.getData, (to) => to.string("/o").bool(false)),
    client.send(OPERATION.delete, (to) => to.string("/o").int(-1)),
    client.send(OPERATION.exists, (to) => to.string("/o").bool(false)),
  ];
  await client.settle();
  assert.deepEqual(
    client.replies.map(({ xid }) => xid),
    xids,
  );
  const texts = [client.replies[1], client.replies[4]].map((reply) =>
    Buffer.from(reply?.body.buffer() ?? []).toString(),
  );
  assert.deepEqual(texts, ["1", "2"]);
  assert.deepEqual(
    client.replies.map(({ code }) => code),
    [0, 0, 0, 0, 0, 0, CODE.noNode],
  );
  const zxids = client.replies.map(({ zxid }) => zxid);
  assert.deepEqual(
    zxids,
    [...zxids].sort((a, b) => Number(a - b)),
  );
});

test("a watch fires once, before the answer that shows the change", async () => {
  const { node, client } = await oneClient();
  const other = await node.connect();
  await client.create("/w");
  await other.get("/w", true);
  await other.children("/", true);
  assert.equal(await other.exists("/later", true), CODE.noNode);
  await client.set("/w", "1");
  await client.set("/w", "2");
  await client.create("/later");
  await other.settle();
  assert.deepEqual(other.events, [
    { type: 3, path: "/w" },
    { type: 1, path: "/later" },
    { type: 4, path: "/" },
  ]);
});

test("any bytes after the greeting end nothing but this connection", async () => {
  const { node, client } = await oneClient();
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 4 }), async (chunks) => {
      const victim = await node.connect();
      for (const chunk of chunks) victim.frame(chunk);
      for (const chunk of chunks) victim.raw(chunk);
      await settled();
    }),
    { numRuns: 50 },
  );
  assert.equal(await client.exists("/"), CODE.ok);
});

test("a frame that is too large, or negative, and a greeting that is none end the connection", async () => {
  const { node } = await oneClient();
  for (const hex of ["7fffffff", "ffffffff", "00000004" + "00000000"]) {
    const client = node.dial();
    client.raw(Buffer.from(hex, "hex"));
    assert.ok(client.isClosed, hex);
  }
});

test("the greeting and requests right behind it may come byte by byte, or at once", async () => {
  const { node } = await oneClient();
  const bytes = Buffer.from(
    `0000002d${"00000000"}${"0".repeat(16)}${"00002710"}${"0".repeat(16)}00000010${"0".repeat(32)}00` +
      `00000008fffffffe0000000b`,
    "hex",
  );
  for (const size of [1, bytes.length]) {
    const client: RawClient = node.dial();
    for (let at = 0; at < bytes.length; at += size) client.raw(new Uint8Array(bytes.subarray(at, at + size)));
    await settled();
    const written = Buffer.concat(client.connection.written);
    assert.equal(written.length, 4 + 37 + 4 + 16);
  }
});
