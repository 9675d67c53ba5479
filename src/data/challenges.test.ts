// The owner of a registration that clients of two sessions want.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { DataToSession, PublishItem } from "../cluster/messages/sessionData.ts";
import { clientId, type NodeId, nodeId } from "../model/ids.ts";
import { ORDERS, OTHER, PEER, put, removed, SELF, SESSION, START_MS, serving, TestData } from "./testing/harness.ts";

const LEASE_MS = 30_000;
const THIRD = nodeId("session-3.a");
const OWNER = { session: SESSION, client: clientId("10.0.0.7:1_10.1.0.1:9600") };
const STRANGER = { session: OTHER, client: clientId("10.6.6.6:1_10.1.0.2:9600") };
const OWNERS = { version: 5n, owner: OWNER, address: "mine" };
const STRANGERS = { version: 1n << 40n, owner: STRANGER, address: "strange" };
const STRANGERS_STAMP = { version: 1n << 40n, registeredMs: START_MS };
const OWNERS_STAMP = { version: 5n, registeredMs: START_MS };

/** The owner's registration is listed. */
function held(): TestData {
  const node = serving();
  node.publish(put(OWNERS));
  return node;
}

let batches = 0;
function say(node: TestData, from: NodeId, ...items: readonly PublishItem[]): DataToSession[] {
  const epoch = node.data.slotTable?.epoch ?? 0n;
  return node.tell({ kind: "publish", batch: ++batches, epoch, items }, from);
}

function takenBack(client = STRANGER.client): PublishItem {
  const item = removed("unpublished", STRANGERS_STAMP);
  return item.kind === "remove" ? { kind: "remove", removal: { ...item.removal, client } } : item;
}

const supersededOf = (messages: readonly DataToSession[]) =>
  messages.flatMap((message) => (message.kind === "taken" ? message.superseded : []));

const wantedFrom = (node: TestData) =>
  node.sent.flatMap(({ to, message }) => (message.kind === "wanted" ? [[to, ...message.keys]] : []));

test("a stranger at another session neither gets nor removes what a client holds, and hears whose it is", () => {
  const node = held();
  const before = node.list();
  const lost = supersededOf(say(node, OTHER, put(STRANGERS)));
  assert.deepEqual(lost, [
    {
      serviceKey: ORDERS,
      registId: "r1",
      stamp: STRANGERS_STAMP,
      by: OWNERS_STAMP,
      isRemoved: false,
      holder: OWNER.client,
    },
  ]);
  const [refused] = supersededOf(say(node, OTHER, takenBack()));
  assert.equal(refused?.holder, OWNER.client);
  assert.deepEqual(node.list(), before);
});

test("the owner goes on under its own versions", () => {
  const node = held();
  say(node, OTHER, put(STRANGERS));
  say(node, SESSION, put({ ...OWNERS, version: 6n, address: "mine again" }));
  assert.deepEqual(node.list().addresses, ["mine again"]);
});

test("operators hear once of a stranger that goes on asking, and of each removal", () => {
  const node = held();
  for (let tries = 0; tries < 3; tries++) say(node, OTHER, put(STRANGERS));
  assert.deepEqual(node.contested, [{ serviceKey: ORDERS, registId: "r1", holder: OWNER.client, by: STRANGER.client }]);
  say(node, OTHER, takenBack());
  assert.equal(node.contested.length, 2);
});

const BACK = { session: OTHER, client: clientId("10.0.0.7:2_10.1.0.2:9600") };
const RETURNED = { ...OWNERS, version: 6n, owner: BACK, address: "back" };
const HELD = { serviceKey: ORDERS, registId: "r1", ...OWNERS_STAMP };
const challengedIn = (node: TestData) =>
  node.sent.flatMap(({ to, message }) => (message.kind === "challenged" ? [[to, ...message.registrations]] : []));

test("at the holder's own address another session has it when the holder's yields it, and hears so until then", () => {
  const node = held();
  const [lost] = supersededOf(say(node, OTHER, put(RETURNED)));
  assert.equal(lost?.holder, OWNER.client);
  assert.deepEqual(challengedIn(node), [[SESSION, HELD]]);
  assert.deepEqual(node.list().addresses, ["mine"]);
  node.tell({ kind: "yielded", registrations: [HELD] }, SESSION);
  assert.deepEqual(wantedFrom(node), [[OTHER, [ORDERS, "r1"]]]);
  assert.deepEqual(node.list().addresses, ["mine"], "no gap");
  assert.deepEqual(supersededOf(say(node, OTHER, put(RETURNED))), []);
  assert.deepEqual([node.list().addresses, node.contested], [["back"], []]);
});

