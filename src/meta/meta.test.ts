import assert from "node:assert/strict";
import { test } from "node:test";
import { defined } from "../base/assert.ts";
import { versionAt } from "../model/version.ts";
import { MetaCluster } from "./testing/metaCluster.ts";
import { epochsOf, leaderOf, settledCluster } from "./testing/settledCluster.ts";

test("one of two meta nodes leads; when it dies the other does, and nothing moves", () => {
  const cluster = settledCluster();
  const first = leaderOf(cluster);
  assert.equal(first.name, "m1.a");
  first.kill();
  cluster.run(6_500);
  assert.equal(leaderOf(cluster).name, "m2.a");
  assert.ok(leaderOf(cluster).meta.isReady);
  cluster.run(40_000);
  assert.deepEqual(epochsOf(cluster), [1n]);
  assert.deepEqual(cluster.member("s1.a").knownIds, ["d1.a", "d2.a", "d3.a", "s1.a", "s2.a"]);
  assert.equal(cluster.member("s1.a").list?.epoch, 2n);
});

test("a meta node that stops hands the lead over at once", () => {
  const cluster = settledCluster();
  leaderOf(cluster).step({ kind: "resign" });
  assert.equal(cluster.leader, undefined);
  cluster.run(1_100);
  assert.equal(leaderOf(cluster).name, "m2.a");
  cluster.run(20_000);
  assert.equal(leaderOf(cluster).name, "m2.a", "who has resigned does not come back");
});

test("a leader that steps down gives the lead to the other node, which keeps it, and slots stay", () => {
  const cluster = settledCluster();
  leaderOf(cluster).step({ kind: "stepDown" });
  assert.equal(cluster.leader, undefined);
  cluster.run(1_100);
  assert.equal(leaderOf(cluster).name, "m2.a");
  cluster.run(30_000);
  assert.equal(leaderOf(cluster).name, "m2.a");
  assert.deepEqual(epochsOf(cluster), [1n]);
  leaderOf(cluster).step({ kind: "stepDown" });
  cluster.run(1_100);
  assert.equal(leaderOf(cluster).name, "m1.a", "a node that has stepped down may lead again");
});

test("a leader that can't reach the store stops leading before another may begin", () => {
  const cluster = settledCluster();
  cluster.store.fault = "away";
  cluster.run(4_500);
  assert.equal(cluster.leader, undefined);
});

test("while the store is away for two minutes nobody leads and nothing is taken from anybody", () => {
  const cluster = settledCluster();
  cluster.store.fault = "away";
  cluster.run(120_000);
  assert.equal(cluster.leader, undefined);
  cluster.store.fault = "none";
  cluster.run(30_000);
  leaderOf(cluster);
  assert.deepEqual(epochsOf(cluster), [1n]);
  assert.equal(cluster.member("d1.a").table?.epoch, 1n);
});

test("a data node that dies is replaced by its followers as soon as it is known to be gone", () => {
  const cluster = settledCluster();
  const before = cluster.store.state.slotTable;
  cluster.member("d1.a").kill();
  cluster.run(900);
  assert.deepEqual(epochsOf(cluster), [1n], "it may still come back");
  cluster.run(200);
  const after = cluster.store.state.slotTable;
  for (const [slot, owner] of (after?.slots ?? []).entries()) {
    const old = before?.slots[slot];
    if (old?.leader === "d1.a") assert.equal(owner.leader, old.followers[0]);
    else assert.equal(owner.leaderEpoch, 1n);
  }
  assert.deepEqual(cluster.member("s1.a").knownIds, ["d2.a", "d3.a", "s1.a", "s2.a"]);
});

test("a link that is back within a second was no death", () => {
  const cluster = settledCluster();
  const d1 = cluster.member("d1.a");
  for (const meta of cluster.metas.values()) d1.cutFrom(meta);
  cluster.run(800);
  for (const meta of cluster.metas.values()) d1.linkTo(meta);
  cluster.run(5_000);
  assert.deepEqual(epochsOf(cluster), [1n]);
});

