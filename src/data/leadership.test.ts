// The times at which a data node serves a slot, and its exchange with its followers.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { LeaderToFollower } from "../cluster/messages/replication.ts";
import type { DataToSession } from "../cluster/messages/sessionData.ts";
import { NO_DATUM_VERSION } from "../model/datum.ts";
import { clientId, type NodeId } from "../model/ids.ts";
import type { Publication } from "../model/publication.ts";
import { RegistrationDigest } from "../model/registrationDigest.ts";
import { versionAt } from "../model/version.ts";
import type { DataMemory } from "./dataPorts.ts";
import {
  addressesOf,
  kinds,
  ORDERS,
  OTHER,
  PEER,
  publication,
  put,
  SELF,
  SESSION,
  START_MS,
  serving,
  TestData,
} from "./testing/harness.ts";

function digestOf(...publications: readonly Publication[]) {
  const digest = new RegistrationDigest();
  for (const one of publications) digest.add(one);
  return { slot: 0, count: digest.count, digest: digest.value };
}

/** A node that has just begun to lead, and has heard no session yet. */
function beginning(): TestData {
  const node = new TestData();
  for (const session of [SESSION, OTHER]) node.step({ kind: "sessionUp", session });
  node.members(SESSION, OTHER);
  node.table({});
  node.sent = [];
  return node;
}

const inventory = (node: TestData, entries: readonly Publication[], from: NodeId = SESSION) =>
  node.tell({ kind: "inventory", epoch: 1n, slot: 0, entries, isFirst: true, isLast: true }, from);

test("a slot neither answers nor notifies before every session was heard", () => {
  const node = beginning();
  assert.deepEqual(kinds(node.fetch()), ["notReady"]);
  assert.deepEqual(kinds(node.publish(put())), ["taken"]);
  node.tell({ kind: "digests", epoch: 1n, slots: [digestOf(publication())] });
  assert.deepEqual(kinds(node.fetch()), ["notReady"]);
  node.holdsNothing(OTHER);
  const [first] = node.sent.filter(({ message }) => message.kind === "snapshot");
  assert.ok(first?.message.kind === "snapshot" && first.to === OTHER);
  assert.deepEqual(addressesOf(first.message.datum.publications), ["10.0.0.1:80"]);
});

test("a version whose list was not copied as a whole is not shown, but one above it", () => {
  const given = { version: versionAt(START_MS - 1_000), origin: 1n };
  const of = { slot: 0, leaderEpoch: 1n };
  const follower = (): TestData => {
    const node = new TestData();
    node.members();
    node.table({ leader: PEER, leaderEpoch: 1n, followers: [SELF] });
    node.step({ kind: "leaderUp", node: PEER });
    return node;
  };
  const tell = (node: TestData, message: LeaderToFollower) => node.step({ kind: "fromLeader", from: PEER, message });
  const change = { ...of, ...given, kind: "change", serviceKey: ORDERS, items: [put()], expected: 0 } as const;
  const copy = { ...of, kind: "replica", datums: [], gone: [], isLast: true } as const;

  const partial = follower();
  tell(partial, change);
  partial.table({});
  assert.ok(partial.list().state.version > given.version, "the change may be one of many that the leader had");
  assert.deepEqual(partial.list().addresses, ["10.0.0.1:80"]);
  assert.deepEqual(kinds(partial.fetch(given)), ["recall"], "who has the whole list is asked for it");

  const whole = follower();
  tell(whole, change);
  tell(whole, copy);
  whole.table({});
  assert.deepEqual(whole.list().state, given, "the leader has compared its list with what is here");
  assert.deepEqual(kinds(whole.fetch(given)), ["current"]);
});

test("a session that never speaks is waited for as long as its lease", () => {
  const node = beginning();
  node.holdsNothing(OTHER);
  node.fetch();
  node.sent = [];
  node.pass(29_999);
  assert.deepEqual(kinds(node.sent.map(({ message }) => message)), []);
  node.pass(1_001);
  assert.deepEqual(kinds(node.sent.map(({ message }) => message)), ["snapshot"]);
});

