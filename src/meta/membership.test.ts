import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import type { Heartbeat, Member } from "../cluster/messages/membership.ts";
import { nodeId } from "../model/ids.ts";
import { Membership } from "./membership.ts";

let membership: Membership;
beforeEach(() => {
  membership = new Membership({ memberLeaseMs: 20_000, memberGoneMs: 1_000 });
  membership.listenAnew(0);
});

function data(id: string): Member {
  return { id: nodeId(id), role: "data" };
}

function session(id: string): Member {
  return { id: nodeId(id), role: "session" };
}

function heartbeat({ role }: Member, changes: Partial<Heartbeat> = {}): Heartbeat {
  const members = { epoch: 0n, serial: 0 };
  return { kind: "heartbeat", role, address: "h:1", tableEpoch: 0n, members, isLeaving: false, ...changes };
}

function hear(member: Member, nowMs: number, changes: Partial<Heartbeat> = {}) {
  return membership.heard(member, heartbeat(member, changes), nowMs).kind;
}

function ids(): string[] {
  return membership.list().map(({ id, role }) => `${role} ${id}`);
}

function hearRegularly(member: Member, fromMs: number, toMs: number): void {
  for (let atMs = fromMs; atMs <= toMs; atMs += 1_000) hear(member, atMs);
}

test("who sends heartbeats is a member until its lease ends", () => {
  hear(data("d1.a"), 0);
  membership.tick(19_999);
  assert.deepEqual(ids(), ["data d1.a"]);
  membership.tick(20_000);
  assert.deepEqual(ids(), []);
});

test("a link alone makes no member", () => {
  membership.linkUp(data("d1.a"));
  assert.deepEqual(ids(), []);
  assert.ok(membership.isKnown(data("d1.a")));
});

test("a member is gone a moment after its last link was closed", () => {
  const d1 = data("d1.a");
  membership.linkUp(d1);
  membership.linkUp(d1);
  hear(d1, 0);
  membership.linkDown(d1, 100);
  membership.tick(5_000);
  assert.deepEqual(ids(), ["data d1.a"], "another link stands");
  membership.linkDown(d1, 5_000);
  membership.tick(5_999);
  assert.deepEqual(ids(), ["data d1.a"]);
  membership.tick(6_000);
  assert.deepEqual(ids(), []);
  assert.deepEqual(membership.takeEnded(), [d1]);
});

test("a link that is back in time changes nothing", () => {
  const d1 = data("d1.a");
  membership.linkUp(d1);
  hear(d1, 0);
  const { listSerial } = membership;
  membership.linkDown(d1, 100);
  membership.linkUp(d1);
  membership.tick(5_000);
  assert.deepEqual(ids(), ["data d1.a"]);
  assert.equal(membership.listSerial, listSerial);
});

test("a link that closes right after a silence was given up by a living member, which comes back", () => {
  const [d1, d2] = [data("d1.a"), data("d2.b")];
  membership.linkUp(d1);
  hear(d1, 0);
  hearRegularly(d2, 0, 4_000);
  for (let waiting = 0; waiting < 5; waiting++) hear(d1, 4_500);
  membership.linkDown(d1, 4_500);
  hearRegularly(d2, 5_000, 9_000);
  membership.tick(9_499);
  assert.deepEqual(ids(), ["data d1.a", "data d2.b"]);
  membership.tick(9_500);
  assert.deepEqual(ids(), ["data d2.b"]);
});

test("when a member is heard again after a cut the others that fell silent with it are waited for, once", () => {
  const [d1, d2, d3, copy] = [data("d1.a"), data("d2.b"), data("d3.c"), data("d1.d")];
  for (const member of [d1, d2, d3]) {
    membership.linkUp(member);
    hear(member, 0);
  }
  for (const member of [d1, d2, d3]) membership.linkDown(member, 5_000);
  // A process that was not cut off is heard, while the cut goes on.
  hear(copy, 10_000);
  hearRegularly(copy, 11_000, 14_000);
  hear(d2, 14_500);
  hearRegularly(copy, 15_000, 19_000);
  membership.tick(19_499);
  assert.ok(ids().includes("data d3.c"), "its next link is being made");
  hear(d2, 19_499);
  membership.tick(19_500);
  assert.ok(!ids().includes("data d3.c"));
});