test("a client that moves on to yet another session has there at once what was yielded for it", () => {
  const node = held();
  node.step({ kind: "sessionUp", session: THIRD });
  say(node, OTHER, put(RETURNED));
  node.tell({ kind: "yielded", registrations: [HELD] }, SESSION);
  const owner = { session: THIRD, client: clientId("10.0.0.7:3_10.1.0.3:9600") };
  assert.deepEqual(supersededOf(say(node, THIRD, put({ ...RETURNED, owner, address: "third" }))), []);
  assert.deepEqual(node.list().addresses, ["third"]);
});

test("what was yielded for a client is not a stranger's at the same session", () => {
  const node = held();
  say(node, OTHER, put(RETURNED));
  node.tell({ kind: "yielded", registrations: [HELD] }, SESSION);
  for (const item of [takenBack(), put(STRANGERS)]) {
    const [refused] = supersededOf(say(node, OTHER, item));
    assert.deepEqual([refused?.holder, node.list().addresses], [OWNER.client, ["mine"]]);
  }
  assert.deepEqual(supersededOf(say(node, OTHER, put(RETURNED))), []);
  assert.deepEqual(node.list().addresses, ["back"]);
});

test("what was yielded and not taken is asked for anew ten seconds later: its holder may be there again", () => {
  for (const [laterMs, refusals] of [
    [10_000, 0],
    [10_001, 1],
  ] as const) {
    const node = held();
    say(node, OTHER, put(RETURNED));
    node.tell({ kind: "yielded", registrations: [HELD] }, SESSION);
    node.pass(laterMs);
    node.sent = [];
    assert.equal(supersededOf(say(node, OTHER, put(RETURNED))).length, refusals);
    assert.equal(challengedIn(node).length, refusals);
  }
});

test("a holder that left is not asked about the word of the session that its removal waits for", () => {
  const node = held();
  const winner = put({ ...OWNERS, owner: BACK, address: "back", registeredMs: START_MS + 1 });
  say(node, OTHER, winner);
  node.tell({ kind: "yielded", registrations: [HELD] }, SESSION);
  assert.deepEqual(supersededOf(say(node, OTHER, winner)), []);
  say(node, OTHER, removed("left", { version: 5n, registeredMs: START_MS + 1 }));
  assert.deepEqual(node.list().addresses, ["back"], "SESSION had it before, and is asked");
  node.sent = [];
  assert.deepEqual(supersededOf(say(node, SESSION, put({ ...OWNERS, registeredMs: START_MS + 2 }))), []);
  assert.deepEqual(challengedIn(node), []);
  node.pass(10_000);
  assert.deepEqual(node.list().addresses, ["mine"]);
});

test("a holder that says nothing keeps it from others at its address, and operators hear of the second word", () => {
  const node = held();
  for (let tries = 0; tries < 3; tries++) {
    assert.equal(supersededOf(say(node, OTHER, put(RETURNED))).length, 1);
    assert.deepEqual(challengedIn(node), [[SESSION, HELD]]);
  }
  const item = removed("unpublished", { version: 9n, registeredMs: START_MS });
  assert.ok(item.kind === "remove");
  say(node, OTHER, { kind: "remove", removal: { ...item.removal, client: BACK.client } });
  assert.deepEqual(node.list().addresses, ["mine"]);
  assert.deepEqual(node.contested, [{ serviceKey: ORDERS, registId: "r1", holder: OWNER.client, by: BACK.client }]);
});

/** The client that has moved on takes back a registration that its old session seems to hold. */
function takenBackElsewhere(): TestData {
  const node = held();
  const item = removed("unpublished", { version: 6n, registeredMs: START_MS });
  assert.ok(item.kind === "remove");
  node.publish(put({ ...OWNERS, registId: "r2", address: "two" }));
  const removal = { ...item.removal, client: BACK.client };
  assert.equal(supersededOf(say(node, OTHER, { kind: "remove", removal })).length, 1);
  assert.deepEqual(challengedIn(node), [[SESSION, HELD]]);
  assert.deepEqual(node.list().addresses, ["mine", "two"]);
  return node;
}