test("a session that is no member any more is not waited for", () => {
  const node = beginning();
  node.holdsNothing(OTHER);
  node.members(OTHER);
  assert.deepEqual(kinds(node.fetch()), ["snapshot"]);
});

test("what a session lacks here is wanted, and the slot is complete when it has come", () => {
  const node = beginning();
  node.holdsNothing(OTHER);
  assert.deepEqual(kinds(node.tell({ kind: "digests", epoch: 1n, slots: [digestOf(publication())] })), ["differs"]);
  const [answer] = inventory(node, [publication()]);
  assert.deepEqual(answer, { kind: "wanted", slot: 0, keys: [[ORDERS, "r1"]], superseded: [] });
  assert.deepEqual(kinds(node.fetch()), ["notReady"]);
  node.publish(put());
  assert.deepEqual(node.list().addresses, ["10.0.0.1:80"]);
});

test("what a session has no longer is dropped, and nobody else's", () => {
  const node = serving();
  node.publish(put({ registId: "r1", address: "a" }), put({ registId: "r2", address: "b" }));
  node.publish(put({ registId: "r3", address: "c", owner: { session: OTHER, client: clientId("c2") } }));
  inventory(node, [publication({ registId: "r2" })]);
  assert.deepEqual(node.list().addresses, ["b", "c"]);
});

test("what a session brings back after it was away for its lease is shown together", () => {
  const node = serving();
  const both = [publication({ registId: "r1", address: "a" }), publication({ registId: "r2", address: "b" })];
  node.step({ kind: "sessionDown", session: SESSION });
  node.members(OTHER);
  node.pass(30_000);
  node.fetch();
  node.step({ kind: "sessionUp", session: SESSION });
  node.tell({ kind: "digests", epoch: 1n, slots: [digestOf(...both)] });
  inventory(node, both);
  assert.deepEqual(kinds(node.publish(put({ registId: "r1", address: "a" }))), ["taken"]);
  node.fetch();
  const shown = node.publish(put({ registId: "r2", address: "b" })).find((message) => message.kind === "snapshot");
  assert.deepEqual(addressesOf(shown?.datum.publications ?? []), ["a", "b"]);
});

test("who hears every change hears also of one that was made while the list was held back", () => {
  const node = serving();
  const both = [publication({ registId: "r1", address: "a" }), publication({ registId: "r2", address: "b" })];
  node.step({ kind: "sessionDown", session: SESSION });
  node.members(OTHER);
  node.pass(30_000);
  node.fetch();
  node.step({ kind: "sessionUp", session: SESSION });
  node.tell({ kind: "digests", epoch: 1n, slots: [digestOf(...both)] });
  inventory(node, both);
  const items = both.map((one) => put({ registId: one.registId, payload: one.payload }));
  assert.deepEqual(kinds(node.publish(...items)), ["taken", "synced", "changed"]);
});

test("a registration that lost is named with what won", () => {
  const node = serving();
  const newer = publication({ registeredMs: 2_000_000_000_000, owner: { session: OTHER, client: clientId("c2") } });
  node.publish(put(newer));
  const lost = publication();
  const superseded = [
    {
      serviceKey: ORDERS,
      registId: "r1",
      stamp: { version: 1n, registeredMs: lost.registeredMs },
      by: { version: 1n, registeredMs: newer.registeredMs },
      isRemoved: false,
    },
  ];
  assert.deepEqual(node.publish(put(lost)), [{ kind: "taken", batch: 1, superseded, unlisted: [], isFull: false }]);
  assert.deepEqual(inventory(node, [lost]), [
    { kind: "wanted", slot: 0, keys: [], superseded },
    { kind: "synced", slots: [0] },
  ]);
});

test("what sessions say of a newer table than ours counts when ours has come", () => {
  const node = new TestData();
  node.members(SESSION);
  node.step({ kind: "sessionUp", session: SESSION });
  const digests = { kind: "digests", epoch: 1n, slots: [{ slot: 0, count: 0, digest: 0n }] } as const;
  assert.deepEqual(node.tell(digests), []);
  node.table({});
  assert.deepEqual(kinds(node.sent.map(({ message }) => message)), ["synced"]);
  assert.deepEqual(kinds(node.fetch()), ["snapshot"]);
});

