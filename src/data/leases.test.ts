// Registrations that are kept by heartbeats, at their leader.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { DataToSession, PublishItem } from "../cluster/messages/sessionData.ts";
import { groupScope } from "../model/catalogue.ts";
import { clientId } from "../model/ids.ts";
import { LEASE_KEEPER, type Publication } from "../model/publication.ts";
import { ORDERS, OTHER, PEER, publication, put, removed, SELF, SESSION, serving, TestData } from "./testing/harness.ts";

const BEATS = { unhealthyAfterMs: 15_000, removedAfterMs: 30_000 };
const at = (host: string) => ({ session: LEASE_KEEPER, client: clientId(`${host}:0_http`) });

/** Registers what heartbeats keep. */
function leased(registId: string, changes: Partial<Publication> & { address?: string } = {}): PublishItem {
  return put({ registId, address: registId, owner: at(registId), lease: BEATS, ...changes });
}

function renew(node: TestData, ...registIds: readonly string[]) {
  return renewAt(node, 0, ...registIds);
}

function renewAt(node: TestData, ageMs: number, ...registIds: readonly string[]) {
  const renewals = registIds.map((registId) => ({ serviceKey: ORDERS, registId, ageMs }));
  const [answer] = node.tell({ kind: "renew", batch: 1, renewals }).filter(({ kind }) => kind === "renewed");
  assert.ok(answer?.kind === "renewed");
  return { unknown: answer.unknown, later: answer.later };
}

/** Each registration of the list, with a question mark if it is not healthy. */
function shown(node: TestData): string[] {
  const [answer] = node.fetch();
  assert.ok(answer?.kind === "snapshot");
  const words = answer.datum.publications.map(
    ({ registId, condition }) => `${registId}${condition?.isHealthy === false ? "?" : ""}`,
  );
  return words.sort();
}

/** Lets time pass while the clients of these registrations send heartbeats every five seconds. */
function beat(node: TestData, ms: number, ...registIds: readonly string[]): void {
  for (let passed = 0; passed < ms; passed += 5_000) {
    node.pass(5_000);
    if (registIds.length > 0) renew(node, ...registIds);
  }
}

/** A new node and a moment, in which it has found that it hears all sessions. */
function hearing(...arguments_: Parameters<typeof serving>): TestData {
  const node = serving(...arguments_);
  node.pass(1_000);
  return node;
}

test("a registration without heartbeats is shown as unhealthy, and then removed", () => {
  const node = hearing();
  node.publish(leased("a"));
  node.pass(14_900);
  assert.deepEqual(shown(node), ["a"]);
  node.pass(500);
  assert.deepEqual(shown(node), ["a?"]);
  node.pass(14_400);
  assert.deepEqual(shown(node), ["a?"]);
  node.pass(500);
  assert.deepEqual(shown(node), []);
  assert.deepEqual(renew(node, "a"), { unknown: [0], later: [] });
});

test("a heartbeat changes nothing and is told to nobody, and keeps its registration", () => {
  const node = hearing();
  node.step({ kind: "fromFollower", from: PEER, message: { kind: "follow", slot: 0, leaderEpoch: 1n, kept: [] } });
  node.publish(leased("a"), leased("b"));
  const { state } = node.list();
  node.toFollower = [];
  for (let beats = 0; beats < 20; beats++) {
    node.pass(5_000);
    node.fetch();
    assert.deepEqual(renew(node, "a", "b"), { unknown: [], later: [] });
    assert.equal(node.sent.length, 1, "the answer");
  }
  assert.deepEqual([node.list().state, node.toFollower], [state, []]);
});