test("what a client that moved on takes back is gone when its old session yields it, and not said again", () => {
  const node = takenBackElsewhere();
  node.pass(16_500);
  node.tell({ kind: "yielded", registrations: [HELD] }, SESSION);
  assert.deepEqual(node.list().addresses, ["two"]);
  assert.deepEqual(wantedFrom(node), []);
  assert.equal(supersededOf(say(node, SESSION, put({ ...OWNERS, registeredMs: START_MS + 9 }))).length, 1);
});

test("what a client that moved on takes back is gone when its old session is lost right after, not much later", () => {
  for (const [laterMs, addresses] of [
    [5_000, ["two"]],
    [10_001, ["mine", "two"]],
  ] as const) {
    const node = takenBackElsewhere();
    node.pass(laterMs);
    node.step({ kind: "sessionDown", session: SESSION });
    assert.deepEqual(node.list().addresses, addresses);
  }
});

test("a removal that the holder did not yield soon is forgotten, and one that its client's next word replaces", () => {
  const late = takenBackElsewhere();
  late.pass(20_001);
  late.tell({ kind: "yielded", registrations: [HELD] }, SESSION);
  assert.deepEqual(late.list().addresses, ["mine", "two"]);
  const node = takenBackElsewhere();
  say(node, OTHER, put({ ...RETURNED, version: 7n }));
  node.tell({ kind: "yielded", registrations: [HELD] }, SESSION);
  assert.deepEqual(wantedFrom(node), [[OTHER, [ORDERS, "r1"]]]);
  assert.deepEqual(node.list().addresses, ["mine", "two"], "no gap");
});

test("only the holder's session yields, what it holds now, and to who is at the holder's address", () => {
  const node = held();
  say(node, OTHER, put(RETURNED));
  node.tell({ kind: "yielded", registrations: [HELD] }, OTHER);
  node.tell({ kind: "yielded", registrations: [{ ...HELD, version: 4n }] }, SESSION);
  assert.equal(supersededOf(say(node, OTHER, put(RETURNED))).length, 1);
  const strange = held();
  say(strange, OTHER, put(STRANGERS));
  strange.tell({ kind: "yielded", registrations: [HELD] }, SESSION);
  assert.equal(supersededOf(say(strange, OTHER, put(STRANGERS))).length, 1);
});

test("while the holder's session can't be asked the newest word from its address counts, and an earlier one", () => {
  const node = held();
  node.step({ kind: "sessionDown", session: SESSION });
  assert.deepEqual(supersededOf(say(node, OTHER, put(RETURNED))), []);
  assert.deepEqual(node.list().addresses, ["back"]);
  const asked = held();
  say(asked, OTHER, put(RETURNED));
  asked.sent = [];
  asked.step({ kind: "sessionDown", session: SESSION });
  assert.deepEqual(wantedFrom(asked), [[OTHER, [ORDERS, "r1"]]]);
});

test("before a new leader serves the slot the newest word counts: it may have been shown already", () => {
  const node = new TestData();
  for (const session of [SESSION, OTHER]) node.step({ kind: "sessionUp", session });
  node.members(SESSION, OTHER);
  node.table({});
  say(node, SESSION, put(OWNERS));
  assert.deepEqual(supersededOf(say(node, OTHER, put(RETURNED))), []);
  assert.deepEqual(challengedIn(node), []);
});

test("an older word from the holder's own address has lost, and nobody is asked", () => {
  const node = held();
  const [lost] = supersededOf(say(node, OTHER, put({ ...RETURNED, version: 4n })));
  assert.deepEqual([lost?.holder, challengedIn(node)], [undefined, []]);
});

test("of so many that come back from one address in a slot the rest is not asked for", () => {
  const node = serving();
  const ids = Array.from({ length: 1_100 }, (_, at) => `r${at}`);
  node.publish(...ids.map((registId) => put({ ...OWNERS, registId })));
  const lost = supersededOf(say(node, OTHER, ...ids.map((registId) => put({ ...RETURNED, registId }))));
  assert.equal(lost.length, 1_000);
});

test("what a stranger takes back before its owner has it listed is the owner's all the same", () => {
  const node = serving();
  node.publish(put({ ...OWNERS, registId: "r2", address: "two" }));
  say(node, OTHER, takenBack());
  assert.deepEqual(supersededOf(say(node, SESSION, put(OWNERS))), []);
  assert.deepEqual(node.list().addresses, ["mine", "two"]);
});