test("what a session says of two newer tables, one after the other, counts for the slots of both", () => {
  const node = new TestData();
  node.members(SESSION);
  node.step({ kind: "sessionUp", session: SESSION });
  const nothing = (slot: number) => ({ slot, count: 0, digest: 0n });
  node.tell({ kind: "digests", epoch: 1n, slots: [nothing(0)] });
  node.tell({ kind: "digests", epoch: 2n, slots: [nothing(1)] });
  const owner = { leader: SELF, leaderEpoch: 2n, followers: [] };
  const table = { epoch: 2n, slots: [{ ...owner, leaderEpoch: 1n }, owner] };
  node.step({ kind: "fromMeta", message: { kind: "slotTable", table, versionFloor: 0n } });
  assert.ok(node.data.isServing);
});

test("a list of the same number that another leader gave is not taken for the same list", () => {
  const node = serving();
  node.publish(put());
  const { state } = node.list();
  const [same] = node.fetch(state);
  assert.equal(same?.kind, "current");
  const [other] = node.fetch({ version: state.version, origin: 77n });
  assert.ok(other?.kind === "snapshot" && other.datum.version > state.version);
});

/** A follower of PEER, and the leader's messages to it. */
function following(memory: Partial<DataMemory> = {}): { node: TestData; say: (message: LeaderToFollower) => void } {
  const node = new TestData(memory);
  node.members(SESSION);
  node.table({ leader: PEER, followers: [SELF] });
  node.step({ kind: "leaderUp", node: PEER });
  return { node, say: (message) => node.step({ kind: "fromLeader", from: PEER, message }) };
}

const lastReport = (node: TestData) => {
  const heartbeat = node.toMeta.findLast((message) => message.kind === "heartbeat");
  return heartbeat?.slots;
};

test("a follower asks its leader, is in sync when it has everything, and says so", () => {
  const { node, say } = following();
  assert.deepEqual(
    node.linked.map(({ id }) => id),
    [PEER],
  );
  assert.deepEqual(node.toLeader, [{ to: PEER, message: { kind: "follow", slot: 0, leaderEpoch: 1n, kept: [] } }]);
  assert.deepEqual(lastReport(node)?.inSync, []);
  say({ kind: "replica", slot: 0, leaderEpoch: 1n, datums: [], gone: [], isLast: true });
  assert.deepEqual(lastReport(node)?.inSync, [0]);
});

test("a follower that is promoted shows what its leader had, under the same version", () => {
  const { node, say } = following();
  const version = { version: 5n << 40n, origin: 1n };
  const datum = { serviceKey: ORDERS, ...version, publications: [publication()], tombstones: [] };
  say({ kind: "replica", slot: 0, leaderEpoch: 1n, datums: [datum], gone: [], isLast: true });
  const items = [put({ registId: "r2", address: "b" })];
  const next = { version: version.version + 1n, origin: 1n };
  say({ kind: "change", slot: 0, leaderEpoch: 1n, serviceKey: ORDERS, ...next, items, expected: 0 });
  node.step({ kind: "sessionUp", session: SESSION });
  node.table({ leader: SELF });
  assert.deepEqual(kinds(node.fetch(next, SESSION)), ["notReady"]);
  const held = [publication(), publication({ registId: "r2", address: "b" })];
  node.tell({ kind: "digests", epoch: 2n, slots: [digestOf(...held)] });
  assert.ok(
    node.sent.some(({ message }) => message.kind === "current"),
    "the session's list is still the newest",
  );
});

test("a follower that lost its link asks again with what it has, and gets the difference only", () => {
  const leader = serving();
  leader.publish(put());
  const kept = [{ serviceKey: ORDERS, ...leader.list().state, ...digestOf(publication()) }];
  const follow = { kind: "follow", slot: 0, leaderEpoch: 1n, kept } as const;
  leader.step({ kind: "fromFollower", from: PEER, message: follow });
  const hold = { remainingMs: 0, expected: [] };
  assert.deepEqual(leader.toFollower, [
    { to: PEER, message: { kind: "replica", slot: 0, leaderEpoch: 1n, datums: [], gone: [], isLast: true, hold } },
  ]);
  leader.publish(put({ registId: "r2", address: "b" }));
  const change = leader.toFollower.at(-1)?.message;
  assert.ok(change?.kind === "change" && change.items.length === 1);
  leader.step({ kind: "followerDown", node: PEER });
  leader.publish(put({ registId: "r3" }));
  assert.equal(leader.toFollower.length, 2);
});