test("a heartbeat of an unhealthy registration makes it healthy at once, for sessions and followers", () => {
  const node = hearing();
  node.step({ kind: "fromFollower", from: PEER, message: { kind: "follow", slot: 0, leaderEpoch: 1n, kept: [] } });
  node.publish(leased("a"));
  node.pass(16_000);
  node.fetch();
  node.toFollower = [];
  node.tell({ kind: "renew", batch: 1, renewals: [{ serviceKey: ORDERS, registId: "a", ageMs: 0 }] });
  const told = node.sent.map(({ to, message }) => [to, message.kind]);
  assert.deepEqual(told, [
    [OTHER, "delta"],
    [SESSION, "renewed"],
  ]);
  assert.deepEqual(shown(node), ["a"]);
  const [change] = node.toFollower;
  assert.ok(change?.message.kind === "change");
  const [item] = change.message.items;
  assert.ok(item?.kind === "put" && item.publication.condition === undefined && item.publication.lease === BEATS);
});

test("a heartbeat counts from the time at which it came to its session", () => {
  const node = hearing();
  node.publish(leased("a"));
  node.pass(14_000);
  renewAt(node, 10_000, "a");
  node.pass(4_900);
  assert.deepEqual(shown(node), ["a"]);
  node.pass(500);
  assert.deepEqual(shown(node), ["a?"]);
  renewAt(node, 16_000, "a");
  assert.deepEqual(shown(node), ["a?"], "it is too old to say that the client is well now");
});

test("a registration may have no time at which it is unhealthy", () => {
  const node = hearing();
  node.publish(leased("a", { lease: { removedAfterMs: 90_000 } }));
  node.pass(89_900);
  assert.deepEqual(shown(node), ["a"]);
  node.pass(500);
  assert.deepEqual(shown(node), []);
});

test("a registration that is repeated is a heartbeat, and may bring other times", () => {
  const node = hearing();
  node.publish(leased("a", { lease: { removedAfterMs: 90_000 } }));
  node.pass(60_000);
  node.publish(leased("a", { registeredMs: node.nowMs, lease: { removedAfterMs: 10_000 } }));
  node.pass(9_900);
  assert.deepEqual(shown(node), ["a"]);
  node.pass(500);
  assert.deepEqual(shown(node), []);
});

test("the end of the session that brought it does not end it; any session takes it back", () => {
  const node = hearing();
  node.publish(leased("a"), leased("b"), put({ registId: "c" }));
  node.step({ kind: "sessionDown", session: SESSION });
  node.members(OTHER);
  for (let beats = 0; beats < 10; beats++) {
    node.pass(5_000);
    const renewals = ["a", "b"].map((registId) => ({ serviceKey: ORDERS, registId, ageMs: 0 }));
    node.tell({ kind: "renew", batch: beats, renewals }, OTHER);
  }
  assert.deepEqual(shown(node), ["a", "b"]);
  const stamp = { version: 1n, registeredMs: node.nowMs };
  const removal = { serviceKey: ORDERS, registId: "a", cause: "unpublished", stamp, client: clientId("b:0_") } as const;
  node.tell(
    { kind: "publish", batch: 2, epoch: 1n, items: [{ kind: "remove", removal: { ...removal, isOfLease: true } }] },
    OTHER,
  );
  assert.deepEqual(shown(node), ["b"]);
  node.pass(31_000);
  assert.deepEqual(shown(node), []);
});

const superseded = (answers: readonly DataToSession[]) =>
  answers.flatMap((answer) => (answer.kind === "taken" ? answer.superseded : []));

test("of two requests of one version the later one counts, and the session of the other is told, of ends too", () => {
  const node = hearing();
  const registeredMs = node.nowMs + 9;
  node.publish(leased("a", { registeredMs }));
  const late = superseded(node.publish(leased("a", { registeredMs: registeredMs - 5, address: "other" })));
  assert.deepEqual(late[0]?.by, { version: 1n, registeredMs });
  assert.equal(superseded(node.publish(leased("a", { registeredMs }))).length, 0, "it is the same");
  assert.equal(superseded(node.publish(leased("a", { registeredMs, address: "other" }))).length, 1);
  const stamp = { version: 1n, registeredMs: registeredMs - 5 };
  const removal = { serviceKey: ORDERS, registId: "a", cause: "unpublished", stamp, client: clientId("a:0_") } as const;
  const ended = node.publish({ kind: "remove", removal: { ...removal, isOfLease: true } });
  assert.deepEqual(superseded(ended)[0]?.by, { version: 1n, registeredMs });
  assert.deepEqual(shown(node), ["a"]);
});