test("nor does a stranger who takes back what is not listed any more keep out what the owner publishes next", () => {
  const node = held();
  say(node, SESSION, removed("unpublished", { version: 6n, registeredMs: START_MS }));
  say(node, OTHER, takenBack());
  assert.equal(supersededOf(say(node, SESSION, put(OWNERS))).length, 1, "what its owner took back stays away");
  say(node, SESSION, put({ ...OWNERS, version: 7n }));
  assert.deepEqual(node.list().addresses, ["mine"]);
});

test("what an owner takes back before it is listed stays away, whatever a stranger said before", () => {
  const node = serving();
  node.publish(put({ ...OWNERS, registId: "r2", address: "two" }));
  say(node, OTHER, takenBack());
  const item = removed("unpublished", { version: 6n, registeredMs: START_MS });
  assert.ok(item.kind === "remove");
  say(node, OTHER, { kind: "remove", removal: { ...item.removal, client: OWNER.client } });
  assert.equal(supersededOf(say(node, SESSION, put(OWNERS))).length, 1);
  assert.deepEqual(node.list().addresses, ["two"]);
});

test("an owner that is heard after a stranger, under a lower version, is told so, and has it without a gap", () => {
  const node = serving();
  say(node, OTHER, put(STRANGERS));
  const [lost] = supersededOf(say(node, SESSION, put(OWNERS)));
  assert.equal(lost?.holder, STRANGER.client);
  assert.deepEqual(node.contested, [{ serviceKey: ORDERS, registId: "r1", holder: STRANGER.client, by: OWNER.client }]);
  say(node, OTHER, removed("left", STRANGERS_STAMP));
  assert.deepEqual(wantedFrom(node), [[SESSION, [ORDERS, "r1"]]]);
  assert.deepEqual(node.list().addresses, ["strange"]);
  assert.deepEqual(supersededOf(say(node, SESSION, put(OWNERS))), []);
  assert.deepEqual(node.list().addresses, ["mine"]);
  node.pass(10_000);
  assert.deepEqual(node.list().addresses, ["mine"], "the stranger's end is over");
});

test("followers hear of the end of a stranger before the older word of the owner", () => {
  const node = serving();
  node.step({ kind: "fromFollower", from: PEER, message: { kind: "follow", slot: 0, leaderEpoch: 1n, kept: [] } });
  say(node, OTHER, put(STRANGERS));
  say(node, SESSION, put(OWNERS));
  say(node, OTHER, removed("left", STRANGERS_STAMP));
  node.toFollower = [];
  say(node, SESSION, put(OWNERS));
  const [change] = node.toFollower.map(({ message }) => message);
  assert.ok(change?.kind === "change");
  assert.deepEqual(
    change.items.map((item) => (item.kind === "put" ? item.publication.version : item.removal.stamp.version)),
    [STRANGERS.version, OWNERS.version],
  );
});

test("what a stranger that has gone left behind keeps out its own host, and not the owner", () => {
  const node = serving();
  node.publish(put({ ...OWNERS, registId: "r2", address: "two" }));
  say(node, OTHER, put(STRANGERS));
  say(node, OTHER, removed("left", STRANGERS_STAMP));
  assert.equal(supersededOf(say(node, OTHER, put(STRANGERS))).length, 1);
  assert.deepEqual(supersededOf(say(node, SESSION, put(OWNERS))), []);
  assert.deepEqual(node.list().addresses, ["mine", "two"]);
});

test("a session that compares what it holds under a lower version is asked for it, and hears who has it", () => {
  const node = serving();
  say(node, OTHER, put(STRANGERS));
  const entries = [{ serviceKey: ORDERS, registId: "r1", ...OWNERS_STAMP }];
  node.tell({ kind: "inventory", epoch: 1n, slot: 0, isFirst: true, isLast: true, entries });
  assert.deepEqual(wantedFrom(node), [[SESSION, [ORDERS, "r1"]]]);
  assert.equal(supersededOf(say(node, SESSION, put(OWNERS)))[0]?.holder, STRANGER.client);
});

