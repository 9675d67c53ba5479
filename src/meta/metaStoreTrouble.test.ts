// The meta role with a store that fails, answers late, or has lost commits.

import assert from "node:assert/strict";
import { test } from "node:test";
import { LINK_MS } from "./testing/metaCluster.ts";
import { epochsOf, leaderOf, settledCluster } from "./testing/settledCluster.ts";
import { readWhole, tableWith } from "./testing/storedState.ts";

test("a table whose saving failed is decided anew, and epochs only grow", () => {
  const cluster = settledCluster();
  for (const fault of ["answer is lost", "away"] as const) {
    const tables = cluster.store.tables.length;
    cluster.member(fault === "away" ? "d2.a" : "d1.a").kill();
    cluster.run(995);
    cluster.store.fault = fault;
    cluster.run(300);
    cluster.store.fault = "none";
    cluster.run(3_000);
    assert.ok(cluster.store.tables.length > tables);
  }
  assert.deepEqual(new Set(cluster.slotLeaders), new Set(["d3.a"]));
  const written = epochsOf(cluster);
  assert.deepEqual(
    written,
    [...written.keys()].map((at) => BigInt(at + 1)),
  );
  assert.equal(cluster.member("s1.a").table?.epoch, written.at(-1));
});

test("what an earlier leader wrote last is refused, and it does not show it", () => {
  const cluster = settledCluster();
  const first = leaderOf(cluster);
  cluster.member("d1.a").kill();
  cluster.run(999);
  cluster.storeMs = 10_000;
  cluster.run(2);
  assert.deepEqual(epochsOf(cluster), [1n], "it has decided, and the statement is on its way");
  cluster.storeMs = 5;
  first.pause(15_000);
  cluster.run(40_000);
  assert.equal(leaderOf(cluster).name, "m2.a");
  assert.ok(cluster.store.tables.slice(1).every(({ leaseEpoch }) => leaseEpoch === 2n));
  assert.equal(cluster.member("s1.a").table?.epoch, cluster.store.state.slotTable?.epoch);
  assert.equal(first.meta.slotTable?.epoch, 1n);
  assert.equal(first.meta.leader?.holder, "m2.a");
});

test("answers that belong to an earlier lead change nothing", () => {
  const cluster = settledCluster();
  const first = leaderOf(cluster);
  const { table } = cluster.store.tables[0] ?? {};
  assert.ok(table !== undefined);
  const forged = tableWith({ ...cluster.store.state, slotTable: { ...table, epoch: 9n } });
  first.step({ kind: "loaded", range: readWhole(forged) });
  first.step({ kind: "committed", number: 99, result: { kind: "committed", revision: 99n } });
  cluster.run(1_000);
  assert.equal(first.meta.slotTable?.epoch, 1n);
});

test("a store that lost its last table does not give its epoch out again", () => {
  const cluster = settledCluster();
  const lost = cluster.store.state;
  cluster.member("d1.a").kill();
  cluster.run(5_000);
  const shown = cluster.member("d2.a").table;
  assert.ok(shown !== undefined && shown.epoch > 1n);
  // The other meta node has never seen the tables that are lost now.
  cluster.store.state = lost;
  leaderOf(cluster).kill();
  cluster.run(20_000);
  const next = cluster.member("d2.a").table;
  assert.ok(next !== undefined && next.epoch > shown.epoch);
  assert.equal(next.epoch, cluster.store.state.slotTable?.epoch);
  for (const { leaderEpoch } of next.slots) assert.ok(leaderEpoch > shown.epoch, "nobody leads by a lost epoch");
});

test("a leader that hears of a table later than its own asks who leads, and goes on above it", () => {
  const cluster = settledCluster();
  const lost = cluster.store.state;
  cluster.member("d1.a").kill();
  cluster.run(5_000);
  const shown = cluster.member("d2.a").table?.epoch ?? 0n;
  cluster.store.state = lost;
  for (const meta of cluster.metas.values()) meta.kill();
  for (const name of ["d2.a", "d3.a", "s1.a", "s2.a"]) cluster.member(name).isSilent = true;
  cluster.run(6_000);
  cluster.startMeta("m3.a");
  cluster.run(1_000);
  assert.equal(leaderOf(cluster).meta.slotTable?.epoch, 1n);
  for (const name of ["d2.a", "d3.a", "s1.a", "s2.a"]) cluster.member(name).isSilent = false;
  cluster.run(30_000);
  const stored = cluster.store.state.slotTable?.epoch ?? 0n;
  assert.ok(stored > shown);
  for (const name of ["d2.a", "d3.a", "s1.a", "s2.a"]) assert.equal(cluster.member(name).table?.epoch, stored);
});

test("a leader that hears of a list later than its own says nothing more before it has asked who leads", () => {
  const cluster = settledCluster();
  const first = leaderOf(cluster);
  const s1 = cluster.member("s1.a");
  const later = { epoch: 2n, serial: 1, list: [] };
  s1.list = later;
  s1.heard.length = 0;
  s1.say();
  cluster.run(LINK_MS);
  assert.ok(!first.meta.isLeading);
  assert.deepEqual(s1.heard, []);
  cluster.run(2_000);
  assert.ok(first.meta.isLeading, "the store says that it still leads");
  assert.ok(s1.list !== later && s1.knownIds.length === 5, "and its lists are later than any other now");
});

test("a store that lost its last table gets it again from the leader that showed it", () => {
  const cluster = settledCluster();
  const lost = cluster.store.state;
  cluster.member("d1.a").kill();
  cluster.run(5_000);
  const shown = cluster.member("d2.a").table;
  cluster.store.state = lost;
  cluster.member("d2.a").kill();
  cluster.run(5_000);
  assert.deepEqual(new Set(cluster.slotLeaders), new Set(["d3.a"]));
  assert.ok((cluster.store.state.slotTable?.epoch ?? 0n) > (shown?.epoch ?? 0n));
});

test("a table that is stored after its leader lost the lead and took it again under the same lease is shown", () => {
  const cluster = settledCluster();
  const d1 = cluster.member("d1.a");
  for (const meta of cluster.metas.values()) d1.cutFrom(meta);
  cluster.run(999);
  cluster.storeMs = 6_000;
  cluster.run(2);
  cluster.storeMs = 5;
  // It is back before the store has the table without it, so no other table follows.
  for (const meta of cluster.metas.values()) d1.linkTo(meta);
  leaderOf(cluster).pause(4_600);
  cluster.store.extendLease(60_000);
  cluster.run(30_000);
  assert.ok(cluster.store.tables.every(({ leaseEpoch }) => leaseEpoch === 1n));
  assert.ok(epochsOf(cluster).length > 1);
  assert.equal(cluster.member("s1.a").table?.epoch, cluster.store.state.slotTable?.epoch);
});

test("a change that is made after its outcome was unknown is found", () => {
  const cluster = settledCluster();
  const leader = leaderOf(cluster);
  leader.step({ kind: "blockNode", request: 1, node: "d3", isBlocked: true });
  cluster.store.fault = "answer is lost";
  cluster.run(12);
  cluster.store.fault = "none";
  assert.equal(cluster.answers.get(1)?.code, "STORE_OUTCOME_UNKNOWN");
  cluster.store.state = { ...cluster.store.state, blockedNodes: new Set() };
  cluster.run(3);
  cluster.after(1_000, () => {
    cluster.store.state = { ...cluster.store.state, blockedNodes: new Set(["d3"]) };
  });
  cluster.run(12_000);
  assert.deepEqual([...leader.meta.blockedNodes], ["d3"]);
});