test("another address, and another address for clients, are changes of the list", () => {
  const s1 = session("s1.a");
  hear(s1, 0);
  const { listSerial } = membership;
  hear(s1, 1_000);
  assert.equal(membership.listSerial, listSerial);
  hear(s1, 2_000, { address: "h:2" });
  assert.equal(membership.listSerial, listSerial + 1);
  hear(s1, 3_000, { address: "h:2", clientAddresses: new Map([["bolt", "h:9600"]]) });
  assert.equal(membership.listSerial, listSerial + 2);
  assert.deepEqual(membership.list(), [{ ...s1, address: "h:2", clientAddresses: new Map([["bolt", "h:9600"]]) }]);
});

test("a data node that wants to leave, or is blocked, counts as leaving", () => {
  hear(data("d1.a"), 0);
  hear(data("d2.a"), 0);
  const { dataSerial } = membership;
  hear(data("d1.a"), 500, { isLeaving: true });
  assert.equal(membership.dataSerial, dataSerial + 1);
  const nodes = membership.dataNodes((name) => name === "d2", 500);
  assert.deepEqual(
    [...nodes.values()].map(({ isLeaving }) => isLeaving),
    [true, true],
  );
});

test("after a time in which this process could not hear, everybody has a lease's time again", () => {
  const d1 = data("d1.a");
  const d2 = data("d2.a");
  for (const member of [d1, d2]) membership.linkUp(member);
  hear(d1, 0);
  hear(d2, 0);
  membership.linkDown(d2, 500);
  membership.listenAnew(60_000);
  membership.tick(60_000);
  assert.deepEqual(ids(), ["data d1.a", "data d2.a"]);
  assert.equal(hear(data("d1.b"), 60_000), "waits", "nobody is silent who could not be heard");
  hearRegularly(d1, 61_000, 65_000);
  membership.tick(65_000);
  assert.deepEqual(ids(), ["data d1.a"], "d2 had its link closed before");
  membership.tick(85_000);
  assert.deepEqual(ids(), []);
});

test("when several nodes fall silent at once this one is cut off, and ends nobody", () => {
  for (const name of ["d1.a", "d2.a"]) {
    membership.linkUp(data(name));
    hear(data(name), 0);
  }
  for (const name of ["d1.a", "d2.a"]) membership.linkDown(data(name), 5_000);
  membership.tick(120_000);
  assert.deepEqual(ids(), ["data d1.a", "data d2.a"]);
  hearRegularly(data("d1.a"), 120_000, 124_000);
  membership.tick(124_000);
  assert.deepEqual(ids(), ["data d1.a", "data d2.a"], "d2 has time to come back");
  hearRegularly(data("d1.a"), 125_000, 125_000);
  membership.tick(125_000);
  assert.deepEqual(ids(), ["data d1.a"]);
});

test("to a node that hears nobody no data node is known to live, until one speaks", () => {
  hear(data("d1.a"), 0);
  hear(data("d2.a"), 0);
  const living = (nowMs: number) => [...membership.dataNodes(() => false, nowMs).keys()];
  assert.deepEqual(living(2_999), ["d1.a", "d2.a"]);
  assert.deepEqual(living(3_000), []);
  assert.deepEqual(ids(), ["data d1.a", "data d2.a"], "they are members still");
  hear(data("d1.a"), 10_000);
  assert.deepEqual(living(10_000), ["d1.a", "d2.a"]);
});

test("a new run takes the place of one that has no link, in all its roles", () => {
  for (const member of [data("n.a"), session("n.a")]) {
    membership.linkUp(member);
    hear(member, 0);
    membership.linkDown(member, 100);
  }
  assert.equal(hear(data("n.b"), 200), "admitted");
  assert.deepEqual(ids(), ["data n.b"]);
  assert.equal(hear(session("n.b"), 210), "admitted");
  assert.equal(hear(data("n.a"), 300), "refused", "who was replaced does not come back");
});