test("a leader whose follower led before goes on above the versions that it gave", () => {
  const leader = serving();
  leader.publish(put());
  const { version } = leader.list().state;
  const kept = [{ serviceKey: ORDERS, version: version + 1_000n, origin: 0n, ...digestOf(publication()) }];
  leader.step({ kind: "fromFollower", from: PEER, message: { kind: "follow", slot: 0, leaderEpoch: 1n, kept } });
  const answer = leader.toFollower.at(-1)?.message;
  assert.ok(answer?.kind === "replica" && answer.datums[0] !== undefined);
  assert.ok(answer.datums[0].version > version + 1_000n);
});

test("a node whose slot was given away while it led tells the next leader what it gave, until that one knows", () => {
  const node = serving();
  node.publish(put());
  const { version } = node.list().state;
  node.table({ leader: PEER });
  node.table({ leader: PEER, followers: [SELF], leaderEpoch: 2n });
  const linked = () => {
    node.step({ kind: "leaderUp", node: PEER });
    return node.toLeader.at(-1)?.message.kept;
  };
  const untold = { serviceKey: ORDERS, version, origin: 0n, count: 0, digest: 0n };
  assert.deepEqual(linked(), [untold]);
  assert.deepEqual(linked(), [untold], "the leader has not answered");
  const answer = { kind: "replica", slot: 0, leaderEpoch: 2n, datums: [], gone: [ORDERS], isLast: true } as const;
  node.step({ kind: "fromLeader", from: PEER, message: answer });
  assert.deepEqual(linked(), []);
});

test("a leader goes on above what a follower says that it gave and does not hold any more", () => {
  const leader = serving();
  leader.publish(put());
  const { version } = leader.list().state;
  const untold = { serviceKey: ORDERS, version: version + 1_000n, origin: 0n, count: 0, digest: 0n };
  const message = { kind: "follow", slot: 0, leaderEpoch: 1n, kept: [untold] } as const;
  leader.step({ kind: "fromFollower", from: PEER, message });
  const answer = leader.toFollower.at(-1)?.message;
  assert.ok(answer?.kind === "replica" && answer.datums[0] !== undefined);
  assert.ok(answer.datums[0].version > version + 1_000n);
});

test("who begins to lead gives versions above the highest that meta has heard of, and tells that on", () => {
  const node = new TestData();
  node.step({ kind: "sessionUp", session: SESSION });
  node.members(SESSION);
  const versionFloor = versionAt(START_MS + 3_600_000);
  const table = { epoch: 1n, slots: [{ leader: SELF, leaderEpoch: 1n, followers: [] }] };
  node.step({ kind: "fromMeta", message: { kind: "slotTable", table, versionFloor } });
  node.holdsNothing(SESSION);
  node.publish(put());
  const { version } = node.list().state;
  assert.ok(version > versionFloor);
  node.pass(1_000);
  const heartbeat = node.toMeta.findLast((message) => message.kind === "heartbeat");
  assert.equal(heartbeat?.newestVersion, version);
});

test("a node that was started again says the floor of its last life", () => {
  const node = new TestData({ versionFloor: 1n << 60n });
  node.pass(1_000);
  const [heartbeat] = node.toMeta;
  assert.ok(heartbeat?.kind === "heartbeat" && heartbeat.newestVersion === 1n << 60n);
});

test("a follower that is early is told so and asks again", () => {
  const { node, say } = following();
  say({ kind: "notLeader", slot: 0, leaderEpoch: 1n });
  node.pass(200);
  assert.equal(node.toLeader.length, 2);
});

test("a node that lost its lead answers nobody for the slot", () => {
  const node = serving();
  node.publish(put());
  node.fetch(NO_DATUM_VERSION, SESSION);
  node.table({ leader: PEER });
  const answers: DataToSession[] = [...node.fetch(), ...node.publish(put({ version: 2n }))];
  assert.deepEqual(kinds(answers), ["notReady", "moved"]);
});