test("a data node that falls silent keeps its slots for the lease, and then loses them", () => {
  const cluster = settledCluster();
  cluster.member("d1.a").isSilent = true;
  cluster.run(18_500);
  assert.deepEqual(epochsOf(cluster), [1n]);
  cluster.run(2_000);
  assert.ok(!cluster.slotLeaders.includes("d1.a"));
});

test("the leader's death and a data node's death at once: who takes over promotes those in sync", () => {
  const cluster = settledCluster();
  const before = cluster.store.state.slotTable;
  leaderOf(cluster).kill();
  cluster.member("d2.a").kill();
  cluster.run(7_000);
  for (const [slot, { leader }] of (cluster.store.state.slotTable?.slots ?? []).entries()) {
    const old = before?.slots[slot];
    assert.equal(leader, old?.leader === "d2.a" ? old.followers[0] : old?.leader);
  }
});

test("a meta node that was just started leaves their slots to data nodes that it has not heard yet", () => {
  const cluster = settledCluster();
  for (const meta of cluster.metas.values()) meta.kill();
  cluster.run(60_000);
  for (const name of ["d1.a", "d2.a", "d3.a", "s1.a", "s2.a"]) cluster.member(name).isSilent = true;
  cluster.startMeta("m3.a");
  cluster.member("d1.a").isSilent = false;
  cluster.member("s1.a").isSilent = false;
  cluster.run(15_000);
  assert.deepEqual(epochsOf(cluster), [1n]);
  cluster.run(10_000);
  assert.deepEqual(new Set(cluster.slotLeaders), new Set(["d1.a"]), "now their lease is over");
});

test("a meta node that was just started tells no list before everybody had time to come", () => {
  const cluster = settledCluster();
  for (const meta of cluster.metas.values()) meta.kill();
  cluster.run(6_000);
  const s2 = cluster.member("s2.a");
  s2.isSilent = true;
  cluster.startMeta("m3.a");
  cluster.after(2_000, () => {
    s2.isSilent = false;
  });
  cluster.run(10_000);
  const lists = cluster
    .member("d1.a")
    .heard.flatMap((message) => (message.kind === "members" ? [message.members] : []));
  const told = lists.filter(({ epoch }) => epoch === 2n);
  assert.ok(told.length > 0);
  for (const { list } of told) assert.equal(list.length, 5);
});

test("a meta leader that was left with nobody tells no list before those who come back had time to", () => {
  const cluster = settledCluster();
  const leader = leaderOf(cluster);
  // It is cut off with one data node, takes the others for dead, and then loses that one.
  for (const member of cluster.members) if (member.member.id !== "d1.a") member.isSilent = true;
  cluster.run(30_000);
  assert.deepEqual(cluster.member("d1.a").knownIds, ["d1.a"]);
  cluster.member("d1.a").kill();
  cluster.run(10_000);
  assert.deepEqual(leader.meta.members(), []);
  const [d1] = cluster.start("data", "d1.b");
  for (const [at, id] of ["s1.a", "s2.a", "d2.a", "d3.a"].entries()) {
    cluster.after((at + 1) * 500, () => {
      cluster.member(id).isSilent = false;
    });
  }
  cluster.run(8_000);
  const lists = d1?.heard.flatMap((message) => (message.kind === "members" ? [message.members.list.length] : []));
  assert.deepEqual(new Set(lists), new Set([5]));
});