test("heartbeats take over nothing of a connection, and a connection from another host nothing of theirs", () => {
  const node = hearing();
  const byConnection = { owner: { session: SESSION, client: clientId("10.0.0.9:1_10.1.0.1:9600") } };
  node.publish(put({ registId: "a", ...byConnection }), leased("b"));
  const [ofA] = superseded(node.publish(leased("a", { version: 9n })));
  assert.equal(ofA?.holder, byConnection.owner.client);
  const removal = { ...removed("unpublished", { version: 9n, registeredMs: node.nowMs }, "a") };
  assert.ok(removal.kind === "remove");
  const asLease = { ...removal.removal, client: clientId("a:0_"), isOfLease: true };
  assert.equal(superseded(node.publish({ kind: "remove", removal: asLease })).length, 1);
  const [ofB] = superseded(node.publish(put({ registId: "b", version: 9n, ...byConnection })));
  assert.equal(ofB?.holder, at("b").client);
  assert.deepEqual(shown(node), ["a", "b"]);
});

test("a connection from the same host takes over what heartbeats keep, and its end is then the connection's", () => {
  const node = hearing();
  node.publish(leased("10.0.0.9"));
  const owner = { session: SESSION, client: clientId("10.0.0.9:1_10.1.0.1:9600") };
  node.publish(put({ registId: "10.0.0.9", version: 2n, owner }));
  assert.deepEqual(renew(node, "10.0.0.9"), { unknown: [0], later: [] });
  node.pass(60_000);
  assert.deepEqual(shown(node), ["10.0.0.9"]);
});

test("a promoted leader gives each registration its full time, and knows which are unhealthy", () => {
  const node = new TestData();
  for (const session of [SESSION, OTHER]) node.step({ kind: "sessionUp", session });
  node.members(SESSION, OTHER);
  node.table({ leader: PEER, followers: [SELF] });
  node.step({ kind: "leaderUp", node: PEER });
  const put = (registId: string, changes: Partial<Publication> = {}) =>
    publication({ registId, owner: at(registId), lease: BEATS, ...changes });
  const publications = [put("a"), put("b", { condition: { isHealthy: false } })];
  const datum = { serviceKey: ORDERS, version: 10n, origin: 1n, publications, tombstones: [] };
  const message = { kind: "replica", slot: 0, leaderEpoch: 1n, datums: [datum], gone: [], isLast: true } as const;
  node.step({ kind: "fromLeader", from: PEER, message });
  node.pass(100_000);
  node.table({});
  for (const session of [SESSION, OTHER]) node.holdsNothing(session);
  node.pass(14_900);
  assert.deepEqual(shown(node), ["a", "b?"]);
  node.pass(500);
  assert.deepEqual(shown(node), ["a?", "b?"]);
  renew(node, "a");
  node.pass(14_400);
  assert.deepEqual(shown(node), ["a", "b?"]);
  node.pass(500);
  assert.deepEqual(shown(node), ["a"]);
});

/** Begins to lead with what it copied of an earlier leader: these registrations. */
function promoted(...registIds: readonly string[]): TestData {
  const node = new TestData();
  for (const session of [SESSION, OTHER]) node.step({ kind: "sessionUp", session });
  node.members(SESSION, OTHER);
  node.table({ leader: PEER, followers: [SELF] });
  node.step({ kind: "leaderUp", node: PEER });
  const publications = registIds.map((registId) => publication({ registId, owner: at(registId), lease: BEATS }));
  const datum = { serviceKey: ORDERS, version: 10n, origin: 1n, publications, tombstones: [] };
  const message = { kind: "replica", slot: 0, leaderEpoch: 1n, datums: [datum], gone: [], isLast: true } as const;
  node.step({ kind: "fromLeader", from: PEER, message });
  node.table({});
  return node;
}

