import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestMember } from "./testing/metaCluster.ts";
import { leaderOf, settledCluster } from "./testing/settledCluster.ts";

function countsOf({ heard }: TestMember): Record<string, number>[] {
  return heard.flatMap((message) =>
    message.kind === "clientCounts"
      ? [Object.fromEntries(message.counts.map(({ session, clients }) => [session, clients]))]
      : [],
  );
}

test("sessions are told how many clients each of them has, and data nodes are not", () => {
  const cluster = settledCluster();
  cluster.member("s1.a").clients = 7;
  cluster.member("s2.a").clients = 2;
  cluster.run(3_000);
  for (const id of ["s1.a", "s2.a"]) assert.deepEqual(countsOf(cluster.member(id)).at(-1), { "s1.a": 7, "s2.a": 2 });
  assert.deepEqual(countsOf(cluster.member("d1.a")), []);
});

test("counts are told once a second at the most, and not again while they stay", () => {
  const cluster = settledCluster();
  const [session] = [cluster.member("s1.a")];
  cluster.run(3_000);
  const before = countsOf(session).length;
  for (let second = 0; second < 10; second++) {
    session.clients = second;
    for (let part = 0; part < 10; part++) {
      session.clients++;
      session.say();
      cluster.run(100);
    }
  }
  const told = countsOf(session).length - before;
  assert.ok(told >= 8 && told <= 11, `${told} times in ten seconds`);
  cluster.run(5_000);
  const calm = countsOf(session).length;
  cluster.run(60_000);
  assert.equal(countsOf(session).length, calm);
});

test("a session that has gone is not among the counts, and one that has come is told them", () => {
  const cluster = settledCluster();
  cluster.member("s1.a").clients = 7;
  cluster.member("s2.a").clients = 2;
  cluster.run(3_000);
  cluster.member("s2.a").kill();
  const [late] = cluster.start("session", "s3.a");
  cluster.run(5_000);
  assert.ok(late !== undefined);
  assert.deepEqual(countsOf(late).at(-1), { "s1.a": 7, "s3.a": 0 });
});

test("a session of a release that does not say how many it has is left out", () => {
  const cluster = settledCluster();
  cluster.member("s1.a").clients = undefined;
  cluster.run(3_000);
  assert.deepEqual(countsOf(cluster.member("s2.a")).at(-1), { "s2.a": 0 });
});

test("the next leader tells the counts", () => {
  const cluster = settledCluster();
  cluster.member("s1.a").clients = 7;
  cluster.run(3_000);
  leaderOf(cluster).kill();
  cluster.member("s1.a").clients = 9;
  cluster.run(20_000);
  assert.equal(countsOf(cluster.member("s2.a")).at(-1)?.["s1.a"], 9);
});
