// Configuration values and blocked nodes, as operators change them and members hear of them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { brandServiceKey } from "../model/ids.ts";
import type { MetaNode, TestMember } from "./testing/metaCluster.ts";
import { leaderOf, settledCluster } from "./testing/settledCluster.ts";

const RULES = brandServiceKey("rules#@#I#@#G");

function put(meta: MetaNode, data: string, request = 1): void {
  meta.step({ kind: "putConfig", request, serviceKey: RULES, data });
}

function configsOf({ heard }: TestMember): (string | null)[] {
  return heard.flatMap((message) => (message.kind === "config" ? [message.value.data] : []));
}

test("a blocked node is drained of its slots, and its sessions are refused", () => {
  const cluster = settledCluster();
  const [session] = cluster.start("session", "d1.a");
  cluster.run(2_000);
  leaderOf(cluster).step({ kind: "blockNode", request: 7, node: "d1", isBlocked: true });
  leaderOf(cluster).step({ kind: "blockNode", request: 8, node: "s2", isBlocked: true });
  cluster.run(5_000);
  assert.ok(cluster.answers.has(7) && cluster.answers.get(7) === undefined);
  assert.ok(!cluster.slotLeaders.includes("d1.a"));
  assert.match(session?.refusal ?? "", /node "d1" is blocked/);
  assert.match(cluster.member("s2.a").refusal ?? "", /node "s2" is blocked/);
  assert.deepEqual([...leaderOf(cluster).meta.blockedNodes], ["d1", "s2"]);
  const serials = new Set(
    cluster.member("s1.a").heard.flatMap((m) => (m.kind === "members" ? [m.members.serial] : [])),
  );
  cluster.run(5_000);
  assert.equal(cluster.member("s1.a").list?.serial, Math.max(...serials), "who is refused changes the list once");
});

test("a node that is unblocked gets slots again", () => {
  const cluster = settledCluster();
  leaderOf(cluster).step({ kind: "blockNode", request: 7, node: "d1", isBlocked: true });
  cluster.run(10_000);
  leaderOf(cluster).step({ kind: "blockNode", request: 8, node: "d1", isBlocked: false });
  cluster.run(30_000);
  assert.ok(cluster.slotLeaders.includes("d1.a"));
});

test("watchers are told a value when it is stored, and by the next leader what they may have missed", () => {
  const cluster = settledCluster();
  const session = cluster.member("s1.a");
  const watch = { kind: "watchConfig", serviceKeys: [RULES] } as const;
  for (const meta of cluster.metas.values()) meta.step({ kind: "received", from: session.member, message: watch });
  cluster.run(10);
  assert.deepEqual(configsOf(session), [null]);
  const first = leaderOf(cluster);
  put(first, "one");
  assert.deepEqual(configsOf(session), [null]);
  cluster.run(50);
  assert.deepEqual(configsOf(session), [null, "one"]);
  assert.equal(cluster.answers.get(1), undefined);
  // Stored, but its leader dies before it could tell any member.
  put(first, "two", 2);
  cluster.run(6);
  first.kill();
  cluster.run(7_000);
  assert.deepEqual(configsOf(session).at(-1), "two");
  put(leaderOf(cluster), "three", 3);
  cluster.run(50);
  const versions = session.heard.flatMap((message) => (message.kind === "config" ? [message.value.version] : []));
  assert.deepEqual(
    versions,
    versions.toSorted((a, b) => Number(a - b)),
  );
  assert.equal(configsOf(session).at(-1), "three");
});

test("puts of the same value one after the other are all answered, and the last one stands", () => {
  const cluster = settledCluster();
  for (let request = 1; request <= 5; request++) put(leaderOf(cluster), `v${request}`, request);
  cluster.run(200);
  for (let request = 1; request <= 5; request++) assert.ok(cluster.answers.has(request));
  assert.equal(cluster.store.state.configs.get(RULES)?.data, "v5");
  assert.equal(leaderOf(cluster).meta.config(RULES)?.data, "v5");
});

test("a meta node that does not lead says who does", () => {
  const cluster = settledCluster();
  const other = cluster.metas.get("m2.a");
  assert.ok(other !== undefined);
  put(other, "one", 5);
  const error = cluster.answers.get(5);
  assert.equal(error?.code, "NOT_META_LEADER");
  assert.equal(error?.details["leader"], "m1.a:9611");
  assert.equal(other.meta.leader?.address, "m1.a:9611");
});

test("a put whose outcome nobody knows is answered so", () => {
  const cluster = settledCluster();
  cluster.store.fault = "answer is lost";
  put(leaderOf(cluster), "one", 5);
  cluster.run(20);
  assert.equal(cluster.answers.get(5)?.code, "STORE_OUTCOME_UNKNOWN");
  cluster.store.fault = "none";
  cluster.run(2_000);
  assert.equal(leaderOf(cluster).meta.config(RULES)?.data, "one", "it was made, as is found out");
});

test("a put that waits while the lead is lost is refused", () => {
  const cluster = settledCluster();
  cluster.store.fault = "away";
  put(leaderOf(cluster), "one", 5);
  put(leaderOf(cluster), "two", 6);
  cluster.run(6_000);
  assert.equal(cluster.answers.get(5)?.code, "STORE_OUTCOME_UNKNOWN");
  assert.equal(cluster.answers.get(6)?.code, "NOT_META_LEADER");
});

test("while the store is away, whoever led last tells what was stored", () => {
  const cluster = settledCluster();
  put(leaderOf(cluster), "one");
  cluster.run(50);
  const [, other] = cluster.metas.values();
  cluster.store.fault = "away";
  cluster.run(10_000);
  assert.equal(cluster.leader, undefined);
  const session = cluster.member("s1.a");
  const watch = { kind: "watchConfig", serviceKeys: [RULES] } as const;
  other?.step({ kind: "received", from: session.member, message: watch });
  cluster.run(10);
  assert.deepEqual(configsOf(session), [], "one that never led knows nothing, and says nothing");
  for (const meta of cluster.metas.values()) meta.step({ kind: "received", from: session.member, message: watch });
  cluster.run(10);
  assert.deepEqual(configsOf(session), ["one"]);
});