test("a node that leaves says so with every heartbeat and leads until it is told otherwise", () => {
  const node = serving();
  node.step({ kind: "leave" });
  const heartbeat = node.toMeta.at(-1);
  assert.ok(heartbeat?.kind === "heartbeat" && heartbeat.isLeaving);
  assert.equal(node.data.slotsLed, 1);
  node.table({ leader: PEER });
  assert.equal(node.data.slotsLed, 0);
});

test("a node that leaves keeps a slot that it follows until the table names another in its place", () => {
  const node = serving();
  node.step({ kind: "leave" });
  node.table({ leader: PEER, followers: [SELF] });
  assert.deepEqual([node.data.slotsLed, node.data.slotsKept], [0, 1]);
  node.table({ leader: PEER });
  assert.equal(node.data.slotsKept, 0);
});

/** A follower that has copied one service with one publisher, which its disk knows. */
function copied(memory: Partial<DataMemory> = {}): ReturnType<typeof following> {
  const { node, say } = following(memory);
  const datum = { serviceKey: ORDERS, version: 5n << 40n, origin: 1n, publications: [publication()], tombstones: [] };
  say({ kind: "replica", slot: 0, leaderEpoch: 1n, datums: [datum], gone: [], isLast: true });
  node.pass(1_000);
  return { node, say };
}

test("a follower's disk knows the sizes of services too, until others keep them", () => {
  const { node, say } = copied();
  const version = { version: (5n << 40n) + 1n, origin: 1n };
  const items = [put({ registId: "r2" })];
  say({ kind: "change", slot: 0, leaderEpoch: 1n, serviceKey: ORDERS, ...version, items, expected: 0 });
  node.pass(1_000);
  node.table({ leader: PEER });
  node.pass(1_000);
  assert.deepEqual(node.savedSizes, [
    [ORDERS, 1],
    [ORDERS, 2],
    [ORDERS, 0],
  ]);
});

test("a follower whose leader has a service no more forgets its size", () => {
  const { node, say } = copied();
  say({ kind: "replica", slot: 0, leaderEpoch: 1n, datums: [], gone: [ORDERS], isLast: true });
  node.pass(1_000);
  assert.deepEqual(node.savedSizes.at(-1), [ORDERS, 0]);
});

test("a node that hands over because it stops still knows the sizes when it starts again", () => {
  const { node } = copied();
  node.step({ kind: "leave" });
  node.table({ leader: PEER });
  node.pass(1_000);
  assert.deepEqual(node.savedSizes, [[ORDERS, 1]]);
});

test("the end of a restart's hold leaves a follower's sizes as they are, and a partial copy too", () => {
  const { node } = copied({ serviceSizes: new Map([[ORDERS, 2]]) });
  assert.deepEqual(node.savedSizes, [], "the leader does not have all yet");
  node.pass(20_000);
  assert.deepEqual(node.savedSizes, [[ORDERS, 1]]);
});

test("a slot table that comes after a newer one is not followed", () => {
  const node = serving();
  const tableOf = (epoch: bigint, leader: NodeId) => {
    const table = { epoch, slots: [{ leader, leaderEpoch: 1n, followers: [] }] };
    node.step({ kind: "fromMeta", message: { kind: "slotTable", table, versionFloor: 0n } });
  };
  tableOf(12n, SELF);
  tableOf(11n, PEER);
  assert.equal(node.data.slotTable?.epoch, 12n);
  assert.equal(node.data.slotsLed, 1);
});

test("a follower hears what its leader has taken, and nothing of what lost against something newer", () => {
  const node = serving();
  node.table({ followers: [PEER] });
  for (const session of [SESSION, OTHER]) node.holdsNothing(session);
  node.step({ kind: "fromFollower", from: PEER, message: { kind: "follow", slot: 0, leaderEpoch: 2n, kept: [] } });
  node.toFollower.splice(0);
  node.publish(put({ version: 2n }));
  node.publish(put({ version: 1n }));
  assert.deepEqual(
    node.toFollower.map(({ message }) => message.kind === "change" && message.items.length),
    [1],
  );
});