test("a meta leader that kept one member of all tells no list and makes no table before the others had time to", () => {
  const cluster = settledCluster();
  const leader = leaderOf(cluster);
  const cutOff = cluster.members.filter(({ member }) => member.id !== "d1.a");
  for (const member of cutOff) member.isSilent = true;
  cluster.run(30_000);
  const table = cluster.store.state.slotTable?.epoch;
  assert.deepEqual(cluster.member("d1.a").knownIds, ["d1.a"]);
  // That one goes too, and a new one comes, before the leader could notice its own deafness.
  cluster.member("d1.a").kill();
  const [s9] = cluster.start("session", "s9.a");
  cluster.run(1_500);
  assert.deepEqual(
    leader.meta.members().map(({ id }) => id),
    ["s9.a"],
  );
  for (const [at, id] of ["d3.a", "s1.a", "d2.a", "s2.a"].entries()) {
    cluster.after(at * 500, () => {
      cluster.member(id).isSilent = false;
    });
  }
  cluster.run(1_400);
  assert.equal(cluster.store.state.slotTable?.epoch, table, "d2 may come back");
  cluster.run(8_000);
  const heard = cluster.member("d3.a").heard.slice(-100);
  const lists = heard.flatMap((message) => (message.kind === "members" ? [message.members] : []));
  assert.deepEqual(
    lists
      .at(-1)
      ?.list.map(({ id }) => id)
      .sort(),
    ["d2.a", "d3.a", "s1.a", "s2.a", "s9.a"],
  );
  assert.deepEqual(s9?.knownIds, ["d2.a", "d3.a", "s1.a", "s2.a", "s9.a"]);
  const since = lists.filter(({ list }) => !list.some(({ id }) => id === "d1.a") && list.length < 5);
  assert.deepEqual(since, []);
});

test("meta nodes that were stopped for a while take nobody for dead", () => {
  const cluster = settledCluster();
  for (const durationMs of [4_000, 60_000]) {
    for (const meta of cluster.metas.values()) meta.pause(durationMs);
    cluster.run(durationMs + 30_000);
    assert.deepEqual(epochsOf(cluster), [1n]);
    assert.equal(cluster.member("s1.a").list?.list.length, 5);
  }
});

test("who gets the slots of a dead data node is told which versions that one may have given", () => {
  const cluster = settledCluster();
  const newest = versionAt(cluster.nowMs + 3_600_000);
  cluster.member("d1.a").newestVersion = newest;
  cluster.run(2_000);
  cluster.member("d1.a").kill();
  cluster.run(3_000);
  const told = cluster.member("d2.a").heard.findLast((message) => message.kind === "slotTable");
  assert.equal(told?.versionFloor, newest);
});

test("a data node that was started again replaces its earlier run at once", () => {
  const cluster = settledCluster();
  cluster.member("d1.a").kill();
  cluster.start("data", "d1.b");
  cluster.run(200);
  const leaders = cluster.store.tables[1]?.table.slots.map(({ leader }) => leader) ?? [];
  assert.deepEqual(new Set(leaders), new Set(["d2.a", "d3.a"]), "nothing is waited for, and the new run follows first");
  cluster.run(20_000);
  assert.ok(cluster.slotLeaders.includes("d1.b"), "and leads again later");
});

test("a meta node that leads and hears nobody makes no table: whom it remembers may have been replaced", () => {
  const cluster = settledCluster();
  const m2 = defined(cluster.metas.get("m2.a"), "it was started");
  // Links fall silent first, and are closed for that.
  for (const member of cluster.members) member.isSilent = true;
  cluster.run(5_000);
  for (const member of cluster.members) {
    member.cutFrom(m2);
    member.isSilent = false;
  }
  cluster.member("d1.a").kill();
  cluster.start("data", "d1.b")[0]?.cutFrom(m2);
  cluster.run(20_000);
  const epochs = epochsOf(cluster);
  assert.ok(cluster.slotLeaders.includes("d1.b"));
  leaderOf(cluster).kill();
  cluster.run(60_000);
  assert.equal(leaderOf(cluster), m2);
  assert.equal(m2.meta.members().length, 5, "it takes nobody for gone either");
  assert.deepEqual(epochsOf(cluster), epochs);
});

