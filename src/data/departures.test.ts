// A data node's handling of gone sessions and of their clients' publications.

import assert from "node:assert/strict";
import { test } from "node:test";
import { clientId, nodeId } from "../model/ids.ts";
import {
  kinds,
  ORDERS,
  OTHER,
  PEER,
  publication,
  put,
  removed,
  SELF,
  SESSION,
  START_MS,
  serving,
  TestData,
} from "./testing/harness.ts";
import { unfinished } from "./unfinished.ts";

const LEASE_MS = 30_000;
const byOther = { owner: { session: OTHER, client: clientId("c2") } };

/** The session's process is gone, and meta has reported it. */
function lose(node: TestData): void {
  node.step({ kind: "sessionDown", session: SESSION });
  node.members(OTHER);
}

test("clients of a lost session have its lease to return through another one, and are gone then", () => {
  const node = serving();
  node.publish(put({ registId: "returns", address: "a" }), put({ registId: "stays away", address: "b" }));
  lose(node);
  node.publish(put({ registId: "returns", address: "a", registeredMs: START_MS + 500, ...byOther }));
  node.pass(LEASE_MS - 1);
  assert.deepEqual(node.list().addresses, ["a", "b"]);
  node.pass(1);
  assert.deepEqual(node.list().addresses, ["a"]);
});

test("a process that stood still for long does not end what it could not hear of", () => {
  const node = serving();
  node.publish(put());
  lose(node);
  node.nowMs += 2 * LEASE_MS;
  node.step({ kind: "sessionUp", session: SESSION });
  node.pass(LEASE_MS);
  assert.equal(node.list().addresses.length, 1);
});

test("what a session was asked for, and took with it, is not waited for when its lease is over", () => {
  const node = serving();
  const entries = [{ serviceKey: ORDERS, registId: "r1", version: 1n, registeredMs: START_MS }];
  node.tell({ kind: "inventory", epoch: 1n, slot: 0, entries, isFirst: true, isLast: true });
  assert.deepEqual([...unfinished(node.data.parts)], [`slot 0 wants something of ${SESSION}`]);
  lose(node);
  node.pass(LEASE_MS);
  assert.deepEqual([...unfinished(node.data.parts)], []);
});

const threeOf = (node: TestData) =>
  node.publish(
    ...["a", "b", "c"].map((address) => put({ registId: address, address })),
    put({ registId: "d", address: "d", ...byOther }),
  );

test("when most of a service would go with its session the list is held, and says so", () => {
  const node = serving();
  threeOf(node);
  lose(node);
  node.pass(LEASE_MS + 100_000);
  assert.deepEqual(node.list().addresses, ["a", "b", "c", "d"]);
  const sinceMs = START_MS + LEASE_MS;
  const untilMs = sinceMs + 600_000;
  assert.deepEqual(node.data.heldLosses, [{ serviceKey: ORDERS, sinceMs, untilMs, lost: 3, publishers: 4 }]);
});

test("an operator releases a held list", () => {
  const node = serving();
  threeOf(node);
  lose(node);
  node.pass(LEASE_MS);
  node.step({ kind: "releaseHeld", serviceKey: ORDERS });
  assert.deepEqual([node.list().addresses, node.data.heldLosses], [["d"], []]);
});

test("a node that does not lead a slot any more holds nothing in it", () => {
  const node = serving();
  threeOf(node);
  lose(node);
  node.pass(LEASE_MS);
  assert.equal(node.data.heldLosses.length, 1);
  node.table({ leader: PEER, followers: [SELF] });
  assert.deepEqual(node.data.heldLosses, []);
});

test("a held list is released by itself after a long time", () => {
  const node = serving();
  threeOf(node);
  lose(node);
  node.pass(LEASE_MS + 599_999);
  assert.equal(node.list().addresses.length, 4);
  node.pass(1);
  assert.deepEqual(node.list().addresses, ["d"]);
});

test("a held list is no longer held when its session is back", () => {
  const node = serving();
  threeOf(node);
  lose(node);
  node.pass(LEASE_MS);
  node.step({ kind: "sessionUp", session: SESSION });
  assert.deepEqual(node.data.heldLosses, []);
  node.pass(1_000_000);
  assert.equal(node.list().addresses.length, 4);
});