const complete = (node: TestData) => {
  for (const session of [SESSION, OTHER]) node.holdsNothing(session);
};

test("an earlier leader may have heard newer registrations: clients of a new one register once more", () => {
  const node = promoted("a", "b");
  assert.deepEqual(renew(node, "a", "b"), { unknown: [], later: [] }, "it does not know yet what it lacks");
  complete(node);
  assert.deepEqual(renew(node, "a", "b", "c"), { unknown: [0, 1, 2], later: [] });
  node.publish(leased("a", { registeredMs: node.nowMs + 1, address: "changed" }));
  assert.deepEqual(renew(node, "a", "b"), { unknown: [1], later: [] }, "until they have done so");
  assert.deepEqual(node.list().addresses, ["10.0.0.1:80", "changed"]);
  node.publish(leased("b", { registeredMs: node.nowMs + 1 }));
  assert.deepEqual(renew(node, "a", "b"), { unknown: [], later: [] });
});

test("the heartbeat of a client that is to register once more keeps its registration", () => {
  const node = promoted("a");
  complete(node);
  beat(node, 60_000, "a");
  assert.deepEqual(shown(node), ["a"]);
});

test("a heartbeat that names the version of its registration proves that nothing is missing", () => {
  const node = promoted("a");
  complete(node);
  const renewals = [{ serviceKey: ORDERS, registId: "a", ageMs: 0, version: 1n }];
  const [answer] = node.tell({ kind: "renew", batch: 1, renewals }).filter(({ kind }) => kind === "renewed");
  assert.deepEqual(answer, { kind: "renewed", batch: 1, unknown: [], later: [] });
});

test("a session that has passed requests on to an earlier leader lets the clients of that slot register again", () => {
  const node = hearing();
  node.publish(leased("a"));
  const report = (...slots: readonly number[]) => {
    const renewals = [{ serviceKey: ORDERS, registId: "a", ageMs: 0 }];
    const answers = node.tell({ kind: "renew", batch: 1, renewals, elsewhere: slots });
    const answer = answers.find(({ kind }) => kind === "renewed");
    return answer?.kind === "renewed" && answer.unknown;
  };
  assert.deepEqual([report(), report(7), report(0)], [[], [], [0]]);
  node.publish(leased("a", { registeredMs: node.nowMs + 1 }));
  assert.deepEqual(renew(node, "a"), { unknown: [], later: [] });
});

test("a thousand clients are asked in a second to register again, and the others later", () => {
  const names = Array.from({ length: 1_500 }, (_, number) => `r${number}`);
  const node = promoted(...names);
  complete(node);
  const asked = () => renew(node, ...names).unknown;
  assert.equal(asked().length, 1_000);
  assert.equal(asked().length, 0);
  node.publish(...names.slice(0, 1_000).map((name) => leased(name, { registeredMs: node.nowMs + 1 })));
  node.pass(1_000);
  assert.deepEqual([asked().length, asked().length], [500, 500]);
});

test("a leader that has not heard all sessions does not call a registration unknown, nor end one", () => {
  const node = new TestData();
  node.step({ kind: "sessionUp", session: SESSION });
  node.step({ kind: "sessionUp", session: OTHER });
  node.members(SESSION, OTHER);
  assert.deepEqual(renew(node, "a"), { unknown: [], later: [0] }, "it does not lead");
  node.table({});
  node.holdsNothing(SESSION);
  node.publish(leased("b"));
  assert.deepEqual(renew(node, "a", "b"), { unknown: [], later: [0] });
  node.holdsNothing(OTHER);
  assert.deepEqual(renew(node, "a", "b"), { unknown: [0], later: [] });
});