test("a new run takes the place of one that is silent though its link stands", () => {
  membership.linkUp(data("d1.a"));
  hear(data("d1.a"), 0);
  assert.equal(hear(data("d1.b"), 1_000), "waits");
  assert.equal(hear(data("d1.b"), 2_000), "waits");
  assert.equal(hear(data("d1.b"), 3_000), "admitted");
  assert.deepEqual(ids(), ["data d1.b"]);
});

test("a process that is no member any more in one of its roles has its name still, until it is none in any", () => {
  const [asData, asSession] = [data("n.a"), session("n.a")];
  membership.linkUp(asSession);
  for (const role of [asData, asSession]) hear(role, 0);
  membership.dismiss(asData);
  assert.equal(hear(data("n.b"), 100), "waits");
  membership.linkDown(asSession, 200);
  membership.dismiss(asSession);
  assert.ok(membership.isUnknown(nodeId("n.b")), "nobody has it");
  assert.equal(hear(data("n.b"), 300), "admitted");
});

test("of two living runs the later is refused, once it is certain that the earlier lives", () => {
  membership.linkUp(data("d1.a"));
  hear(data("d1.a"), 0);
  assert.equal(hear(data("d1.b"), 100), "waits");
  hear(data("d1.a"), 1_000);
  assert.equal(hear(data("d1.b"), 1_050), "waits", "it may have been the last that a dead one said");
  hear(data("d1.a"), 2_000);
  assert.equal(hear(data("d1.b"), 2_100), "refused");
  assert.deepEqual(ids(), ["data d1.a"]);
});

test("of a data node that was never heard nothing is known; of one that has gone it is", () => {
  assert.ok(membership.isUnknown(nodeId("d1.a")));
  hear(data("d1.b"), 0);
  assert.ok(!membership.isUnknown(nodeId("d1.a")), "another run has its place");
  hear(data("d2.a"), 0);
  hearRegularly(data("d1.b"), 1_000, 20_000);
  membership.tick(20_000);
  assert.ok(!membership.isUnknown(nodeId("d2.a")), "it was heard, and then no more");
});

test("a member that speaks again after its lease is one again, with what its link has kept", () => {
  const s1 = session("s1.a");
  membership.linkUp(s1);
  hear(s1, 0);
  membership.tick(30_000);
  assert.deepEqual(ids(), []);
  assert.deepEqual(membership.takeEnded(), [], "its link stands");
  const gone = session("s2.a");
  hear(gone, 30_000);
  membership.dismiss(gone);
  assert.deepEqual([membership.takeEnded(), membership.takeEnded()], [[gone], []], "each is told of once");
  assert.equal(hear(s1, 31_000), "admitted");
  assert.deepEqual(ids(), ["session s1.a"]);
});

test("one that is heard again after its lease shows a cut: who fell silent with it has time to come back, once", () => {
  for (const name of ["d1.a", "d2.a", "d3.a", "d4.a"]) hear(data(name), 0);
  hearRegularly(data("d1.a"), 1_000, 30_000);
  membership.tick(30_000);
  assert.deepEqual(ids(), ["data d1.a"]);
  assert.ok(!membership.isUnknown(nodeId("d3.a")));
  hear(data("d2.a"), 31_000);
  assert.equal(membership.listeningSinceMs, 31_000);
  assert.ok(membership.isUnknown(nodeId("d3.a")), "it may live");
  hear(data("d4.a"), 31_500);
  assert.equal(membership.listeningSinceMs, 31_000, "the others have had their time");
  // It goes on alone: the dead are not doubted again.
  hearRegularly(data("d1.a"), 32_000, 60_000);
  membership.tick(60_000);
  hear(data("d2.a"), 60_000);
  assert.equal(membership.listeningSinceMs, 60_000, "d4 fell silent with it");
  hearRegularly(data("d1.a"), 61_000, 90_000);
  membership.tick(90_000);
  hear(data("d2.a"), 90_000);
  assert.equal(membership.listeningSinceMs, 60_000);
});