test("clients that came back elsewhere while the list was held are not removed with the others", () => {
  const node = serving();
  threeOf(node);
  lose(node);
  node.pass(LEASE_MS);
  node.publish(put({ registId: "a", address: "a", registeredMs: node.nowMs, ...byOther }));
  node.step({ kind: "releaseHeld", serviceKey: ORDERS });
  assert.deepEqual(node.list().addresses, ["a", "d"]);
});

/** Another session reports the same client, by a clock that is behind. */
const claim = (node: TestData) => {
  const entry = { serviceKey: ORDERS, registId: "r1", version: 1n, registeredMs: START_MS - 60_000 };
  node.tell({ kind: "inventory", epoch: 1n, slot: 0, entries: [entry], isFirst: true, isLast: true }, OTHER);
  return entry;
};

test("at the end of a session's lease another one that claims its client is asked, and has it without a gap", () => {
  const node = serving();
  node.publish(put());
  claim(node);
  lose(node);
  node.sent = [];
  node.pass(LEASE_MS);
  const [asked] = node.sent;
  assert.ok(asked?.to === OTHER && asked.message.kind === "wanted");
  const [offered] = asked.message.superseded;
  assert.deepEqual([offered?.by.registeredMs, offered?.isRemoved], [START_MS, true]);
  assert.equal(node.list().addresses.length, 1);
  const before = node.list().state;
  node.publish(put({ registeredMs: START_MS + 1, ...byOther }));
  node.pass(LEASE_MS);
  assert.deepEqual(node.list().state, before);
});

test("a client that was claimed, and of whom nothing more is said, is gone soon after", () => {
  const node = serving({}, { lossProtectionPercent: 100 });
  node.publish(put());
  claim(node);
  lose(node);
  node.pass(LEASE_MS + 4_999);
  assert.equal(node.list().addresses.length, 1);
  node.pass(1);
  assert.equal(node.list().addresses.length, 0);
});

test("what is claimed of a session that goes right after another one is offered too", () => {
  const [first, second, claimant] = [SESSION, OTHER, nodeId("session-3.a")];
  const node = serving();
  node.step({ kind: "sessionUp", session: claimant });
  const claimed = [first, second].map((session, at) => ({ session, registId: `r${at}` }));
  for (const { session, registId } of claimed) {
    node.publish(put({ registId, address: registId, owner: { session, client: clientId("c") } }));
  }
  const stamp = { version: 1n, registeredMs: START_MS - 60_000 };
  const entries = claimed.map(({ registId }) => ({ serviceKey: ORDERS, registId, ...stamp }));
  node.tell({ kind: "inventory", epoch: 1n, slot: 0, entries, isFirst: true, isLast: true }, claimant);
  node.members(second, claimant);
  node.step({ kind: "sessionDown", session: first });
  node.pass(10);
  node.members(claimant);
  node.step({ kind: "sessionDown", session: second });
  node.sent = [];
  node.pass(LEASE_MS);
  const offered = node.sent.flatMap(({ to, message }) =>
    to === claimant && message.kind === "wanted" ? message.superseded.map(({ registId }) => registId) : [],
  );
  assert.deepEqual(offered, ["r0", "r1"]);
});

test("what was removed at the end of a session's lease is shown together with the rest that it brings back", () => {
  const node = serving({}, { lossProtectionPercent: 100 });
  const [dead, fresh] = [publication(), publication({ registId: "r2", address: "10.0.0.2:80" })];
  node.publish(put());
  lose(node);
  node.pass(LEASE_MS + 1);
  node.step({ kind: "sessionUp", session: SESSION });
  node.members(SESSION, OTHER);
  node.publish({ kind: "put", publication: fresh });
  node.tell({ kind: "digests", epoch: 1n, slots: [{ slot: 0, count: 2, digest: 1n }] });
  node.tell({ kind: "inventory", epoch: 1n, slot: 0, entries: [dead, fresh], isFirst: true, isLast: true });
  assert.deepEqual(kinds(node.fetch()), ["notReady"]);
  node.publish(put({ registeredMs: START_MS + 1 }));
  assert.deepEqual(node.list().addresses, ["10.0.0.1:80", "10.0.0.2:80"]);
});

/**
 * A session took the client's registration from the other one by the time alone, and reports that the client has left.
 */
function leaveAfterContest(node: TestData): void {
  node.publish(put());
  const winner = put({ registeredMs: START_MS + 1, ...byOther });
  node.tell({ kind: "publish", batch: 1, epoch: 1n, items: [winner] }, OTHER);
  const left = removed("left", { version: 1n, registeredMs: START_MS + 1 });
  node.tell({ kind: "publish", batch: 2, epoch: 1n, items: [left] }, OTHER);
}

