// A member that hears of a slot's leader has to know that node's address. Lists are sent at their own times: after a
// cut the next one waits for members that may come back, and after a list of many members it waits a while.

import assert from "node:assert/strict";
import { test } from "node:test";
import { defined } from "../base/assert.ts";
import type { MetaCluster } from "./testing/metaCluster.ts";
import { leaderOf, settledCluster } from "./testing/settledCluster.ts";

/** The leaders of each table that the session heard and that its list at that time did not name. */
function unknownLeaders(cluster: MetaCluster): string[] {
  const unknown = new Set<string>();
  let listed: readonly string[] = [];
  for (const message of cluster.member("s1.a").heard) {
    if (message.kind === "members") listed = message.members.list.map(({ id }) => id);
    if (message.kind !== "slotTable") continue;
    for (const { leader } of message.table.slots) if (!listed.includes(leader)) unknown.add(leader);
  }
  return [...unknown];
}

/** Two data nodes were silent until the members were told of a list without them, and are heard again. */
function rejoined(): MetaCluster {
  const cluster = settledCluster();
  const away = [cluster.member("d2.a"), cluster.member("d3.a")];
  for (const node of away) node.isSilent = true;
  cluster.run(25_000);
  assert.deepEqual(new Set(cluster.slotLeaders), new Set(["d1.a"]));
  for (const node of away) node.isSilent = false;
  cluster.run(1_900);
  return cluster;
}

test("after a cut slots move when the members were told who is back, and stay until then", () => {
  const cluster = rejoined();
  assert.deepEqual(cluster.member("s1.a").knownIds, ["d1.a", "s1.a", "s2.a"], "the list waits for others");
  assert.deepEqual(new Set(cluster.slotLeaders), new Set(["d1.a"]));
  assert.ok(defined(cluster.store.state.slotTable, "saved").slots.every(({ followers }) => followers.length === 1));
  cluster.run(3_000);
  assert.deepEqual(new Set(cluster.slotLeaders), new Set(["d1.a", "d2.a", "d3.a"]));
  assert.deepEqual(unknownLeaders(cluster), []);
});

test("a meta leader that is lost before it has sent the list leaves a table whose leaders are known", () => {
  const cluster = rejoined();
  leaderOf(cluster).kill();
  cluster.store.fault = "away";
  cluster.run(60_000);
  assert.deepEqual(unknownLeaders(cluster), []);
  assert.deepEqual(new Set(cluster.slotLeaders), new Set(["d1.a"]));
});

test("a data node that stops does not hand over to one that members don't know", () => {
  const cluster = rejoined();
  cluster.member("d1.a").isLeaving = true;
  cluster.run(5_000);
  assert.ok(!cluster.slotLeaders.includes("d1.a"), "it does when they do");
  assert.deepEqual(unknownLeaders(cluster), []);
});

test("a data node that joins just after a long list leads when the next one has named it", () => {
  const cluster = settledCluster();
  cluster.start("session", ...Array.from({ length: 300 }, (_, at) => `t${at}.a`));
  cluster.run(5_000);
  cluster.start("session", "s3.a");
  cluster.start("data", "d4.a");
  cluster.run(3_000);
  assert.ok(cluster.slotLeaders.includes("d4.a"));
  assert.deepEqual(unknownLeaders(cluster), []);
});

test("a data node that joins while a meta node starts leads when the first list has named it", () => {
  const cluster = settledCluster();
  for (const meta of cluster.metas.values()) meta.kill();
  cluster.run(6_000);
  cluster.startMeta("m3.a");
  cluster.start("data", "d4.a");
  cluster.run(6_000);
  assert.ok(cluster.slotLeaders.includes("d4.a"));
  assert.deepEqual(unknownLeaders(cluster), []);
});
