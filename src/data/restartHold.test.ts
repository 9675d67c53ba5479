// The services that a node holds since a restart, and a follower's knowledge of its leader's holds.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { SlotHold } from "../cluster/messages/replication.ts";
import { brandServiceKey } from "../model/ids.ts";
import type { DataMemory } from "./dataPorts.ts";
import { kinds, ORDERS, OTHER, PEER, publication, put, SELF, SESSION, serving, TestData } from "./testing/harness.ts";

const STOCK = brandServiceKey("stock#@#I#@#G");
const NOTHING: SlotHold = { remainingMs: 0, expected: [] };
const COPY = { version: 5n << 40n, origin: 1n };
/** The leader waits for two publishers of ORDERS, and STOCK was not published yet. */
const HOLD: SlotHold = {
  remainingMs: 5_000,
  expected: [
    [ORDERS, 2],
    [STOCK, 1],
  ],
};

/** A follower that has copied one service with one publisher, with this hold from its leader. */
function copied(hold: SlotHold | undefined, memory: Partial<DataMemory> = {}): TestData {
  const node = new TestData(memory);
  for (const session of [SESSION, OTHER]) node.step({ kind: "sessionUp", session });
  node.members(SESSION, OTHER);
  node.table({ leader: PEER, followers: [SELF] });
  node.step({ kind: "leaderUp", node: PEER });
  const datums = [{ serviceKey: ORDERS, ...COPY, publications: [publication()], tombstones: [] }];
  const replica = { kind: "replica", slot: 0, leaderEpoch: 1n, datums, gone: [], isLast: true } as const;
  node.step({
    kind: "fromLeader",
    from: PEER,
    message: { ...replica, ...(hold !== undefined && { hold }) },
  });
  return node;
}

/** It leads, and has heard that its copy is what its sessions have. */
function promoted(node: TestData): TestData {
  node.table({ leader: SELF });
  node.holdsNothing(OTHER);
  const inventory = { epoch: 2n, slot: 0, entries: [publication()], isFirst: true, isLast: true } as const;
  node.tell({ kind: "inventory", ...inventory });
  assert.ok(node.data.isServing);
  return node;
}

test("who asked before the slot was served waits on for what is held since the restart", () => {
  const node = new TestData({ serviceSizes: new Map([[ORDERS, 2]]) });
  node.members(SESSION, OTHER);
  node.table({});
  node.fetch();
  node.sent = [];
  for (const session of [SESSION, OTHER]) node.holdsNothing(session);
  node.pass(1_000);
  assert.ok(node.data.isServing && !node.sent.some(({ message }) => message.kind === "snapshot"));
  const answers = node.publish(put(), put({ registId: "r2" }));
  assert.ok(answers.some(({ kind }) => kind === "snapshot"));
});

test("a follower that is promoted holds what its leader held, though its own disk knew nothing of it", () => {
  const node = promoted(copied(HOLD));
  assert.deepEqual(kinds(node.fetch()), ["notReady"]);
  const askedForStock = node.tell({ kind: "fetch", serviceKey: STOCK, have: { version: 0n, origin: 0n } }, OTHER);
  assert.deepEqual(kinds(askedForStock), ["notReady"]);
  const second = put({ registId: "r2", address: "b" });
  assert.deepEqual(kinds(node.publish(second)), ["taken", "snapshot"]);
});

test("it holds for the time that was left to its leader, and its disk expects what was expected", () => {
  const node = promoted(copied(HOLD));
  node.fetch();
  node.sent = [];
  node.pass(4_900);
  assert.deepEqual(node.sent, []);
  assert.deepEqual(new Map(node.savedSizes), new Map(HOLD.expected));
  node.pass(200);
  assert.deepEqual(kinds(node.sent.map(({ message }) => message)), ["snapshot"]);
  node.pass(1_000);
  assert.deepEqual(
    node.savedSizes.slice(-2),
    [
      [ORDERS, 1],
      [STOCK, 0],
    ],
    "what is not there now is not waited for next time",
  );
});

test("nobody is held for longer than the node would by itself, whatever its leader says", () => {
  const node = promoted(copied({ ...HOLD, remainingMs: Number.MAX_SAFE_INTEGER }));
  node.fetch();
  node.pass(15_100);
  assert.equal(node.data.isServing, true);
  assert.deepEqual(kinds(node.fetch()), ["snapshot"]);
});

test("a follower whose leader held nothing holds nothing when it is promoted, whatever its disk knew", () => {
  const node = copied(NOTHING, { serviceSizes: new Map([[ORDERS, 2]]) });
  assert.deepEqual(kinds(promoted(node).fetch()), ["snapshot"]);
  node.pass(1_000);
  assert.deepEqual(node.savedSizes, [[ORDERS, 1]]);
});

test("a follower that was not told what its leader holds goes by its own disk", () => {
  const node = copied(undefined, { serviceSizes: new Map([[ORDERS, 2]]) });
  assert.deepEqual(kinds(promoted(node).fetch()), ["notReady"]);
});

test("what its leader has released since it was copied is not held", () => {
  const node = copied(HOLD);
  const items = [put({ registId: "r2", address: "b" })];
  const change = { kind: "change", slot: 0, leaderEpoch: 1n, serviceKey: ORDERS } as const;
  const message = { ...change, version: COPY.version + 1n, origin: 1n, items, expected: 0 };
  node.step({ kind: "fromLeader", from: PEER, message });
  node.table({ leader: SELF });
  node.holdsNothing(OTHER);
  const entries = [publication(), publication({ registId: "r2" })];
  node.tell({ kind: "inventory", epoch: 2n, slot: 0, entries, isFirst: true, isLast: true });
  assert.deepEqual(kinds(node.fetch()), ["snapshot"]);
});

test("a service that is held and that nobody has published again is not forgotten with a copy that lacks it", () => {
  const node = copied(HOLD, { serviceSizes: new Map([[ORDERS, 2]]) });
  const replica = { kind: "replica", slot: 0, leaderEpoch: 1n, datums: [], gone: [ORDERS], isLast: true } as const;
  node.step({ kind: "fromLeader", from: PEER, message: { ...replica, hold: HOLD } });
  node.pass(1_000);
  assert.deepEqual(node.savedSizes, [[STOCK, 1]], "of ORDERS the disk still knows two");
});

test("a leader that gets another epoch over a slot holds what it held", () => {
  const node = serving({ serviceSizes: new Map([[ORDERS, 2]]) });
  node.publish(put());
  node.table({ leaderEpoch: 2n });
  node.holdsNothing(OTHER);
  const inventory = { epoch: 2n, slot: 0, entries: [publication()], isFirst: true, isLast: true } as const;
  node.tell({ kind: "inventory", ...inventory });
  assert.ok(node.data.isServing);
  assert.deepEqual(kinds(node.fetch()), ["notReady"]);
});

test("a leader tells its followers what it holds, for how long still, and what it no longer holds", () => {
  const leader = serving({ serviceSizes: new Map([[ORDERS, 2]]) });
  leader.pass(4_000);
  leader.step({
    kind: "fromFollower",
    from: PEER,
    message: { kind: "follow", slot: 0, leaderEpoch: 1n, kept: [] },
  });
  const [replica] = leader.toFollower;
  assert.ok(replica?.message.kind === "replica");
  assert.deepEqual(replica.message.hold, { remainingMs: 11_000, expected: [[ORDERS, 2]] });
  leader.publish(put());
  leader.publish(put({ registId: "r2", address: "b" }));
  const changes = leader.toFollower.slice(1).map(({ message }) => message.kind === "change" && message.expected);
  assert.deepEqual(changes, [2, 0]);
});