test("what was taken from another session by the time alone is offered to that one before it is removed", () => {
  const node = serving();
  leaveAfterContest(node);
  const asked = node.sent.find(({ to, message }) => to === SESSION && message.kind === "wanted")?.message;
  assert.ok(asked?.kind === "wanted");
  const [offered] = asked.superseded;
  assert.deepEqual([offered?.stamp.registeredMs, offered?.isRemoved], [START_MS, true]);
  const before = node.list().state;
  node.publish(put({ registeredMs: START_MS + 2 }));
  node.pass(LEASE_MS);
  assert.deepEqual(node.list().state, before, "it answers with its registration, and nobody sees a difference");
});

test("it goes when the other session says that its client has left too, or says nothing for fifteen seconds", () => {
  const answered = serving();
  leaveAfterContest(answered);
  assert.equal(answered.list().addresses.length, 1);
  answered.publish(removed("left", { version: 1n, registeredMs: START_MS }));
  assert.equal(answered.list().addresses.length, 0);
  const silent = serving();
  leaveAfterContest(silent);
  silent.pass(14_999);
  assert.equal(silent.list().addresses.length, 1);
  silent.pass(1);
  assert.equal(silent.list().addresses.length, 0);
});

test("a client whose return looked old is asked for before the removal from the session that it left counts", () => {
  const node = serving();
  node.publish(put({ registeredMs: START_MS + 5_000 }));
  const before = node.list().state;
  node.tell({ kind: "publish", batch: 1, epoch: 1n, items: [put(byOther)] }, OTHER);
  node.publish(removed("left", { version: 1n, registeredMs: START_MS + 5_000 }));
  const asked = node.sent.find(({ to, message }) => to === OTHER && message.kind === "wanted")?.message;
  assert.deepEqual(asked?.kind === "wanted" && asked.superseded.map(({ isRemoved }) => isRemoved), [true]);
  const restamped = put({ registeredMs: START_MS + 5_001, ...byOther });
  const left = removed("left", { version: 1n, registeredMs: START_MS });
  node.tell({ kind: "publish", batch: 2, epoch: 1n, items: [restamped, left] }, OTHER);
  node.pass(LEASE_MS);
  assert.deepEqual(node.list().state, before, "it is back with a later time, and nobody sees a difference");
});

test("a leader that came later knows it too, from what the other session says that it holds", () => {
  const node = serving();
  node.tell({ kind: "publish", batch: 1, epoch: 1n, items: [put({ registeredMs: START_MS + 1, ...byOther })] }, OTHER);
  node.tell({ kind: "inventory", epoch: 1n, slot: 0, entries: [publication()], isFirst: true, isLast: true });
  const left = removed("left", { version: 1n, registeredMs: START_MS + 1 });
  node.tell({ kind: "publish", batch: 2, epoch: 1n, items: [left] }, OTHER);
  assert.ok(node.sent.some(({ to, message }) => to === SESSION && message.kind === "wanted"));
  assert.equal(node.list().addresses.length, 1);
});

test("a leader that begins may hear first where a client is, and then where it was, by a clock that is ahead", () => {
  const node = new TestData();
  for (const session of [SESSION, OTHER]) node.step({ kind: "sessionUp", session });
  node.members(SESSION, OTHER);
  node.table({});
  const was = { registeredMs: START_MS + 80_000, ...byOther };
  node.publish(put());
  node.tell({ kind: "publish", batch: 1, epoch: 1n, items: [put(was)] }, OTHER);
  for (const [session, entries] of [
    [SESSION, [publication()]],
    [OTHER, [publication(was)]],
  ] as const) {
    node.tell({ kind: "inventory", epoch: 1n, slot: 0, entries, isFirst: true, isLast: true }, session);
  }
  const before = node.list().state;
  const left = removed("left", { version: 1n, registeredMs: START_MS + 80_000 });
  node.tell({ kind: "publish", batch: 2, epoch: 1n, items: [left] }, OTHER);
  assert.ok(node.sent.some(({ to, message }) => to === SESSION && message.kind === "wanted"));
  node.publish(put({ registeredMs: START_MS + 80_001 }));
  node.pass(6_000);
  assert.deepEqual(node.list().state, before);
});

