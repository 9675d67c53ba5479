import assert from "node:assert/strict";
import { test } from "node:test";
import { leaderOf, settledCluster } from "./testing/settledCluster.ts";

// The answers of a settled cluster: sessions s1 and s2, data nodes d1, d2 and perhaps more.
function asked(...changes: readonly (readonly [node: string, isBlocked: boolean])[]) {
  const cluster = settledCluster();
  for (const [request, [node, isBlocked]] of changes.entries()) {
    leaderOf(cluster).step({ kind: "blockNode", request, node, isBlocked });
  }
  cluster.run(5_000);
  const answers = changes.map((_, request) => cluster.answers.get(request));
  return { cluster, answers, blocked: [...leaderOf(cluster).meta.blockedNodes].sort() };
}

test("a name that no node has is not blocked, and the known names are told", () => {
  const { answers, blocked } = asked(["d-1", true]);
  assert.equal(answers[0]?.code, "NODE_UNKNOWN");
  assert.match(answers[0]?.message ?? "", /node=d-1, known=\[.*\bs1\b.*\]/);
  assert.deepEqual(blocked, []);
});

test("a node that is not blocked can't be unblocked, and those that are blocked are told", () => {
  const { answers } = asked(["d1", true], ["d2", false]);
  assert.deepEqual([answers[0], answers[1]?.code], [undefined, "NODE_UNKNOWN"]);
  assert.match(answers[1]?.message ?? "", /blocked=\[d1\]/);
});

test("what is blocked already may be blocked again", () => {
  const { answers, blocked } = asked(["d1", true], ["d1", true]);
  assert.deepEqual(answers, [undefined, undefined]);
  assert.deepEqual(blocked, ["d1"]);
});

test("the last session is not blocked, also while the block of the other one is on its way to the store", () => {
  const { answers, blocked } = asked(["s1", true], ["s2", true]);
  assert.equal(answers[1]?.code, "NODE_NEEDED");
  assert.match(answers[1]?.message ?? "", /node=s2, role=session/);
  assert.deepEqual(blocked, ["s1"]);
});

test("the last data node is not blocked", () => {
  const { cluster } = asked();
  const names = new Set(
    cluster.members.flatMap(({ member: { id, role } }) => (role === "data" ? [id.slice(0, -2)] : [])),
  );
  const all = [...names].map((name) => [name, true] as const);
  const { answers, blocked } = asked(...all);
  assert.deepEqual(
    answers.map((error) => error?.code),
    [...all.slice(1).map(() => undefined), "NODE_NEEDED"],
  );
  assert.equal(blocked.length, all.length - 1);
});

test("a node that has died and still owns slots may be kept from coming back", () => {
  const cluster = settledCluster();
  cluster.member("d1.a").kill();
  leaderOf(cluster).step({ kind: "blockNode", request: 1, node: "d1", isBlocked: true });
  cluster.run(5_000);
  assert.equal(cluster.answers.get(1), undefined);
  assert.deepEqual([...leaderOf(cluster).meta.blockedNodes], ["d1"]);
});

test("all members are told who is blocked, and who is not any more", () => {
  const cluster = settledCluster();
  leaderOf(cluster).step({ kind: "blockNode", request: 1, node: "d1", isBlocked: true });
  cluster.run(1_000);
  assert.deepEqual(cluster.member("d1.a").list?.blocked, ["d1"]);
  leaderOf(cluster).step({ kind: "blockNode", request: 2, node: "d1", isBlocked: false });
  cluster.run(1_000);
  assert.equal(cluster.member("d1.a").list?.blocked, undefined);
});

test("the next leader tells who is blocked", () => {
  const cluster = settledCluster();
  leaderOf(cluster).step({ kind: "blockNode", request: 1, node: "d1", isBlocked: true });
  cluster.run(1_000);
  leaderOf(cluster).kill();
  cluster.run(20_000);
  cluster.member("s1.a").kill();
  cluster.run(5_000);
  assert.deepEqual(cluster.member("d1.a").list?.blocked, ["d1"]);
});
