// What operators' rules do to the lists of a data node.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { RulesMessage } from "../cluster/messages/membership.ts";
import { clientId } from "../model/ids.ts";
import type { Publication } from "../model/publication.ts";
import type { Rule, RuleMatch } from "../model/rule.ts";
import {
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

const owner = (host: string, session = SESSION) => ({ session, client: clientId(`${host}:1_10.9.9.9:9600`) });
const FIRST = { registId: "r1", address: "10.0.0.1:80", owner: owner("10.0.0.1") };
const SECOND = { registId: "r2", address: "10.0.0.2:80", owner: owner("10.0.0.2") };

let epoch = 0n;

function off(match: RuleMatch, id = "off"): Rule {
  const words = { setBy: "me", setMs: 0, reason: "" };
  return { id, effect: "hidePublications", match, isInForce: true, ...words, epoch: ++epoch };
}

function rules(node: TestData, put: readonly Rule[], removedIds: readonly string[] = []): void {
  const base = node.data.parts.rules.rules.epoch;
  const message: RulesMessage = { kind: "rules", epoch: ++epoch, base, put, removed: removedIds };
  node.sent = [];
  node.step({ kind: "fromMeta", message });
}

/** A node with two publications, and a session that hears of changes. */
function withTwo(): TestData {
  const node = serving();
  node.publish(put(FIRST), put(SECOND));
  node.fetch();
  return node;
}

const addressesIn = (node: TestData) => node.list().addresses;

test("a rule takes publications out of the list at once, and brings them back", () => {
  const node = withTwo();
  rules(node, [off({ addresses: ["10.0.0.1"] })]);
  const [notice] = node.sent;
  assert.ok(notice?.to === OTHER && notice.message.kind === "delta");
  assert.deepEqual(
    notice.message.delta.changes.map((change) => change.kind),
    ["removed"],
  );
  assert.deepEqual(addressesIn(node), ["10.0.0.2:80"]);
  rules(node, [], ["off"]);
  assert.deepEqual(
    node.sent.map(({ message }) => message.kind),
    ["delta"],
  );
  assert.deepEqual(addressesIn(node), ["10.0.0.1:80", "10.0.0.2:80"].sort());
});

const MATCHES: readonly [string, RuleMatch][] = [
  ["block", { addresses: ["10.0.0.0/31"] }],
  ["service and address", { services: [ORDERS], addresses: ["10.0.0.1"] }],
  ["zone and block", { zones: ["Z"], addresses: ["10.0.0.0/31"] }],
  ["session and address", { sessions: ["session-1"], addresses: ["10.0.0.1"] }],
  ["time and address", { registeredBeforeMs: START_MS + 1, addresses: ["10.0.0.1"] }],
];

for (const [name, match] of MATCHES) {
  test(`a rule for a ${name} hides what it says, published before or after it`, () => {
    const node = withTwo();
    rules(node, [off(match)]);
    assert.deepEqual(addressesIn(node), ["10.0.0.2:80"]);
    node.publish(put({ ...FIRST, registId: "r3", address: "10.0.0.1:81" }));
    assert.deepEqual(addressesIn(node), ["10.0.0.2:80"]);
  });
}

test("a service that is hidden has an empty list, and the catalogue does not name it", () => {
  const node = withTwo();
  rules(node, [off({ services: [ORDERS] })]);
  assert.deepEqual(addressesIn(node), []);
  assert.equal(node.data.parts.slots.datum(ORDERS)?.shown, 0);
  rules(node, [off({ servicePrefixes: ["ord"] })]);
  assert.deepEqual(addressesIn(node), []);
});

test("a client that publishes again, or comes back, stays hidden and pushes nothing", () => {
  const node = withTwo();
  rules(node, [off({ addresses: ["10.0.0.1"] })]);
  const told = node.publish(put({ ...FIRST, version: 2n, address: "10.0.0.1:81" }));
  assert.deepEqual(
    told.map(({ kind }) => kind),
    ["taken"],
  );
  node.publish(
    put({ ...FIRST, version: 2n, registeredMs: START_MS + 9, address: "10.0.0.1:81", owner: owner("10.0.0.1", OTHER) }),
  );
  assert.deepEqual(addressesIn(node), ["10.0.0.2:80"]);
  rules(node, [], ["off"]);
  assert.deepEqual(addressesIn(node), ["10.0.0.1:81", "10.0.0.2:80"]);
});

test("a publication that comes into a hidden zone leaves the list, and comes back when it leaves the zone", () => {
  const node = withTwo();
  rules(node, [off({ zones: ["Z2"] })]);
  assert.equal(addressesIn(node).length, 2);
  node.publish(put({ ...FIRST, version: 2n, zone: "Z2" }));
  assert.deepEqual(addressesIn(node), ["10.0.0.2:80"]);
  node.publish(put({ ...FIRST, version: 3n }));
  assert.equal(addressesIn(node).length, 2);
});

test("what was taken back while it was hidden does not come back", () => {
  const node = withTwo();
  rules(node, [off({ addresses: ["10.0.0.1"] })]);
  const told = node.publish(removed("unpublished", { version: 2n, registeredMs: START_MS }));
  assert.deepEqual(
    told.map(({ kind }) => kind),
    ["taken"],
  );
  rules(node, [], ["off"]);
  assert.deepEqual(node.sent, []);
  assert.deepEqual(addressesIn(node), ["10.0.0.2:80"]);
});

test("a publisher with SOFARegistry's !Blocked is in no list, until it publishes without", () => {
  const node = withTwo();
  const blocked = new Map([["!Blocked", "true"]]);
  node.publish(put({ ...FIRST, version: 2n, attributes: blocked }));
  assert.deepEqual(addressesIn(node), ["10.0.0.2:80"]);
  node.publish(put({ ...FIRST, version: 3n, attributes: new Map([["!Blocked", " "]]) }));
  assert.equal(addressesIn(node).length, 2);
});

test("one operator's removal of a rule does not show what another's still hides", () => {
  const node = withTwo();
  rules(node, [off({ addresses: ["10.0.0.1"] }), off({ addresses: ["10.0.0.0/24"] }, "block")]);
  assert.deepEqual(addressesIn(node), []);
  rules(node, [], ["off"]);
  assert.deepEqual(node.sent, []);
  assert.deepEqual(addressesIn(node), []);
});

test("a session that was away gets the difference, or the whole list, by the rules of now", () => {
  const node = withTwo();
  const { state } = node.list();
  rules(node, [off({ addresses: ["10.0.0.1"] })]);
  const [answer] = node.fetch(state);
  assert.ok(answer?.kind === "delta");
  assert.deepEqual(
    answer.delta.changes.map((change) => change.kind),
    ["removed"],
  );
});

test("followers hear what is hidden, and a copy takes all publications", () => {
  const node = withTwo();
  node.table({ followers: [PEER] });
  for (const session of [SESSION, OTHER]) node.holdsNothing(session);
  const led = node.data.parts.slots.ledSlot(0);
  assert.ok(led !== undefined);
  node.step({
    kind: "fromFollower",
    from: PEER,
    message: { kind: "follow", slot: 0, leaderEpoch: led.leaderEpoch, kept: [] },
  });
  node.publish(put(FIRST), put(SECOND));
  node.toFollower = [];
  rules(node, [off({ addresses: ["10.0.0.1"] })]);
  const [change] = node.toFollower.map(({ message }) => message);
  assert.ok(change?.kind === "change");
  assert.deepEqual([change.items, (change.hidden ?? 0) > 0], [[], true]);
  const follower = new TestData();
  follower.table({ leader: PEER, followers: [SELF] });
  rules(follower, [off({ addresses: ["10.0.0.1"] })]);
  const datum = {
    serviceKey: ORDERS,
    version: 9n,
    origin: 1n,
    publications: [publication(FIRST), publication(SECOND)],
  };
  const replica = { kind: "replica", slot: 0, leaderEpoch: 1n, gone: [], isLast: true } as const;
  const hidden = change.hidden ?? 0;
  follower.step({ kind: "leaderUp", node: PEER });
  follower.step({
    kind: "fromLeader",
    from: PEER,
    message: { ...replica, datums: [{ ...datum, hidden, tombstones: [] }] },
  });
  const copy = follower.data.parts.slots.datum(ORDERS);
  assert.deepEqual([copy?.size, copy?.shown, copy?.takeOverHidden()], [2, 1, "same"]);
});

for (const [name, digest, version] of [
  ["hid the same continues with its version", digestOf(FIRST.registId), "same"],
  ["hid nothing, by older rules, gives the list a new version", 0, "new"],
] as const) {
  test(`a leader whose predecessor ${name}`, () => {
    const node = new TestData();
    for (const session of [SESSION, OTHER]) node.step({ kind: "sessionUp", session });
    node.members(SESSION, OTHER);
    node.table({ leader: PEER, followers: [SELF] });
    rules(node, [off({ addresses: ["10.0.0.1"] })]);
    node.step({ kind: "leaderUp", node: PEER });
    const publications = [publication(FIRST), publication(SECOND)];
    const datum = { serviceKey: ORDERS, version: 9n, origin: 1n, publications, tombstones: [], hidden: digest };
    const replica = { kind: "replica", slot: 0, leaderEpoch: 1n, datums: [datum], gone: [], isLast: true } as const;
    node.step({ kind: "fromLeader", from: PEER, message: replica });
    node.table({});
    const now = node.data.parts.slots.datum(ORDERS);
    assert.equal(now?.shown, 1);
    assert.equal(now?.version.version === 9n ? "same" : "new", version);
  });
}

function digestOf(registId: string): number {
  const one = serving();
  one.publish(put({ ...FIRST, registId }));
  rules(one, [off({ addresses: ["10.0.0.1"] })]);
  return one.data.parts.slots.datum(ORDERS)?.hidden ?? 0;
}

test("a service that is held since a restart counts hidden publications as back, and shows the others", () => {
  const node = serving({ serviceSizes: new Map([[ORDERS, 2]]) });
  rules(node, [off({ addresses: ["10.0.0.1"] })]);
  node.fetch();
  node.publish(put(SECOND));
  assert.deepEqual(
    node.fetch().map(({ kind }) => kind),
    ["notReady"],
  );
  const told = node.publish(put(FIRST));
  assert.deepEqual(
    told.map(({ kind }) => kind),
    ["taken", "snapshot"],
  );
  assert.deepEqual(addressesIn(node), ["10.0.0.2:80"]);
});

test("many publications are gone through in parts, and none is shown in between", () => {
  const node = serving();
  const all = Array.from({ length: 6_000 }, (_, at): Partial<Publication> & { address?: string } => ({
    registId: `r${at}`,
    address: `10.0.0.1:${at}`,
    owner: owner("10.0.0.1"),
  }));
  for (let at = 0; at < all.length; at += 500) node.publish(...all.slice(at, at + 500).map((one) => put(one)));
  rules(node, [off({ addresses: ["10.0.0.0/8"] })]);
  node.pass(0);
  assert.deepEqual(addressesIn(node), []);
});