test("what an older version takes back from another address was never what is held, and nobody hears of it", () => {
  const node = serving();
  say(node, OTHER, put(STRANGERS));
  assert.deepEqual(supersededOf(say(node, SESSION, removed("unpublished", OWNERS_STAMP))), []);
  assert.deepEqual([node.list().addresses, node.contested], [["strange"], []]);
});

test("a follower that leads next knows which host a removal was of", () => {
  const node = serving();
  node.publish(put({ ...OWNERS, registId: "r2", address: "two" }));
  say(node, OTHER, put(STRANGERS));
  say(node, OTHER, removed("left", STRANGERS_STAMP));
  node.step({ kind: "fromFollower", from: PEER, message: { kind: "follow", slot: 0, leaderEpoch: 1n, kept: [] } });
  const [{ message } = { message: undefined }] = node.toFollower;
  assert.ok(message?.kind === "replica");
  const next = new TestData();
  next.table({ leader: PEER, followers: [SELF] });
  next.step({ kind: "fromLeader", from: PEER, message });
  next.table({});
  assert.equal(supersededOf(say(next, OTHER, put(STRANGERS))).length, 1);
  assert.deepEqual(supersededOf(say(next, SESSION, put(OWNERS))), []);
});

test("a session that compares what it holds is asked for what a stranger took back", () => {
  const node = serving();
  node.publish(put({ ...OWNERS, registId: "r2", address: "two" }));
  say(node, OTHER, takenBack());
  const entries = [
    { serviceKey: ORDERS, registId: "r1", ...OWNERS_STAMP },
    { serviceKey: ORDERS, registId: "r2", ...OWNERS_STAMP },
  ];
  node.tell({ kind: "inventory", epoch: 1n, slot: 0, isFirst: true, isLast: true, entries });
  assert.deepEqual(wantedFrom(node), [[SESSION, [ORDERS, "r1"]]]);
});

test("a session of an earlier release does not say which client takes something back: it is believed", () => {
  const node = held();
  say(node, OTHER, removed("unpublished", STRANGERS_STAMP));
  assert.deepEqual(node.list().addresses, []);
});

test("when the holder is gone, who asked from another address has the registration without a gap", () => {
  const node = held();
  say(node, OTHER, put(STRANGERS));
  say(node, SESSION, removed("left", OWNERS_STAMP));
  assert.deepEqual(wantedFrom(node), [[OTHER, [ORDERS, "r1"]]]);
  assert.deepEqual(node.list().addresses, ["mine"]);
  say(node, OTHER, put(STRANGERS));
  assert.deepEqual(node.list().addresses, ["strange"]);
  node.pass(10_000);
  assert.deepEqual(node.list().addresses, ["strange"]);
});

test("an inventory without what has left does not end the wait for the session that asked for it", () => {
  for (const isReported of [true, false]) {
    const node = held();
    say(node, OTHER, put(RETURNED));
    if (isReported) say(node, SESSION, removed("left", OWNERS_STAMP));
    const asked = wantedFrom(node);
    node.tell({ kind: "inventory", epoch: 1n, slot: 0, entries: [], isFirst: true, isLast: true }, SESSION);
    assert.deepEqual([...asked, ...wantedFrom(node)], [[OTHER, [ORDERS, "r1"]]], "once");
    assert.deepEqual(node.list().addresses, ["mine"]);
    assert.deepEqual(supersededOf(say(node, OTHER, put(RETURNED))), []);
    node.pass(10_000);
    assert.deepEqual(node.list().addresses, ["back"]);
  }
});

test("a holder that leaves under a publication that never got here makes room for the session that asked, too", () => {
  const node = held();
  say(node, OTHER, put({ ...RETURNED, version: 7n }));
  say(node, SESSION, removed("left", { ...OWNERS_STAMP, version: 6n }));
  const asked = wantedFrom(node);
  node.tell({ kind: "inventory", epoch: 1n, slot: 0, entries: [], isFirst: true, isLast: true }, SESSION);
  assert.deepEqual([...asked, ...wantedFrom(node)], [[OTHER, [ORDERS, "r1"]]], "once");
  assert.deepEqual(node.list().addresses, ["mine"]);
  assert.deepEqual(supersededOf(say(node, OTHER, put({ ...RETURNED, version: 7n }))), []);
  node.pass(15_000);
  assert.deepEqual(node.list().addresses, ["back"]);
  const silent = held();
  say(silent, OTHER, put({ ...RETURNED, version: 7n }));
  say(silent, SESSION, removed("left", { ...OWNERS_STAMP, version: 6n }));
  silent.pass(14_999);
  assert.deepEqual(silent.list().addresses, ["mine"]);
  silent.pass(1);
  assert.deepEqual(silent.list().addresses, []);
});

