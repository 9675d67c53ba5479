// The arrangement of slots as operators pause, resume and ask for it.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { MetaCluster, MetaNode } from "./testing/metaCluster.ts";
import { epochsOf, leaderOf, settledCluster } from "./testing/settledCluster.ts";

const ANN = { setBy: "ann", reason: "the network is being rebuilt" };

function pause(meta: MetaNode, request = 1, by = ANN): void {
  meta.step({ kind: "pauseSlots", request, pause: by });
}

function resume(meta: MetaNode, request = 2): void {
  meta.step({ kind: "pauseSlots", request, pause: undefined });
}

function pausedCluster(options: Parameters<typeof settledCluster>[0] = {}): MetaCluster {
  const cluster = settledCluster(options);
  pause(leaderOf(cluster));
  cluster.run(100);
  return cluster;
}

const isDone = ({ answers }: MetaCluster, request: number) =>
  answers.has(request) && answers.get(request) === undefined;

test("in a pause a new data node gets nothing, and gets its slots when the pause ends", () => {
  const cluster = pausedCluster();
  assert.ok(isDone(cluster, 1));
  cluster.start("data", "d4.a");
  cluster.run(60_000);
  assert.deepEqual(epochsOf(cluster), [1n]);
  resume(leaderOf(cluster));
  cluster.run(30_000);
  assert.ok(isDone(cluster, 2));
  assert.ok(cluster.slotLeaders.includes("d4.a"));
});

test("in a pause the slots of a dead leader go to its followers, and no copy is made", () => {
  const cluster = pausedCluster();
  const before = cluster.store.state.slotTable;
  cluster.member("d1.a").kill();
  cluster.run(20_000);
  assert.ok(!cluster.slotLeaders.includes("d1.a"));
  for (const [slot, { leader, leaderEpoch, followers }] of (cluster.store.state.slotTable?.slots ?? []).entries()) {
    const old = before?.slots[slot];
    if (old?.leader !== "d1.a") assert.deepEqual({ leader, leaderEpoch, followers }, old);
    else assert.equal(leader, old.followers[0]);
  }
});

test("in a pause a node that leaves hands over all that it leads and follows, and nothing else moves", () => {
  const cluster = pausedCluster();
  const before = cluster.store.state.slotTable?.slots ?? [];
  const d1 = cluster.member("d1.a");
  d1.isLeaving = true;
  d1.say();
  cluster.run(20_000);
  for (const [slot, { leader, followers }] of (cluster.store.state.slotTable?.slots ?? []).entries()) {
    const old = before[slot];
    assert.ok(old !== undefined && ![leader, ...followers].includes(d1.member.id), `slot ${slot}`);
    if (![old.leader, ...old.followers].includes(d1.member.id))
      assert.deepEqual([leader, ...followers], [old.leader, ...old.followers]);
    assert.equal(followers.length, 1);
  }
});

test("a pause is kept by the next leader, with its operator, its reason and its beginning", () => {
  const cluster = pausedCluster();
  const begun = leaderOf(cluster).meta.slotPause;
  assert.deepEqual({ setBy: begun?.setBy, reason: begun?.reason }, ANN);
  leaderOf(cluster).kill();
  cluster.run(10_000);
  assert.equal(leaderOf(cluster).name, "m2.a");
  assert.deepEqual(leaderOf(cluster).meta.slotPause, begun);
  cluster.start("data", "d4.a");
  cluster.run(30_000);
  assert.ok(!cluster.slotLeaders.includes("d4.a"));
});

test("a second pause names its own operator and the beginning of the first", () => {
  const cluster = pausedCluster();
  const sinceMs = leaderOf(cluster).meta.slotPause?.sinceMs;
  cluster.run(5_000);
  pause(leaderOf(cluster), 3, { setBy: "bob", reason: "" });
  cluster.run(100);
  assert.deepEqual(leaderOf(cluster).meta.slotPause, { setBy: "bob", reason: "", sinceMs });
});

test("a pause that ends twice has ended", () => {
  const cluster = pausedCluster();
  resume(leaderOf(cluster), 2);
  resume(leaderOf(cluster), 3);
  cluster.run(100);
  assert.ok(isDone(cluster, 2) && isDone(cluster, 3));
  assert.equal(leaderOf(cluster).meta.slotPause, undefined);
});

test("slots are arranged once in a pause if an operator asks for it", () => {
  const cluster = pausedCluster();
  cluster.start("data", "d4.a");
  cluster.run(10_000);
  leaderOf(cluster).step({ kind: "arrangeSlots", request: 5 });
  assert.ok(!cluster.answers.has(5), "the table is not saved yet");
  cluster.run(30_000);
  assert.ok(isDone(cluster, 5));
  assert.deepEqual(epochsOf(cluster), [1n, 2n], "one table, and then it is paused again");
  const follows = cluster.store.state.slotTable?.slots.filter(({ followers }) => followers.includes("d4.a" as never));
  assert.equal(follows?.length, cluster.options.slotMovesMax);
});

test("a request to arrange slots that are well is answered at once", () => {
  const cluster = settledCluster();
  leaderOf(cluster).step({ kind: "arrangeSlots", request: 5 });
  assert.ok(isDone(cluster, 5));
  assert.deepEqual(epochsOf(cluster), [1n]);
});

test("slots are not arranged below data-nodes-min, and the operator is told why", () => {
  const cluster = settledCluster({ dataNodesMin: 3 });
  cluster.member("d1.a").kill();
  cluster.run(5_000);
  leaderOf(cluster).step({ kind: "arrangeSlots", request: 5 });
  assert.match(String(cluster.answers.get(5)), /SLOTS_FROZEN.*dataNodes=2.*dataNodesMin=3/);
});

test("a node that does not lead refuses, and one that loses the lead answers what waits", () => {
  const cluster = settledCluster();
  const other = [...cluster.metas.values()].find((meta) => meta !== leaderOf(cluster));
  assert.ok(other !== undefined);
  other.step({ kind: "arrangeSlots", request: 5 });
  pause(other, 6);
  assert.match(String(cluster.answers.get(5)), /NOT_META_LEADER/);
  assert.match(String(cluster.answers.get(6)), /NOT_META_LEADER/);
  cluster.store.fault = "away";
  cluster.start("data", "d4.a");
  cluster.run(2_000);
  leaderOf(cluster).step({ kind: "arrangeSlots", request: 7 });
  cluster.run(20_000);
  assert.ok(cluster.answers.get(7) !== undefined, "it is not said to be done");
});

test("a pause whose saving has an unknown outcome is not said to be in force before the store was read", () => {
  const cluster = settledCluster();
  cluster.store.fault = "answer is lost";
  pause(leaderOf(cluster), 1);
  cluster.run(500);
  cluster.store.fault = "none";
  assert.equal(cluster.leader?.meta.slotPause, undefined);
  cluster.run(20_000);
  assert.match(String(cluster.answers.get(1)), /STORE_OUTCOME_UNKNOWN/);
  assert.equal(leaderOf(cluster).meta.slotPause?.setBy, "ann", "the store had it");
});
