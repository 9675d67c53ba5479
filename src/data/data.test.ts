import assert from "node:assert/strict";
import { test } from "node:test";
import { isSameVersion, NO_DATUM_VERSION } from "../model/datum.ts";
import { clientId } from "../model/ids.ts";
import {
  kinds,
  ORDERS,
  OTHER,
  PEER,
  publication,
  put,
  removed,
  SESSION,
  START_MS,
  serving,
} from "./testing/harness.ts";

test("a batch is taken, and its changes become one version and one notice", () => {
  const node = serving();
  const before = node.list().state;
  const messages = node.publish(put({ registId: "r1", address: "a" }), put({ registId: "r2", address: "b" }));
  assert.deepEqual(kinds(messages), ["delta", "taken"]);
  const [notice] = messages;
  assert.ok(notice?.kind === "delta" && isSameVersion(notice.delta.base, before) && notice.delta.changes.length === 2);
  assert.deepEqual(node.list().addresses, ["a", "b"]);
});

test("a late write of an older version does not undo the newer one", () => {
  const node = serving();
  node.publish(put({ version: 2n, address: "new" }));
  node.publish(put({ version: 1n, address: "old", registeredMs: START_MS + 99 }));
  assert.deepEqual(node.list().addresses, ["new"]);
});

test("the late cleanup of an old connection does not remove the registration of the new one", () => {
  const node = serving();
  node.publish(put({ registeredMs: START_MS }));
  node.publish(put({ registeredMs: START_MS + 500, owner: { session: OTHER, client: clientId("c2") } }));
  node.publish(removed("left", { version: 1n, registeredMs: START_MS }));
  assert.deepEqual(node.list().addresses, ["10.0.0.1:80"]);
});

test("an unpublish leaves a tombstone that nothing older passes", () => {
  const node = serving();
  node.publish(put({ version: 1n }));
  node.publish(removed("unpublished", { version: 2n, registeredMs: START_MS }));
  node.publish(put({ version: 1n, registeredMs: START_MS + 9 }));
  assert.deepEqual(node.list().addresses, []);
  node.publish(put({ version: 3n }));
  assert.deepEqual(node.list().addresses, ["10.0.0.1:80"]);
});

test("an unpublish that overtakes its own registration still wins", () => {
  const node = serving();
  node.publish(put({ registId: "r2", address: "other" }));
  node.publish(removed("unpublished", { version: 2n, registeredMs: START_MS }));
  node.publish(put({ version: 1n }));
  assert.deepEqual(node.list().addresses, ["other"]);
});

test("a client that was removed as gone may come back with the same version, later", () => {
  const node = serving();
  node.publish(put());
  node.publish(removed("left", publication()));
  assert.deepEqual(node.list().addresses, []);
  node.publish(put({ registeredMs: START_MS + 2_000 }));
  assert.deepEqual(node.list().addresses, ["10.0.0.1:80"]);
});

test("a client that only reconnected changes neither version nor list, and is no news", () => {
  const node = serving();
  node.publish(put());
  const { state } = node.list();
  const messages = node.publish(put({ registeredMs: START_MS + 500 }));
  assert.deepEqual(kinds(messages), ["taken"]);
  assert.deepEqual(node.list().state, state);
});

test("whoever is a little behind gets the difference, whoever is far behind the list", () => {
  const node = serving();
  node.publish(put({ registId: "r1" }), put({ registId: "r2" }), put({ registId: "r3" }));
  const old = node.list().state;
  node.publish(put({ registId: "r1", version: 2n, address: "x" }));
  const [near] = node.tell({ kind: "fetch", serviceKey: ORDERS, have: old });
  assert.ok(near?.kind === "delta" && isSameVersion(near.delta.base, old) && near.delta.changes.length === 1);
  for (let version = 3n; version < 8n; version++)
    node.publish(put({ registId: "r1", version, address: String(version) }));
  assert.equal(node.tell({ kind: "fetch", serviceKey: ORDERS, have: old })[0]?.kind, "snapshot");
});

test("a service that nobody publishes has a version, and a later publication a higher one", () => {
  const node = serving();
  const empty = node.list();
  node.publish(put());
  assert.deepEqual(empty.addresses, []);
  assert.ok(node.list().state.version > empty.state.version);
});

