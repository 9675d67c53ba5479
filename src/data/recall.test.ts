import assert from "node:assert/strict";
import { test } from "node:test";
import { NO_DATUM_VERSION } from "../model/datum.ts";
import { brandServiceKey, clientId, type NodeId, nodeId } from "../model/ids.ts";
import type { Publication } from "../model/publication.ts";
import { kinds, ORDERS, OTHER, PEER, publication, SELF, SESSION, START_MS, TestData } from "./testing/harness.ts";

const GONE = nodeId("session-3.a");
const COPIED = { version: 5n << 40n, origin: 3n };
const LATER = { version: COPIED.version + 100n, origin: 3n };
const LATEST = { version: COPIED.version + 200n, origin: 3n };

const of = (session: NodeId, address: string, changes: Partial<Publication> = {}) =>
  publication({ registId: address, address, owner: { session, client: clientId("c1") }, ...changes });

/** A follower that was promoted when its leader and the session GONE were cut off, and has heard all others. */
function promoted(...copy: readonly Publication[]): TestData {
  const node = new TestData();
  for (const session of [SESSION, OTHER]) node.step({ kind: "sessionUp", session });
  node.members(SESSION, OTHER, GONE);
  node.table({ leader: PEER, leaderEpoch: 3n, followers: [SELF] });
  node.step({ kind: "leaderUp", node: PEER });
  const datums = [...Map.groupBy([publication(), ...copy], ({ serviceKey }) => serviceKey)].map(([serviceKey, all]) => {
    return { serviceKey, ...COPIED, publications: all.filter((one) => copy.includes(one)), tombstones: [] };
  });
  const message = { kind: "replica", slot: 0, leaderEpoch: 3n, datums, gone: [], isLast: true } as const;
  node.step({ kind: "fromLeader", from: PEER, message });
  node.members(SESSION, OTHER);
  node.table({ leader: SELF, leaderEpoch: 4n });
  for (const session of [SESSION, OTHER]) node.holdsNothing(session);
  return node;
}

const recalled = (node: TestData, from: NodeId, state: typeof LATER, ...publications: readonly Publication[]) =>
  node.tell({ kind: "recalled", datum: { serviceKey: ORDERS, ...state, publications } }, from);

/** The list shown to the one session that is answered. */
function shown(node: TestData): string[] {
  const lists = node.sent.flatMap(({ message }) => (message.kind === "snapshot" ? [message.datum] : []));
  assert.equal(lists.length, 1);
  const text = ({ registId, version }: Publication) => `${registId}~${version}`;
  return lists.flatMap(({ publications }) => publications.map(text)).sort();
}

test("a session that was shown what the copy does not have says it, and does not go back", () => {
  const node = promoted(of(GONE, "a"), of(GONE, "b"));
  assert.deepEqual(kinds(node.fetch(LATER)), ["recall"]);
  recalled(node, OTHER, LATER, of(GONE, "a", { version: 2n }), of(GONE, "b"), of(GONE, "c"));
  assert.deepEqual(shown(node), ["a~2", "b~1", "c~1"]);
  node.fetch();
  assert.deepEqual(shown(node), ["a~2", "b~1", "c~1"], "everybody else is shown it too");
});

test("it is so when the service has changed since, and its numbers are higher", () => {
  const node = promoted(of(GONE, "a"));
  node.publish({ kind: "put", publication: of(SESSION, "s") });
  assert.deepEqual(kinds(node.fetch(LATER)), ["recall"]);
  recalled(node, OTHER, LATER, of(GONE, "a", { version: 2n }));
  assert.deepEqual(shown(node), ["a~2", "s~1"]);
});

test("what was removed since the copy does not come back", () => {
  const node = promoted(of(GONE, "a"), of(GONE, "b"));
  node.fetch(LATER);
  recalled(node, OTHER, LATER, of(GONE, "b"));
  assert.deepEqual(shown(node), ["b~1"]);
});

test("what a session has published since then stays, though it was not heard yet", () => {
  const node = promoted(of(GONE, "a"));
  const joined = nodeId("session-4.a");
  node.step({ kind: "sessionUp", session: joined });
  const items = [{ kind: "put", publication: of(joined, "n") }] as const;
  node.tell({ kind: "publish", batch: 1, epoch: 4n, items }, joined);
  node.fetch(LATER);
  recalled(node, OTHER, LATER, of(GONE, "a"));
  assert.deepEqual(shown(node), ["a~1", "n~1"]);
});

test("a later leader's list tells what there is, not what there is no more", () => {
  const node = promoted(of(GONE, "a"));
  const other = { ...LATER, origin: 3n + 64n };
  node.table({ leader: SELF, leaderEpoch: 100n });
  for (const session of [SESSION, OTHER]) node.holdsNothing(session);
  assert.deepEqual(kinds(node.fetch(other)), ["recall"]);
  recalled(node, OTHER, other, of(GONE, "b"));
  assert.deepEqual(shown(node), ["a~1", "b~1"]);
});

