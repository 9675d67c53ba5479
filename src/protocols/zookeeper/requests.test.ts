import assert from "node:assert/strict";
import { test } from "node:test";
import { anonymous } from "../../access/principal.ts";
import { fail } from "../../base/errors.ts";
import { type ClientAccess, OPEN_ACCESS } from "../kit/clientAccess.ts";
import { CODE, OPERATION } from "./codec/operations.ts";
import { createOf, type RawClient, ZooKeeperScene } from "./testing/scene.ts";

const RECURSIVE = 1;
const AUTH_XID = -4;

function addWatch(client: RawClient, path: string, mode: number): Promise<number> {
  return client.code(OPERATION.addWatch, (to) => to.string(path).int(mode));
}

test("watches that have fired take nothing of a client's share", async () => {
  const scene = new ZooKeeperScene();
  const client = await (await scene.start()).connect();
  await client.create("/a");
  await addWatch(client, "/always", RECURSIVE);
  await client.exists("/a", true);
  const held = scene.budget.heldBytes;
  for (let time = 0; time < 50; time++) {
    await client.set("/a", String(time));
    await client.exists("/a", true);
  }
  assert.equal(client.events.length, 50);
  assert.equal(scene.budget.heldBytes, held);
  await client.set("/a", "the last");
  await scene.pass(500);
  assert.ok(scene.budget.heldBytes < held);
  client.drop();
  assert.equal(scene.budget.heldBytes, 0);
});

test("a client hears nothing of znodes that it may not read, and everything of others", async () => {
  const scene = new ZooKeeperScene();
  const node = await scene.start();
  const [owner, other] = [await node.connect(), await node.connect()];
  await owner.ask(OPERATION.auth, (to) => to.int(0).string("digest").buffer(Buffer.from("o:p")), AUTH_XID);
  for (const client of [owner, other]) await addWatch(client, "/", RECURSIVE);
  await owner.code(OPERATION.create, createOf("/own", "", 0, [{ permissions: 31, scheme: "auth", id: "" }]));
  await owner.set("/own", "x");
  // Of both transactions, which are in one commit, nothing is left.
  owner.send(OPERATION.create, createOf("/own/brief", "", 0, [{ permissions: 31, scheme: "auth", id: "" }]));
  owner.send(OPERATION.delete, (to) => to.string("/own/brief").int(-1));
  await owner.create("/open");
  await owner.delete("/own");
  await other.settle();
  assert.deepEqual(other.events, [{ type: 1, path: "/open" }]);
  const seen = owner.events.map(({ type, path }) => `${type} ${path}`);
  assert.deepEqual(seen, ["1 /own", "3 /own", "1 /own/brief", "2 /own/brief", "1 /open", "2 /own"]);
});

test("a digest is a login, which may be refused; an address proves nothing, and is none", async () => {
  // No login is known.
  const identify: ClientAccess["identify"] = ({ from, credentials }, then) =>
    then(credentials === undefined ? anonymous(from) : fail("CREDENTIALS_REFUSED", {}));
  const node = await new ZooKeeperScene().start({}, { ...OPEN_ACCESS, identify });
  const auth = async (scheme: string) => {
    const client = await node.connect();
    return client.ask(OPERATION.auth, (to) => to.int(0).string(scheme).buffer(Buffer.from("o:p")), AUTH_XID);
  };
  assert.equal((await auth("ip")).code, CODE.ok);
  assert.equal((await auth("digest")).code, CODE.authFailed);
});

test("reads are answered as before the end of a session that was asked for behind them", async () => {
  const scene = new ZooKeeperScene();
  const client = await (await scene.start()).connect();
  client.send(OPERATION.create, createOf("/e", "", 1));
  const read = client.send(OPERATION.exists, (to) => to.string("/e").bool(false));
  client.send(OPERATION.closeSession);
  await client.settle();
  assert.deepEqual(
    client.replies.map(({ code }) => code),
    [CODE.ok, CODE.ok, CODE.ok],
  );
  assert.equal(client.replies[1]?.xid, read);
  assert.ok(client.isClosed);
});

test("a thousand requests are under way at most, and all are answered in their order", async () => {
  const scene = new ZooKeeperScene();
  const node = await scene.start();
  const client = await node.connect();
  const sent = [client.send(OPERATION.create, createOf("/a", "", 0))];
  for (let more = 0; more < 3_000; more++)
    sent.push(client.send(OPERATION.exists, (to) => to.string("/a").bool(false)));
  assert.equal(client.queued, 1_000);
  await client.settle();
  assert.deepEqual(
    client.replies.map(({ xid }) => xid),
    sent,
  );
});

test("a session that a node can't look up, since the store is away, has not expired", async () => {
  const scene = new ZooKeeperScene({ next: () => 0.99, unknownPart: 0 });
  const [one, two] = [await scene.start(), await scene.start()];
  await scene.pass(1_000);
  assert.ok(two.store !== undefined);
  two.store.isAway = true;
  const client = await one.connect();
  const moved = two.dial();
  assert.equal(await moved.greet({ session: client.session, password: client.password }), undefined);
  assert.ok(moved.isClosed);
});