test("time in which a session can't be heard does not count, for as long as its lease", () => {
  const node = hearing();
  node.publish(leased("a", { lease: { removedAfterMs: 10_000 } }));
  node.pass(9_000);
  node.step({ kind: "sessionDown", session: OTHER });
  node.pass(20_000);
  assert.deepEqual(shown(node), ["a"]);
  node.step({ kind: "sessionUp", session: OTHER });
  node.pass(1_900);
  assert.deepEqual(shown(node), ["a"], "the session has a moment for the heartbeats that waited");
  node.pass(400);
  assert.deepEqual(shown(node), []);
  node.publish(leased("b", { lease: { removedAfterMs: 10_000 } }));
  node.step({ kind: "sessionDown", session: OTHER });
  node.pass(30_900 + 10_000);
  assert.deepEqual(shown(node), ["b"]);
  node.pass(500);
  assert.deepEqual(shown(node), []);
});

test("time in which the process stood still does not count", () => {
  const node = hearing();
  node.publish(leased("a", { lease: { removedAfterMs: 10_000 } }));
  node.pass(8_000);
  node.nowMs += 60_000;
  node.step({ kind: "woken" });
  node.pass(1_500);
  assert.deepEqual(shown(node), ["a"], "there may be unread heartbeats");
  node.pass(2_000);
  assert.deepEqual(shown(node), []);
});

const TEN = Array.from({ length: 10 }, (_, number) => `n${number}`);

test("if most clients of a service fall silent at once, nothing happens to them until they are heard again", () => {
  const node = hearing();
  node.publish(...TEN.map((name) => leased(name)));
  // They do not beat in step.
  for (const name of TEN) {
    node.pass(400);
    renew(node, name);
  }
  node.pass(60_000);
  assert.deepEqual(shown(node), TEN);
  const [held] = node.data.heldLosses;
  assert.deepEqual([held?.serviceKey, held?.lost, held?.publishers], [ORDERS, 10, 10]);
  node.pass(1_000);
  assert.equal(node.gauges.get("roster_services_held"), 1);
  beat(node, 30_000, ...TEN.slice(0, 6));
  assert.deepEqual(shown(node), TEN.slice(0, 6), "four are no great loss");
  assert.deepEqual(node.data.heldLosses, []);
});

test("fewer silent clients than are a loss go, and a single one too", () => {
  const node = hearing();
  node.publish(leased("a"), leased("b"));
  node.pass(31_000);
  assert.deepEqual(shown(node), []);
});

test("an operator releases a service of silent clients, and a long time does", () => {
  for (const way of ["operator", "time"]) {
    const node = hearing();
    node.publish(...TEN.map((name) => leased(name)));
    node.pass(60_000);
    assert.deepEqual(shown(node), TEN);
    if (way === "operator") node.step({ kind: "releaseHeld", serviceKey: ORDERS });
    else node.pass(600_000);
    node.pass(2_000);
    assert.deepEqual(shown(node), [], way);
  }
});

test("hidden registrations have leases too", () => {
  const node = hearing();
  node.publish(leased("a", { attributes: new Map([["!Blocked", "1"]]) }), leased("b"));
  beat(node, 20_000, "b");
  assert.equal(node.gauges.get("roster_leases_unhealthy"), 1);
  beat(node, 20_000, "b");
  assert.deepEqual(renew(node, "a", "b"), { unknown: [0], later: [] });
  assert.equal(node.data.datum(ORDERS)?.size, 1);
});

test("leases of a slot that others lead are forgotten", () => {
  const node = hearing();
  node.publish(leased("a"));
  node.table({ leader: PEER });
  node.pass(60_000);
  assert.equal(node.gauges.get("roster_leases"), 0);
});