test("an earlier leader that went on by itself is not believed, whatever its numbers", () => {
  const node = promoted(of(GONE, "a"));
  assert.deepEqual(kinds(node.fetch({ ...LATER, origin: 2n })), ["snapshot"]);
  recalled(node, OTHER, { ...LATER, origin: 2n }, of(GONE, "b"));
  node.fetch();
  assert.deepEqual(shown(node), ["a~1"]);
});

test("of sessions that were heard their own word counts", () => {
  const node = promoted(of(GONE, "a"));
  node.fetch(LATER);
  recalled(node, OTHER, LATER, of(GONE, "a"), of(SESSION, "s"));
  assert.deepEqual(shown(node), ["a~1"]);
});

const STOCK = brandServiceKey("stock#@#I#@#G");
const FOUR = ["1", "2", "3", "4"];

test("what a session's lease took does not come back, though the loss of another service is held", () => {
  const stock = FOUR.map((address) => of(GONE, address, { serviceKey: STOCK }));
  const node = promoted(of(GONE, "a"), ...stock);
  node.publish({ kind: "put", publication: of(SESSION, "s") });
  node.pass(40_000);
  assert.equal(node.data.heldLosses.length, 1);
  assert.deepEqual(kinds(node.fetch(LATER)), ["snapshot"]);
  recalled(node, OTHER, LATER, of(GONE, "a", { version: 2n }));
  node.fetch();
  assert.deepEqual(shown(node), ["s~1"]);
});

test("what the loss protection holds is not taken by a list that is older than it", () => {
  const node = promoted();
  node.step({ kind: "sessionUp", session: GONE });
  const items = FOUR.map((address) => ({ kind: "put", publication: of(GONE, address) }) as const);
  node.tell({ kind: "publish", batch: 1, epoch: 4n, items }, GONE);
  node.step({ kind: "sessionDown", session: GONE });
  node.pass(40_000);
  node.fetch(LATER);
  recalled(node, OTHER, LATER);
  node.fetch();
  assert.deepEqual(shown(node), ["1~1", "2~1", "3~1", "4~1"]);
});

test("a client that went on to another session belongs to it, whatever the clocks say", () => {
  const node = promoted();
  node.publish({ kind: "put", publication: of(SESSION, "a") });
  node.fetch(LATER);
  recalled(node, OTHER, LATER, of(GONE, "a", { registeredMs: START_MS + 5 }));
  node.pass(40_000);
  node.fetch();
  assert.deepEqual(shown(node), ["a~1"]);
});

test("where all sessions were heard nobody is asked, and what a session's lease took stays gone", () => {
  const node = promoted(of(GONE, "a"));
  node.publish({ kind: "put", publication: of(SESSION, "s") });
  node.pass(40_000);
  assert.deepEqual(kinds(node.fetch(LATER)), ["snapshot"]);
  recalled(node, OTHER, LATER, of(GONE, "b"));
  node.fetch();
  assert.deepEqual(shown(node), ["s~1"]);
});

test("one session is asked for all; if it goes, or is shown less than another, that one is", () => {
  const node = promoted(of(GONE, "a"));
  assert.deepEqual(kinds(node.fetch(LATER)), ["recall"]);
  assert.deepEqual(kinds(node.fetch(LATER, SESSION)), [], "it waits");
  node.sent = [];
  node.step({ kind: "sessionDown", session: OTHER });
  assert.deepEqual(node.sent, [{ to: SESSION, message: { kind: "recall", serviceKey: ORDERS } }]);
  node.step({ kind: "sessionUp", session: OTHER });
  assert.deepEqual(kinds(node.fetch(LATEST)), ["recall"], "it was shown more");
  assert.deepEqual(recalled(node, SESSION, LATER, of(GONE, "a", { version: 2n })), []);
  recalled(node, OTHER, LATEST, of(GONE, "a", { version: 3n }));
  assert.deepEqual(
    node.sent.map(({ to, message }) => [to, message.kind]),
    [
      [SESSION, "snapshot"],
      [OTHER, "snapshot"],
    ],
  );
});

test("a session that has no list any more, or never answers, holds nobody up", () => {
  const none = promoted(of(GONE, "a"));
  none.fetch(LATER);
  assert.deepEqual(kinds(recalled(none, OTHER, NO_DATUM_VERSION)), ["snapshot"]);
  const silent = promoted(of(GONE, "a"));
  const scan = { kind: "scan", versions: [[ORDERS, LATER]] } as const;
  silent.fetch(LATER);
  silent.pass(3_000);
  assert.deepEqual(kinds(silent.tell(scan, SESSION)), ["recall"], "another one may know it");
  silent.pass(3_000);
  assert.deepEqual(kinds(silent.tell(scan, SESSION)), ["snapshot"]);
  assert.deepEqual(kinds(silent.tell(scan, OTHER)), ["recall"]);
});