test("a session whose link was lost may say late where a client was; one that was there says what is", () => {
  const afterMove = (isLinkLost: boolean) => {
    const node = serving();
    if (isLinkLost) {
      node.step({ kind: "sessionDown", session: OTHER });
      node.step({ kind: "sessionUp", session: OTHER });
    }
    node.publish(put());
    const was = put({ registeredMs: START_MS + 2_000, ...byOther });
    node.tell({ kind: "publish", batch: 1, epoch: 1n, items: [was] }, OTHER);
    const left = removed("left", { version: 1n, registeredMs: START_MS + 2_000 });
    node.tell({ kind: "publish", batch: 2, epoch: 1n, items: [left] }, OTHER);
    return node.sent.some(({ to, message }) => to === SESSION && message.kind === "wanted");
  };
  assert.deepEqual([afterMove(true), afterMove(false)], [true, false]);
});

test("a process that stood still may read that a client left before it reads that it is back elsewhere", () => {
  const node = serving();
  node.publish(put());
  const before = node.list().state;
  node.nowMs += 3_000;
  node.publish(removed("left", { version: 1n, registeredMs: START_MS }));
  node.tell(
    { kind: "publish", batch: 1, epoch: 1n, items: [put({ registeredMs: START_MS + 500, ...byOther })] },
    OTHER,
  );
  node.pass(2_000);
  assert.deepEqual(node.list().state, before);
  node.nowMs += 3_000;
  node.tell(
    { kind: "publish", batch: 2, epoch: 1n, items: [removed("left", { version: 1n, registeredMs: START_MS + 500 })] },
    OTHER,
  );
  node.pass(1_000);
  assert.deepEqual(node.list().addresses, [], "who is not back is gone a second later");
});

test("a session that has said that the client left is not asked", () => {
  const node = serving();
  node.publish(put());
  const winner = put({ registeredMs: START_MS + 1, ...byOther });
  node.tell({ kind: "publish", batch: 1, epoch: 1n, items: [winner] }, OTHER);
  node.publish(removed("left", { version: 1n, registeredMs: START_MS }));
  const left = removed("left", { version: 1n, registeredMs: START_MS + 1 });
  node.tell({ kind: "publish", batch: 2, epoch: 1n, items: [left] }, OTHER);
  assert.equal(node.list().addresses.length, 0);
});

test("what only a session claims that is gone too goes with the first", () => {
  const node = serving({}, { lossProtectionPercent: 100 });
  node.publish(put());
  claim(node);
  for (const gone of [SESSION, OTHER]) node.step({ kind: "sessionDown", session: gone });
  node.members();
  node.pass(LEASE_MS);
  assert.equal(node.list().addresses.length, 0);
});

test("who asked for what one session's client holds hears nothing when another session is gone", () => {
  const third = nodeId("session-3.a");
  const node = serving();
  node.step({ kind: "sessionUp", session: third });
  node.members(SESSION, OTHER, third);
  const [holder, other] = ["10.0.0.7", "10.6.6.6"].map((host) => clientId(`${host}:1_10.1.0.1:9600`));
  assert.ok(holder && other);
  node.publish(put({ owner: { session: SESSION, client: holder } }));
  const challenge = put({ version: 2n, owner: { session: OTHER, client: other } });
  node.step({ kind: "sessionDown", session: third });
  node.members(SESSION, OTHER);
  node.pass(LEASE_MS - 1);
  node.tell({ kind: "publish", batch: 2, epoch: 1n, items: [challenge] }, OTHER);
  node.sent = [];
  node.pass(2);
  assert.deepEqual(node.sent, []);
});

test("a session's last word on a client that went on to another one counts only for exactly what is there", () => {
  const leaves = (version: bigint, registeredMs: number) => {
    const node = serving();
    node.publish(put({ version: 2n, registeredMs: START_MS + 500, ...byOther }));
    node.publish(removed("left", { version, registeredMs }));
    return node.list().addresses.length;
  };
  assert.equal(leaves(2n, START_MS + 500), 0, "the registration that it names is the one that stands");
  assert.equal(leaves(2n, START_MS + 501), 1, "what it published last never got here, and another answers now");
  assert.equal(leaves(3n, START_MS), 1);
  assert.equal(leaves(1n, START_MS), 1);
});

test("a client's own word ends its registration, whichever session it comes through", () => {
  const node = serving();
  node.publish(put(byOther));
  node.publish(removed("unpublished", { version: 2n, registeredMs: START_MS }));
  assert.deepEqual(node.list().addresses, []);
});
