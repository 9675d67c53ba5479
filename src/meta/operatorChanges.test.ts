// Configuration values and blocked nodes, as operators change them and members hear of them.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { RegistryError } from "../base/errors.ts";
import { fail } from "../base/errors.ts";
import { brandServiceKey } from "../model/ids.ts";
import { OperatorChanges } from "./operatorChanges.ts";
import type { SaveOutcome } from "./saveOutcome.ts";
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

/** Changes on their way to the store, the requested saves, and the answers. */
function changes() {
  const saved: string[] = [];
  const answers = new Map<number, RegistryError | undefined>();
  const of = new OperatorChanges({
    saveConfig: ({ data, version }) => void saved.push(`${data} ${version}`),
    saveNodeBlocked: ({ node, isBlocked }) => void saved.push(`${node} ${isBlocked}`),
    answer: (request, error) => void answers.set(request, error),
    refusal: () => fail("NOT_META_LEADER", { leader: "m2" }),
  });
  let version = 0n;
  const begin = (term = 1) =>
    of.begin(
      term,
      ({ serviceKey, data }) => ({ serviceKey, data, version: ++version }),
      ({ serviceKey: key, ifVersion }) =>
        ifVersion === undefined || ifVersion === version
          ? undefined
          : fail("VERSION_CONFLICT", { key, ifVersion, version }),
    );
  const codes = () => [...answers].map(([request, error]) => `${request} ${error?.code ?? "done"}`);
  return { of, saved, begin, codes };
}

const allow = () => undefined;

test("values and blocks wait for the store beside each other, one of each", () => {
  const { of, saved, begin } = changes();
  for (const data of ["a", "b"]) of.put(1, { serviceKey: RULES, data }, allow);
  for (const node of ["d1", "d2"]) of.block(2, { node, isBlocked: true });
  begin();
  begin();
  assert.deepEqual(saved, ["a 1", "d1 true"]);
  of.nodeBlocked({ node: "d1", isBlocked: true }, "saved");
  begin();
  assert.deepEqual(saved, ["a 1", "d1 true", "d2 true"]);
});

test("an answer of the store counts for exactly what it was asked to save", () => {
  const { of, begin, codes } = changes();
  of.put(1, { serviceKey: RULES, data: "a" }, allow);
  of.block(2, { node: "d1", isBlocked: true });
  begin(7);
  const value = { serviceKey: RULES, data: "a", version: 1n };
  assert.equal(of.configSaved({ ...value, version: 2n }, "saved"), undefined);
  assert.equal(of.configSaved({ ...value, serviceKey: brandServiceKey("other#@#I#@#G") }, "saved"), undefined);
  assert.equal(of.nodeBlocked({ node: "d2", isBlocked: true }, "saved"), undefined);
  assert.equal(of.nodeBlocked({ node: "d1", isBlocked: false }, "saved"), undefined);
  assert.deepEqual(codes(), []);
  assert.equal(of.configSaved(value, "saved"), 7, "the term in which it was asked");
  assert.equal(of.nodeBlocked({ node: "d1", isBlocked: true }, "saved"), 7);
  assert.deepEqual(codes(), ["1 done", "2 done"]);
});

test("a request is answered with what the store made of it", () => {
  const answered = (outcome: SaveOutcome) => {
    const { of, begin, codes } = changes();
    of.block(1, { node: "d1", isBlocked: true });
    begin();
    of.nodeBlocked({ node: "d1", isBlocked: true }, outcome);
    return codes();
  };
  assert.deepEqual(answered("saved"), ["1 done"]);
  assert.deepEqual(answered("refused"), ["1 NOT_META_LEADER"]);
  assert.deepEqual(answered("unknown"), ["1 STORE_OUTCOME_UNKNOWN"]);
});

test("a value is refused by what waits already, counted in values and in bytes of the longest text", () => {
  const { of, begin, codes } = changes();
  const seen: { count: number; bytes: number }[] = [];
  const refusal = (waiting: { count: number; bytes: number }) => {
    seen.push(waiting);
    return seen.length > 3 ? fail("CONFIG_VALUES_EXHAUSTED", { values: 3, configValuesMax: 3 }) : undefined;
  };
  for (const [at, data] of ["1234", "56", null, "7"].entries()) of.put(at, { serviceKey: RULES, data }, refusal);
  assert.deepEqual(seen, [
    { count: 0, bytes: 0 },
    { count: 1, bytes: 12 },
    { count: 2, bytes: 18 },
    { count: 3, bytes: 18 },
  ]);
  assert.deepEqual(codes(), ["3 CONFIG_VALUES_EXHAUSTED"]);
  begin();
});

test("a change for which there is no room among those that wait is refused in words", () => {
  const { of, codes } = changes();
  for (let request = 0; request <= 1_000; request++) of.block(request, { node: `d${request}`, isBlocked: true });
  assert.deepEqual(codes(), ["1000 STORE_UNAVAILABLE"]);
  for (let request = 0; request <= 1_000; request++) of.put(2_000 + request, { serviceKey: RULES, data: "" }, allow);
  assert.deepEqual(codes(), ["1000 STORE_UNAVAILABLE", "3000 STORE_UNAVAILABLE"]);
});

test("who leads no more refuses what waits, and answers what is under way when the store has", () => {
  const { of, begin, codes } = changes();
  for (const request of [1, 2]) of.block(request, { node: `d${request}`, isBlocked: true });
  for (const request of [3, 4]) of.put(request, { serviceKey: RULES, data: "a" }, allow);
  begin();
  of.refuseWaiting();
  assert.deepEqual(codes(), ["4 NOT_META_LEADER", "2 NOT_META_LEADER"]);
  of.nodeBlocked({ node: "d1", isBlocked: true }, "saved");
  assert.equal(codes().at(-1), "1 done");
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

test("a change on a condition is checked when its turn comes, after the changes before it", () => {
  const { of, saved, begin, codes } = changes();
  const put = { serviceKey: RULES, data: "a", ifVersion: 0n };
  of.put(1, put, allow);
  of.put(2, { ...put, data: "b" }, allow);
  of.put(3, { ...put, data: "c", ifVersion: 1n }, allow);
  begin();
  begin();
  assert.deepEqual([saved, codes()], [["a 1"], []], "nothing is refused while a save is under way");
  of.configSaved({ serviceKey: RULES, data: "a", version: 1n }, "saved");
  begin();
  assert.deepEqual(saved, ["a 1", "c 2"]);
  assert.deepEqual(codes(), ["1 done", "2 VERSION_CONFLICT"]);
});