test("a second living process with a copied data directory is refused, and the first one stays", () => {
  const cluster = settledCluster();
  const [twin] = cluster.start("data", "d1.b");
  cluster.run(5_000);
  assert.match(twin?.refusal ?? "", /another process is running as node "d1"/);
  assert.deepEqual(epochsOf(cluster), [1n]);
  assert.ok(cluster.member("s1.a").knownIds.includes("d1.a"));
  assert.ok(!cluster.member("s1.a").knownIds.includes("d1.b"));
});

test("a run that was replaced is refused when it speaks again", () => {
  const cluster = settledCluster();
  const old = cluster.member("d1.a");
  old.isSilent = true;
  cluster.run(3_500);
  cluster.start("data", "d1.b");
  cluster.run(500);
  assert.ok(!cluster.slotLeaders.includes("d1.a"));
  old.isSilent = false;
  cluster.run(1_500);
  assert.match(old.refusal ?? "", /a newer process has replaced this one/);
  assert.equal(cluster.member("d1.b").refusal, undefined);
});

test("a data node that leaves hands its slots over and is left alone", () => {
  const cluster = settledCluster();
  const d1 = cluster.member("d1.a");
  d1.isLeaving = true;
  d1.say();
  cluster.run(200);
  assert.ok(!cluster.slotLeaders.includes("d1.a"));
  const next = cluster.store.state.slotTable?.slots ?? [];
  for (const { leader, leaderEpoch } of next) assert.ok(leaderEpoch === 1n || leader !== "d1.a");
  cluster.run(10_000);
  const parts = (cluster.store.state.slotTable?.slots ?? []).flatMap(({ leader, followers }) => [leader, ...followers]);
  assert.ok(!parts.includes(d1.member.id));
});

test("the only data node can't hand over, and goes on", () => {
  const cluster = new MetaCluster();
  cluster.startMeta("m1.a");
  const [d1] = cluster.start("data", "d1.a");
  cluster.run(2_000);
  assert.ok(d1 !== undefined);
  d1.isLeaving = true;
  cluster.run(5_000);
  assert.deepEqual(new Set(cluster.slotLeaders), new Set(["d1.a"]));
});

test("below the least number of data nodes the table stays as it is", () => {
  const cluster = settledCluster({ dataNodesMin: 3 });
  cluster.member("d1.a").kill();
  cluster.run(60_000);
  assert.deepEqual(epochsOf(cluster), [1n]);
  cluster.start("data", "d4.a");
  cluster.run(1_000);
  assert.ok(!cluster.slotLeaders.includes("d1.a"));
});

test("the first table waits for the data nodes that start together", () => {
  const cluster = new MetaCluster({ dataNodesMin: 2 });
  cluster.startMeta("m1.a");
  cluster.start("data", "d1.a");
  cluster.run(5_000);
  assert.deepEqual(epochsOf(cluster), [], "too few");
  cluster.start("data", "d2.a");
  cluster.run(400);
  cluster.start("data", "d3.a");
  cluster.run(200);
  assert.equal(new Set(cluster.slotLeaders).size, 3);
  cluster.run(10_000);
  assert.deepEqual(epochsOf(cluster), [1n]);
});

test("a process that is the whole cluster has its table at once, after a restart too", () => {
  const cluster = new MetaCluster({ firstTableDelayMs: 0 });
  cluster.startMeta("n.a");
  cluster.start("data", "n.a");
  const [session] = cluster.start("session", "n.a");
  cluster.run(50);
  assert.deepEqual(new Set(cluster.slotLeaders), new Set(["n.a"]));
  assert.deepEqual(session?.knownIds, ["n.a", "n.a"]);
  cluster.metas.get("n.a")?.step({ kind: "resign" });
  cluster.run(100);
  for (const member of cluster.members) member.kill();
  cluster.startMeta("n.b");
  cluster.start("data", "n.b");
  const [again] = cluster.start("session", "n.b");
  cluster.run(50);
  assert.deepEqual(new Set(cluster.slotLeaders), new Set(["n.b"]));
  assert.deepEqual(again?.knownIds, ["n.b", "n.b"]);
});