test("one that comes back alone doubts nobody who fell silent before it", () => {
  for (const name of ["d1.a", "d2.a", "d3.a"]) hear(data(name), 0);
  for (const name of ["d1.a", "d2.a"]) hearRegularly(data(name), 1_000, 10_000);
  hearRegularly(data("d1.a"), 11_000, 40_000);
  membership.tick(40_000);
  hear(data("d2.a"), 41_000);
  assert.equal(membership.listeningSinceMs, 0);
});

test("a later run of a member that fell silent may be the first after a cut: the others have time to come back", () => {
  for (const name of ["d1.a", "d2.a", "d3.a", "d4.a"]) hear(data(name), 0);
  hearRegularly(data("d1.a"), 1_000, 30_000);
  membership.tick(30_000);
  // A process that was never cut off, and no sign of the others.
  hear(data("d4.b"), 30_000);
  assert.equal(membership.listeningSinceMs, 30_000);
  hear(data("d2.b"), 36_000);
  assert.equal(membership.listeningSinceMs, 36_000);
  assert.ok(membership.isUnknown(nodeId("d3.a")), "it may live");
  hearRegularly(data("d2.b"), 37_000, 43_000);
  assert.equal(membership.listeningSinceMs, 36_000, "only its first heartbeat shows anything");
});

test("while many members restart after a silence of all no wait follows the other at once", () => {
  for (const name of ["d1.a", "d2.a", "d3.a", "d4.a", "d5.a"]) hear(data(name), 0);
  hearRegularly(data("d1.a"), 1_000, 30_000);
  membership.tick(30_000);
  hear(data("d2.b"), 31_000);
  hearRegularly(data("d1.a"), 32_000, 36_000);
  hear(data("d3.b"), 36_500);
  assert.equal(membership.listeningSinceMs, 31_000, "the list is about to be sent");
});

test("the next run of a member that was killed is no sign of a cut, of those that were killed with it neither", () => {
  const [d1, d2, d3] = [data("d1.a"), data("d2.a"), data("d3.a")];
  for (const member of [d1, d2, d3]) {
    membership.linkUp(member);
    hear(member, 0);
  }
  for (const member of [d2, d3]) membership.linkDown(member, 500);
  hearRegularly(d1, 1_000, 10_000);
  membership.tick(10_000);
  hear(data("d2.b"), 10_000);
  assert.equal(membership.listeningSinceMs, 0);
  assert.equal(membership.isUnknown(d3.id), false, "it is known to be gone");
});

test("a member that is killed while the nodes of a rack come back is gone in time, though each begins a wait", () => {
  const [d1, killed] = [data("d1.a"), data("d2.a")];
  const rack = ["r1.a", "r2.a", "r3.a"].map(data);
  for (const member of [d1, killed, ...rack]) {
    membership.linkUp(member);
    hear(member, 0);
  }
  for (const member of rack) membership.linkDown(member, 5_000);
  for (const member of [d1, killed]) hearRegularly(member, 1_000, 10_000);
  membership.tick(10_000);
  hear(data("r1.b"), 10_000);
  assert.equal(membership.listeningSinceMs, 10_000);
  for (const member of [d1, killed]) hearRegularly(member, 11_000, 15_000);
  membership.linkDown(killed, 15_500);
  hear(data("r2.b"), 16_000);
  assert.equal(membership.listeningSinceMs, 16_000, "another wait");
  membership.tick(16_499);
  assert.ok(ids().includes("data d2.a"));
  membership.tick(16_500);
  assert.ok(!ids().includes("data d2.a"));
});