test("a session that knows a higher version than this node is answered with one above it", () => {
  const node = serving();
  node.publish(put());
  const have = { version: node.list().state.version + 1_000_000n, origin: 9n };
  const [answer] = node.tell({ kind: "scan", versions: [[ORDERS, have]] });
  assert.ok(answer?.kind === "snapshot" && answer.datum.version > have.version);
});

test("only sessions with subscribers hear of a change, and not after they released the service", () => {
  const node = serving();
  node.tell({ kind: "fetch", serviceKey: ORDERS, have: NO_DATUM_VERSION });
  node.publish(put());
  assert.deepEqual(
    node.sent.filter(({ message }) => message.kind === "delta").map(({ to }) => to),
    [SESSION],
  );
  node.tell({ kind: "release", serviceKeys: [ORDERS] });
  assert.deepEqual(kinds(node.publish(put({ version: 2n, address: "x" }))), ["taken"]);
});

test("a session that released the service while its list was held back is not answered when it is shown", () => {
  const node = serving();
  node.table({});
  for (const session of [SESSION, OTHER]) assert.deepEqual(kinds(node.fetch(NO_DATUM_VERSION, session)), ["notReady"]);
  node.tell({ kind: "release", serviceKeys: [ORDERS] });
  for (const session of [SESSION, OTHER]) node.holdsNothing(session);
  const snapshots = node.sent.filter(({ message }) => message.kind === "snapshot");
  assert.deepEqual(
    snapshots.map(({ to }) => to),
    [OTHER],
  );
});

test("a service that nobody needs is forgotten with its last subscriber, and one that is needed is not", () => {
  const node = serving();
  const asks = (session: typeof OTHER) => node.fetch(NO_DATUM_VERSION, session);
  const release = (session: typeof OTHER) => node.tell({ kind: "release", serviceKeys: [ORDERS] }, session);
  asks(SESSION);
  asks(OTHER);
  const { version } = node.list().state;
  release(SESSION);
  assert.equal(node.list().state.version, version, "another one is interested");
  release(OTHER);
  assert.ok(node.list().state.version > version, "it was made anew");
});

test("a change that is too large for a notice is only announced", () => {
  const node = serving();
  node.tell({ kind: "fetch", serviceKey: ORDERS, have: NO_DATUM_VERSION });
  const messages = node.publish(put({ payload: new Uint8Array(100_000) }));
  assert.deepEqual(kinds(messages), ["changed", "taken"]);
});

test("a slot that another node leads is not taken, and the sender learns the epoch", () => {
  const node = serving();
  node.table({ leader: PEER });
  assert.deepEqual(node.publish(put()), [{ kind: "moved", batch: 1, epoch: 2n }]);
});

test("the publications of a session that stays away longer than its lease are removed, others stay", () => {
  const node = serving();
  node.publish(
    put({ registId: "r1" }),
    put({ registId: "r2", owner: { session: OTHER, client: clientId("c2") }, address: "b" }),
  );
  node.step({ kind: "sessionDown", session: SESSION });
  node.members(OTHER);
  node.pass(29_999);
  assert.equal(node.list().addresses.length, 2);
  node.pass(1);
  assert.deepEqual(node.list().addresses, ["b"]);
});

test("a session that comes back within its lease loses nothing", () => {
  const node = serving();
  node.publish(put());
  node.step({ kind: "sessionDown", session: SESSION });
  node.members(OTHER);
  node.pass(20_000);
  node.step({ kind: "sessionUp", session: SESSION });
  node.pass(60_000);
  assert.equal(node.list().addresses.length, 1);
});

test("a lost link to a session that is still a member of the cluster ends nothing", () => {
  const node = serving();
  node.publish(put());
  node.step({ kind: "sessionDown", session: SESSION });
  node.pass(600_000);
  assert.equal(node.list().addresses.length, 1);
});

test("after a restart a service is held back until as many publishers are back as there were", () => {
  const node = serving({ serviceSizes: new Map([[ORDERS, 2]]) });
  assert.deepEqual(node.tell({ kind: "fetch", serviceKey: ORDERS, have: NO_DATUM_VERSION }), [
    { kind: "notReady", serviceKey: ORDERS },
  ]);
  assert.deepEqual(kinds(node.publish(put({ registId: "r1" }))), ["taken"]);
  const [, whole] = node.publish(put({ registId: "r2" }));
  assert.ok(whole?.kind === "snapshot" && whole.datum.publications.length === 2);
});