test("the catalogue says how many are unhealthy", () => {
  const node = hearing();
  const scope = groupScope({ namespace: "I", group: "G" });
  node.publish(leased("a"), leased("b"), leased("c", { attributes: new Map([["!Blocked", "1"]]) }));
  beat(node, 10_000, "b");
  node.tell({ kind: "catalogueWatch", scope, known: [], unknown: [0], ahead: [] });
  node.sent = [];
  const told = () =>
    node.sent.flatMap(({ message }) =>
      message.kind === "catalogueChanged" ? message.entries.map(({ size, unhealthy }) => [size, unhealthy]) : [],
    );
  node.pass(4_000);
  assert.deepEqual(told(), []);
  node.pass(1_000);
  assert.deepEqual(told(), [[2, 1]]);
  node.tell({ kind: "renew", batch: 1, renewals: [{ serviceKey: ORDERS, registId: "a", ageMs: 0 }] });
  assert.deepEqual(told(), [[2, undefined]]);
  node.tell({ kind: "catalogueWatch", scope, known: [], unknown: [0], ahead: [] });
  const [whole] = node.sent.map(({ message }) => message);
  assert.ok(whole?.kind === "catalogue" && whole.entries[0]?.size === 2);
});

test("a heartbeat tells a health: it is shown at once, keeps its registration, and may say nothing about it", () => {
  const node = hearing();
  node.publish(leased("a", { lease: { removedAfterMs: 30_000 } }));
  const tell = (health?: "unhealthy" | "asBefore") => {
    const beside = health === undefined ? {} : { health };
    const renewals = [{ serviceKey: ORDERS, registId: "a", ageMs: 0, ...beside }];
    node.tell({ kind: "renew", batch: 1, renewals });
    return shown(node);
  };
  assert.deepEqual(tell("unhealthy"), ["a?"]);
  node.pass(29_000);
  assert.deepEqual(tell("asBefore"), ["a?"]);
  node.pass(29_000);
  assert.deepEqual(tell(), ["a"]);
  assert.deepEqual(tell("asBefore"), ["a"]);
});

test("a registration that comes unhealthy is shown so from the beginning", () => {
  const node = hearing();
  node.publish(leased("a", { lease: { removedAfterMs: 30_000 }, condition: { isHealthy: false } }));
  assert.deepEqual(shown(node), ["a?"]);
  renew(node, "a");
  assert.deepEqual(shown(node), ["a"]);
});

test("a heartbeat for a newer version than is here is one of an unknown registration", () => {
  const node = hearing();
  node.publish(leased("a", { version: 5n }));
  const unknown = (version: bigint) => {
    const renewals = [{ serviceKey: ORDERS, registId: "a", ageMs: 0, version }];
    const [answer] = node.tell({ kind: "renew", batch: 1, renewals }).filter(({ kind }) => kind === "renewed");
    return answer?.kind === "renewed" && answer.unknown;
  };
  assert.deepEqual(unknown(4n), []);
  assert.deepEqual(unknown(5n), []);
  assert.deepEqual(unknown(6n), [0]);
});

test("an operator's rule wins over the health that is told", () => {
  const node = hearing();
  node.publish(leased("a", { lease: { removedAfterMs: 30_000 } }));
  const words = { setBy: "operator", setMs: 1, reason: "", epoch: 1n };
  const match = { services: [ORDERS] };
  const put = [{ id: "off", effect: "hidePublications", match, isInForce: true, ...words } as const];
  node.step({ kind: "fromMeta", message: { kind: "rules", epoch: 1n, put, removed: [] } });
  assert.deepEqual(shown(node), []);
  for (const health of ["unhealthy", undefined] as const) {
    const renewals = [{ serviceKey: ORDERS, registId: "a", ageMs: 0, ...(health && { health }) }];
    node.tell({ kind: "renew", batch: 1, renewals });
    assert.deepEqual(shown(node), []);
  }
});