test("a wait is for members that fell silent: their links have time to come back, those of the killed not", () => {
  const [d1, killed, silent] = [data("d1.a"), data("d2.a"), data("d3.a")];
  const rack = ["r1.a", "r2.a"].map(data);
  for (const member of [d1, killed, silent, ...rack]) {
    membership.linkUp(member);
    hear(member, 0);
  }
  for (const member of rack) membership.linkDown(member, 5_000);
  hearRegularly(d1, 1_000, 9_000);
  hearRegularly(silent, 1_000, 4_000);
  hearRegularly(killed, 1_000, 9_000);
  membership.tick(9_000);
  for (const member of [killed, silent]) membership.linkDown(member, 9_500);
  hear(data("r1.b"), 10_000);
  hearRegularly(d1, 10_000, 14_000);
  membership.tick(10_500);
  assert.deepEqual(ids().sort(), ["data d1.a", "data d3.a", "data r1.b"]);
  membership.tick(14_999);
  assert.ok(ids().includes("data d3.a"));
  membership.tick(15_000);
  assert.ok(!ids().includes("data d3.a"));
});

test("a killed member is not taken for cut off when a later run of one that fell silent is heard", () => {
  const [d1, silent, killed] = [data("d1.a"), data("d2.a"), data("d3.a")];
  for (const member of [d1, silent, killed]) {
    membership.linkUp(member);
    hear(member, 0);
  }
  membership.linkDown(killed, 500);
  hearRegularly(d1, 1_000, 5_000);
  membership.linkDown(silent, 5_000);
  membership.tick(6_000);
  hear(data("d2.b"), 7_000);
  assert.equal(membership.listeningSinceMs, 0, "nobody else fell silent");
  assert.equal(membership.isUnknown(killed.id), false, "it is known to be gone");
});

test("one that came back doubts nobody who dies after that, though it goes on speaking", () => {
  const [d1, d2] = [data("d1.a"), data("d2.a")];
  for (let atMs = 0; atMs <= 60_000; atMs += 1_000) {
    hear(session("s1.a"), atMs);
    if (atMs === 0 || atMs >= 25_000) hear(d1, atMs);
    if (atMs <= 30_000) hear(d2, atMs);
    membership.tick(atMs);
  }
  assert.deepEqual(ids().sort(), ["data d1.a", "session s1.a"]);
  assert.equal(membership.isUnknown(d2.id), false, "it is known to be gone");
});

test("it is news of the data nodes that one wants to leave, and not that it goes on, nor what a session wants", () => {
  const d1 = data("d1.a");
  hear(d1, 0);
  const before = membership.dataSerial;
  hear(d1, 1_000);
  hear(session("s1.a"), 1_000, { isLeaving: true });
  assert.equal(membership.dataSerial, before);
  hear(d1, 2_000, { isLeaving: true });
  assert.notEqual(membership.dataSerial, before);
});

test("a process with two roles that comes back shows nothing of anybody else", () => {
  for (const member of [data("n.a"), session("n.a"), data("d1.a")]) hear(member, 0);
  hearRegularly(data("d1.a"), 1_000, 30_000);
  membership.tick(30_000);
  hear(data("n.a"), 31_000);
  hear(session("n.a"), 31_000);
  assert.equal(membership.listeningSinceMs, 0);
});

test("members that somebody has made up are bounded, and who comes then is neither admitted nor told to end", () => {
  for (let number = 0; number < 2_000; number++) assert.equal(hear(session(`s${number}.a`), 1_000), "admitted");
  assert.equal(hear(session("s2000.a"), 1_000), "waits");
  assert.equal(membership.list().length, 2_000);
  assert.equal(hear(session("s7.b"), 5_000), "admitted", "a restart of a node that is known takes its place");
  hearRegularly(session("s7.b"), 6_000, 25_000);
  membership.tick(25_000);
  assert.equal(hear(session("s2000.a"), 25_000), "admitted");
});

test("of a data node that was gone and is back it is not known any more that it is gone", () => {
  hear(data("d1.a"), 0);
  hear(data("d2.a"), 0);
  hearRegularly(data("d2.a"), 1_000, 20_000);
  membership.tick(20_000);
  assert.equal(membership.isUnknown(nodeId("d1.a")), false);
  hear(data("d1.a"), 20_500);
  assert.equal(membership.isUnknown(nodeId("d1.a")), true, "who asks knows from elsewhere that it lives");
});
