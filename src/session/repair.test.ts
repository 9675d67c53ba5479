// The session's repair of data nodes that lost publications of its clients.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import type { DataToSession, SessionToData, Superseded } from "../cluster/messages/sessionData.ts";
import { nodeId } from "../model/ids.ts";
import {
  batches,
  connect,
  DATA,
  disconnect,
  forgetSent,
  fromData,
  nowMs,
  ORDERS,
  ORIGIN,
  pass,
  publish,
  removals,
  reset,
  START_MS,
  session,
  snapshot,
  subscribe,
  tableOf,
  taken,
  toData,
  toMeta,
} from "./testing/harness.ts";

const OTHER_DATA = nodeId("data-2");

beforeEach(reset);

const ofKind = <K extends SessionToData["kind"]>(kind: K) =>
  toData.filter((message): message is Extract<SessionToData, { kind: K }> => message.kind === kind);
const adopt = (leader = OTHER_DATA, epoch = 2n) =>
  session.step(
    { kind: "fromMeta", message: { kind: "slotTable", table: tableOf(leader, epoch), versionFloor: 0n } },
    nowMs,
  );
const countsSent = () => ofKind("digests").map(({ slots }) => slots.map(({ count }) => count));

function superseded(changes: Partial<Superseded> = {}): Superseded {
  const stamp = { version: 1n, registeredMs: START_MS };
  const by = { version: 1n, registeredMs: START_MS + 700 };
  return { serviceKey: ORDERS, registId: "p1", stamp, by, isRemoved: false, ...changes };
}

test("a data node is compared when it can be reached and then regularly", () => {
  publish(connect());
  taken();
  session.step({ kind: "dataDown", node: DATA }, nowMs);
  forgetSent();
  session.step({ kind: "dataUp", node: DATA }, nowMs);
  assert.deepEqual(countsSent(), [[1]]);
  pass(6_000);
  assert.deepEqual(countsSent(), [[1], [1]]);
});

test("a node that is busy with changes is compared later", () => {
  publish(connect());
  forgetSent();
  pass(8_000);
  assert.deepEqual(countsSent(), []);
  fromData({ kind: "taken", batch: 1, superseded: [], unlisted: [], isFull: false });
  pass(1_000);
  assert.deepEqual(countsSent(), [[1]]);
});

test("a new leader is told at once what is here, and nothing is sent again that it has", () => {
  publish(connect());
  taken();
  session.step({ kind: "dataUp", node: OTHER_DATA }, nowMs);
  forgetSent();
  adopt();
  assert.deepEqual([countsSent(), batches()], [[[1]], []]);
});

test("where a slot differs the whole inventory is sent, and what is wanted is published again", () => {
  publish(connect());
  taken();
  forgetSent();
  fromData({ kind: "differs", slots: [0] });
  const [inventory] = ofKind("inventory");
  assert.deepEqual(inventory?.entries, [{ serviceKey: ORDERS, registId: "p1", version: 1n, registeredMs: START_MS }]);
  assert.deepEqual([inventory?.isFirst, inventory?.isLast], [true, true]);
  fromData({ kind: "wanted", slot: 0, keys: [[ORDERS, "p1"]], superseded: [] });
  assert.equal(batches().flat().length, 1);
});

test("an empty inventory is sent too: it takes away what a data node holds too much", () => {
  fromData({ kind: "differs", slots: [0] });
  assert.deepEqual(
    ofKind("inventory").map(({ entries, isLast }) => [entries.length, isLast]),
    [[0, true]],
  );
});

test("a registration that lost by the clock of another session alone gets a later time, once", () => {
  publish(connect());
  fromData({ kind: "taken", batch: 1, superseded: [superseded()], unlisted: [], isFull: false });
  const [again] = batches().at(-1) ?? [];
  assert.ok(again?.kind === "put" && again.publication.registeredMs === START_MS + 701);
  const stamp = { version: 1n, registeredMs: START_MS + 701 };
  const by = { version: 1n, registeredMs: START_MS + 9_000 };
  forgetSent();
  fromData({ kind: "taken", batch: 2, superseded: [superseded({ stamp, by })], unlisted: [], isFull: false });
  assert.deepEqual(batches(), []);
});

test("one that gave way is still compared, and is published again when what won was removed as dead", () => {
  publish(connect());
  taken();
  fromData({ kind: "wanted", slot: 0, keys: [], superseded: [superseded()] });
  forgetSent();
  fromData({ kind: "differs", slots: [0] });
  assert.equal(ofKind("inventory")[0]?.entries.length, 1);
  fromData({ kind: "wanted", slot: 0, keys: [], superseded: [superseded({ isRemoved: true })] });
  const [again] = batches().at(-1) ?? [];
  assert.ok(again?.kind === "put" && again.publication.registeredMs === START_MS + 701);
});

test("one that lost against a newer version is not spoken of any more", () => {
  publish(connect());
  taken();
  const by = { version: 2n, registeredMs: START_MS };
  fromData({ kind: "wanted", slot: 0, keys: [], superseded: [superseded({ by, isRemoved: true })] });
  forgetSent();
  fromData({ kind: "differs", slots: [0] });
  assert.deepEqual([batches(), ofKind("inventory")[0]?.entries], [[], []]);
});