test("a held service is shown as it is when the hold ends", () => {
  const node = serving({ serviceSizes: new Map([[ORDERS, 2]]) });
  node.tell({ kind: "fetch", serviceKey: ORDERS, have: NO_DATUM_VERSION });
  node.publish(put());
  node.sent = [];
  node.pass(15_000);
  const [whole] = node.sent.map(({ message }) => message);
  assert.ok(whole?.kind === "snapshot" && whole.datum.publications.length === 1);
  node.pass(100);
  assert.deepEqual(node.savedSizes, [[ORDERS, 1]]);
});

test("the sizes of changed services are saved soon, and together", () => {
  const node = serving();
  node.publish(put());
  node.publish(put({ registId: "r2" }));
  assert.deepEqual(node.savedSizes, []);
  node.pass(100);
  assert.deepEqual(node.savedSizes, [[ORDERS, 2]]);
});

test("every version is below the floor that was saved for the next life", () => {
  const node = serving();
  for (let second = 0; second < 60; second++) {
    node.publish(put({ version: BigInt(second + 1), address: `${second}` }));
    assert.ok(node.list().state.version < (node.savedFloors.at(-1) ?? 0n));
    node.pass(1_000);
  }
  assert.ok(node.savedFloors.length < 20, `${node.savedFloors.length} writes in a minute`);
});

test("a tombstone is forgotten after its time, and with it the empty service", () => {
  const node = serving();
  node.publish(put());
  node.publish(removed("unpublished", { version: 2n, registeredMs: START_MS }));
  node.pass(180_000);
  node.publish(put({ version: 1n }));
  assert.deepEqual(node.list().addresses, ["10.0.0.1:80"]);
});

test("a publisher that returned after the restart and unpublished is not waited for again", () => {
  const node = serving({ serviceSizes: new Map([[ORDERS, 2]]) });
  node.publish(put({ registId: "r1" }));
  node.publish(removed("unpublished", { version: 2n, registeredMs: START_MS }));
  node.tell({ kind: "fetch", serviceKey: ORDERS, have: NO_DATUM_VERSION });
  const [, whole] = node.publish(put({ registId: "r2" }));
  assert.ok(whole?.kind === "snapshot" && whole.datum.publications.length === 1);
});

test("a client that left a service which nobody knows leaves nothing behind", () => {
  const node = serving();
  const before = node.list().state;
  node.tell({ kind: "release", serviceKeys: [ORDERS] }, OTHER);
  node.publish(removed("left", publication()));
  const [answer] = node.tell({ kind: "fetch", serviceKey: ORDERS, have: before });
  assert.ok(answer?.kind === "snapshot" && answer.datum.version > before.version, "the service was made anew");
});

test("a cleanup also removes an older registration, whose replacement was merged away on its way", () => {
  const node = serving();
  node.publish(put({ version: 1n }));
  node.publish(removed("left", { version: 2n, registeredMs: START_MS + 500 }));
  assert.deepEqual(node.list().addresses, []);
});

test("removals of what was never held are remembered up to a bound, and those of what was held beside them", () => {
  const node = serving();
  node.publish(put({ registId: "honest", version: 1n }), put({ registId: "other", address: "other" }));
  node.publish(removed("unpublished", { version: 2n, registeredMs: START_MS }, "honest"));
  for (let batch = 0; batch < 400; batch++) {
    const ids = Array.from({ length: 500 }, (_, at) => `unknown-${batch}-${at}`);
    node.publish(...ids.map((id) => removed("unpublished", { version: 9n, registeredMs: START_MS }, id)));
  }
  node.publish(put({ registId: "honest", version: 1n }), put({ registId: "unknown-399-499", version: 1n }));
  assert.deepEqual(node.list().addresses, ["other"]);
  node.step({ kind: "fromFollower", from: PEER, message: { kind: "follow", slot: 0, leaderEpoch: 1n, kept: [] } });
  const [copy] = node.toFollower;
  assert.ok(copy?.message.kind === "replica");
  const remembered = copy.message.datums[0]?.tombstones.length ?? 0;
  assert.ok(remembered > 50_000 && remembered < 150_000, `${remembered} are remembered`);
});
