import assert from "node:assert/strict";
import { test } from "node:test";
import { accessBy, closedAccess } from "../kit/testing/fakeAccess.ts";
import { CODE, OPERATION } from "./codec/operations.ts";
import { ZOOKEEPER_REQUESTS } from "./judge.ts";
import { createOf, type RawClient, ZooKeeperScene } from "./testing/scene.ts";

const PATH_AND = {
  watch: (path: string) => (to: Parameters<ReturnType<typeof createOf>>[0]) => void to.string(path).bool(true),
  int: (path: string) => (to: Parameters<ReturnType<typeof createOf>>[0]) => void to.string(path).int(0),
};

/** A request of each kind that asks for something. */
const REQUESTS: Readonly<Record<string, (client: RawClient) => Promise<number>>> = {
  create: (client) => client.code(OPERATION.create, createOf("/p", "", 0)),
  create2: (client) => client.code(OPERATION.create2, createOf("/p", "", 0)),
  createContainer: (client) => client.code(OPERATION.createContainer, createOf("/p", "", 4)),
  createTTL: (client) =>
    client.code(OPERATION.createTTL, (to) => {
      createOf("/p", "", 5)(to);
      to.long(1_000);
    }),
  delete: (client) => client.delete("/p"),
  setData: (client) => client.set("/p", "x"),
  setACL: (client) => client.code(OPERATION.setACL, (to) => void to.string("/p").int(0).int(-1)),
  exists: (client) => client.exists("/p", true),
  getData: (client) => client.code(OPERATION.getData, PATH_AND.watch("/p")),
  getACL: (client) => client.code(OPERATION.getACL, (to) => void to.string("/p")),
  getChildren: (client) => client.code(OPERATION.getChildren, PATH_AND.watch("/p")),
  getChildren2: (client) => client.code(OPERATION.getChildren2, PATH_AND.watch("/p")),
  getAllChildrenNumber: (client) => client.code(OPERATION.getAllChildrenNumber, (to) => void to.string("/p")),
  addWatch: (client) => client.code(OPERATION.addWatch, PATH_AND.int("/p")),
  setWatches: (client) => client.code(OPERATION.setWatches, (to) => void to.long(0).int(1).string("/p").int(0).int(0)),
  setWatches2: (client) =>
    client.code(OPERATION.setWatches2, (to) => void to.long(0).int(0).int(0).int(0).int(0).int(1).string("/p")),
  multi: async (client) => {
    const { body } = await client.ask(OPERATION.multi, (to) => {
      to.int(OPERATION.create).bool(false).int(-1);
      createOf("/p", "", 0)(to);
      to.int(-1).bool(true).int(-1);
    });
    body.int();
    body.bool();
    return body.int();
  },
  multiRead: async (client) => {
    const { body } = await client.ask(OPERATION.multiRead, (to) => {
      to.int(OPERATION.getData).bool(false).int(-1).string("/p").bool(false);
      to.int(-1).bool(true).int(-1);
    });
    body.int();
    body.bool();
    return body.int();
  },
};

test("a client that may do nothing is refused by every request that asks for something", async () => {
  const scene = new ZooKeeperScene();
  const client = await (await scene.start({}, closedAccess())).connect();
  const inMulti = ["check", "deleteContainer"];
  for (const { name, asks } of ZOOKEEPER_REQUESTS) {
    if (asks === "open" || inMulti.includes(name)) continue;
    const request = REQUESTS[name] ?? assert.fail(`a request for ${name}`);
    const code = name.startsWith("setWatches") ? await setWatchesCode(client, request) : await request(client);
    assert.equal(code, CODE.noAuth, name);
  }
  assert.equal((await client.ping()).code, CODE.ok);
  assert.deepEqual(await client.code(OPERATION.closeSession), CODE.ok);
});

/** Its answer has a number of its own. */
async function setWatchesCode(client: RawClient, request: (client: RawClient) => Promise<number>): Promise<number> {
  await request(client).catch(() => undefined);
  return client.replies.at(-1)?.code ?? 0;
}

test("paths that a client may not fetch are not among names, and fire no recursive watch", async () => {
  const scene = new ZooKeeperScene();
  const node = await scene.start(
    {},
    accessBy((wish) => !("about" in wish) || typeof wish.about === "string" || !wish.about.name.startsWith("/secret")),
  );
  const writer = await scene.start();
  const client = await node.connect();
  await client.ask(OPERATION.addWatch, (to) => to.string("/").int(1));
  const other = await writer.connect();
  for (const path of ["/secret", "/open"]) await other.create(path);
  await scene.pass(500);
  assert.deepEqual(await client.children("/"), ["open", "zookeeper"]);
  assert.equal(await client.get("/secret"), CODE.noAuth);
  assert.deepEqual(client.events, [{ type: 1, path: "/open" }]);
});

test("the children of a service path are judged as the service", async () => {
  const scene = new ZooKeeperScene();
  const node = await scene.start(
    {},
    accessBy((wish) => wish.action !== "publish" && wish.action !== "list"),
  );
  const client = await node.connect();
  assert.equal(await client.create("/services"), "/services");
  assert.equal(await client.create("/services/a"), "/services/a");
  assert.equal(await client.create("/services/a/i", "{}", 1), CODE.noAuth);
  assert.equal(await client.code(OPERATION.getChildren, PATH_AND.watch("/services/a")), CODE.noAuth);
});