test("what was removed at the end of this session's lease is published again when the session is back", () => {
  publish(connect());
  taken();
  forgetSent();
  const by = { version: 1n, registeredMs: START_MS };
  fromData({ kind: "wanted", slot: 0, keys: [], superseded: [superseded({ by, isRemoved: true })] });
  const [again] = batches().at(-1) ?? [];
  assert.ok(again?.kind === "put" && again.publication.registeredMs === START_MS + 1);
});

test("one that was in place gives way to the client's return elsewhere, though its connection seems to stand", () => {
  publish(connect());
  taken();
  forgetSent();
  fromData({ kind: "differs", slots: [0] });
  fromData({ kind: "wanted", slot: 0, keys: [], superseded: [superseded()] });
  assert.deepEqual(batches(), []);
});

test("one that gave way is not defended here against who registers it next", () => {
  publish(connect());
  taken();
  fromData({ kind: "wanted", slot: 0, keys: [], superseded: [superseded()] });
  const next = connect();
  publish(next, { version: 2n });
  assert.equal(next.channel.outcomes[0]?.kind, "accepted");
});

test("one whose client is gone does not fight for its place", () => {
  const client = connect();
  publish(client);
  disconnect(client);
  forgetSent();
  fromData({ kind: "taken", batch: 1, superseded: [superseded()], unlisted: [], isFull: false });
  assert.deepEqual(batches(), []);
});

test("one that was removed as dead and whose client has left is said to have left, for the data node waits", () => {
  const client = connect();
  publish(client);
  taken();
  disconnect(client);
  forgetSent();
  fromData({ kind: "wanted", slot: 0, keys: [], superseded: [superseded({ isRemoved: true })] });
  const [item] = batches().flat();
  assert.ok(item?.kind === "remove" && item.removal.cause === "left");
});

test("only the node that leads a service is listened to", () => {
  const client = connect();
  subscribe(client);
  snapshot(10n);
  const datum = { serviceKey: ORDERS, version: 99n, origin: ORIGIN, publications: [] };
  session.step({ kind: "fromData", from: OTHER_DATA, message: { kind: "snapshot", datum } }, nowMs);
  assert.deepEqual(client.channel.versions, [10n]);
});

test("a node that does not know yet that it leads is tried again soon, and meta is asked for a newer table", () => {
  publish(connect());
  fromData({ kind: "moved", batch: 1, epoch: 5n });
  forgetSent();
  pass(49);
  assert.deepEqual(batches(), []);
  pass(1);
  assert.equal(batches().flat().length, 1);
  assert.equal(toMeta.filter(({ kind }) => kind === "heartbeat").length, 2);
});

test("what a new leader was asked before it knew that it leads is asked again once it knows what is here", () => {
  subscribe(connect());
  session.step({ kind: "dataUp", node: OTHER_DATA }, nowMs);
  adopt();
  const fromLeader = (message: DataToSession) => session.step({ kind: "fromData", from: OTHER_DATA, message }, nowMs);
  fromLeader({ kind: "notReady", serviceKey: ORDERS });
  forgetSent();
  fromLeader({ kind: "synced", slots: [0] });
  assert.deepEqual(
    toData.map(({ kind }) => kind),
    ["fetch"],
  );
  fromLeader({ kind: "synced", slots: [0] });
  assert.equal(toData.length, 1, "later comparisons are no reason to ask");
});

test("an older slot table is ignored", () => {
  session.step({ kind: "dataUp", node: OTHER_DATA }, nowMs);
  adopt(OTHER_DATA, 3n);
  adopt(DATA, 2n);
  assert.equal(session.slotTable?.epoch, 3n);
});

test("the clients of a session that drains leave no removals behind", () => {
  const client = connect();
  publish(client);
  session.step({ kind: "drain" }, nowMs);
  assert.equal(session.isDrained, false, "the registration is still on its way");
  disconnect(client);
  taken();
  pass(60_000);
  assert.deepEqual(removals(), []);
  fromData({ kind: "synced", slots: [0] });
  assert.equal(session.isDrained, true);
  const last = toMeta.findLast((message) => message.kind === "heartbeat");
  assert.equal(last?.isLeaving, true);
});

test("a session that drains may not end before a new leader has what is held here", () => {
  const client = connect();
  publish(client);
  taken();
  adopt();
  session.step({ kind: "drain" }, nowMs);
  disconnect(client);
  assert.equal(session.isDrained, false, "the new leader can't be reached");
  session.step({ kind: "dataUp", node: OTHER_DATA }, nowMs);
  fromData({ kind: "synced", slots: [0] });
  assert.equal(session.isDrained, false, "the former leader has it");
  session.step({ kind: "fromData", from: OTHER_DATA, message: { kind: "synced", slots: [0] } }, nowMs);
  assert.equal(session.isDrained, true);
});

test("a session that drains waits for the successor of a leader that is lost", () => {
  publish(connect());
  taken();
  session.step({ kind: "drain" }, nowMs);
  assert.equal(session.isDrained, true);
  session.step({ kind: "dataDown", node: DATA }, nowMs);
  assert.equal(session.isDrained, false, "the next leader may lack what this one had");
});

test("a session with nothing to hand over waits for no leader", () => {
  connect();
  adopt();
  session.step({ kind: "drain" }, nowMs);
  assert.equal(session.isDrained, true);
});