test("a session that asked and stands still is waited for and asked again, within its lease", () => {
  for (const isBack of [true, false]) {
    const node = held();
    say(node, OTHER, put(RETURNED));
    node.step({ kind: "sessionDown", session: OTHER });
    node.members(SESSION);
    say(node, SESSION, removed("left", OWNERS_STAMP));
    node.sent = [];
    node.pass(LEASE_MS - 1);
    assert.deepEqual(node.list().addresses, ["mine"]);
    if (isBack) node.step({ kind: "sessionUp", session: OTHER });
    node.pass(isBack ? 14_999 : 4_999);
    assert.deepEqual([wantedFrom(node).length, node.list().addresses], [isBack ? 1 : 0, ["mine"]]);
    node.pass(2);
    assert.deepEqual(node.list().addresses, []);
  }
});

test("a session that does not say again what it asked for delays the end of the holder by seconds", () => {
  const node = held();
  say(node, OTHER, put(STRANGERS));
  say(node, SESSION, removed("left", OWNERS_STAMP));
  node.pass(5_000);
  assert.deepEqual(node.list().addresses, []);
});

test("who has gone itself, or asked long ago, is not waited for", () => {
  const gone = held();
  say(gone, OTHER, put(STRANGERS));
  say(gone, OTHER, removed("left", STRANGERS_STAMP));
  say(gone, SESSION, removed("left", OWNERS_STAMP));
  assert.deepEqual(gone.list().addresses, []);
  const late = held();
  say(late, OTHER, put(STRANGERS));
  late.pass(10_001);
  say(late, SESSION, removed("left", OWNERS_STAMP));
  assert.deepEqual(late.list().addresses, []);
});

test("while the holder's session is away nobody else gets what it holds; when its time is over there is no gap", () => {
  const node = held();
  node.step({ kind: "sessionDown", session: SESSION });
  node.members(OTHER);
  node.pass(LEASE_MS - 1_000);
  assert.equal(supersededOf(say(node, OTHER, put(STRANGERS))).length, 1);
  node.sent = [];
  node.pass(1_000);
  assert.deepEqual(wantedFrom(node), [[OTHER, [ORDERS, "r1"]]]);
  assert.deepEqual(node.list().addresses, ["mine"]);
  say(node, OTHER, put(STRANGERS));
  assert.deepEqual(node.list().addresses, ["strange"]);
});

test("a flood of challenges is bounded, and the owner keeps what it has", () => {
  const node = serving();
  const ids = Array.from({ length: 1_500 }, (_, at) => `r${at}`);
  node.publish(...ids.map((registId) => put({ ...OWNERS, registId })));
  say(node, OTHER, ...ids.map((registId) => put({ ...STRANGERS, registId })));
  say(node, SESSION, ...ids.map((registId) => removed("left", OWNERS_STAMP, registId)));
  assert.deepEqual([wantedFrom(node).length, node.list().addresses.length], [1_000, 1_000]);
});

test("a holder that is back keeps what another one could have had meanwhile", () => {
  const node = held();
  say(node, OTHER, put(STRANGERS));
  say(node, SESSION, removed("left", OWNERS_STAMP));
  say(node, SESSION, put({ ...OWNERS, registeredMs: START_MS + 1 }));
  assert.equal(supersededOf(say(node, OTHER, put(STRANGERS))).length, 1);
  assert.deepEqual(node.list().addresses, ["mine"]);
});

test("who may have a registration is not displaced by who asks next", () => {
  const node = held();
  const owner = { session: THIRD, client: clientId("10.7.7.7:1_10.1.0.3:9600") };
  say(node, OTHER, put(STRANGERS));
  say(node, SESSION, removed("left", OWNERS_STAMP));
  say(node, THIRD, put({ ...STRANGERS, version: STRANGERS.version + 1n, address: "third", owner }));
  assert.deepEqual(node.list().addresses, ["mine"]);
  say(node, OTHER, put(STRANGERS));
  assert.deepEqual(node.list().addresses, ["strange"]);
});
