import assert from "node:assert/strict";
import { test } from "node:test";
import { brandServiceKey, type NodeId, nodeId } from "../../model/ids.ts";
import { drawPlan } from "../drawPlan.ts";
import type { Fact } from "../facts.ts";
import type { Plan } from "../plan.ts";
import { Dice } from "../random.ts";
import { Absences } from "./absence.ts";
import { SeenCommits } from "./commits.ts";
import { Nodes } from "./nodes.ts";
import { Registrations } from "./registrations.ts";
import { SeenRules } from "./seenRules.ts";

const S = brandServiceKey("s#@#I#@#G");
const D1 = nodeId("d1.1");
const S1 = nodeId("s1.2");
const DRAWN = drawPlan(new Dice(1));
const PLAN: Plan = {
  ...DRAWN,
  config: { ...DRAWN.config, sessionLeaseMs: 30_000 },
  nodes: [
    { machine: "d1", roles: ["data"] },
    { machine: "s1", roles: ["session"] },
  ],
};
const LEASE_MS = PLAN.config.sessionLeaseMs * (1 - PLAN.clocks.drift);
const RESTART_MS = 5_100;
const KEY = { client: "c", service: S, registId: "c.1" };
const OWNER = { leader: D1, leaderEpoch: 1n, followers: [] };
const TABLE = { epoch: 1n, slots: Array.from({ length: PLAN.meta.slotCount }, () => OWNER) };
const TABLE_MESSAGE = { kind: "slotTable", table: TABLE, versionFloor: 0n } as const;

const SAVED: Fact = {
  ...{ kind: "saved", by: nodeId("m1.1"), what: "slot table", askedMs: 0, leaseEpoch: 1n },
  ...{ table: TABLE, before: undefined },
};

/** The absences of c's registration, which is at the session, after the data node has restarted. */
function absences(...history: readonly (readonly [atMs: number, fact: Fact])[]) {
  const nodes = new Nodes(PLAN);
  const registrations = new Registrations();
  const facts: (readonly [atMs: number, fact: Fact])[] = [
    [0, SAVED],
    [0, { kind: "started", node: D1, role: "data", machine: "d1" }],
    [0, { kind: "started", node: S1, role: "session", machine: "s1" }],
    [1, { kind: "linkMade", session: S1, data: D1 }],
    [2, { kind: "connected", isMute: false, client: "c", session: S1, connection: 1 }],
    [2, { kind: "published", ...KEY, version: 1n, token: "c.1~1~c", zone: "Z1" }],
    [3, { kind: "acknowledged", ...KEY, version: 1n, session: S1, connection: 1 }],
    [5_000, { kind: "stopped", node: D1, role: "data" }],
    [RESTART_MS, { kind: "started", node: nodeId("d1.3"), role: "data", machine: "d1" }],
    ...history,
  ];
  nodes.see({ kind: "learned", node: S1, role: "session", message: TABLE_MESSAGE }, 1);
  for (const [atMs, fact] of facts.toSorted(([a], [b]) => a - b)) {
    nodes.see(fact, atMs);
    registrations.see(fact, atMs);
  }
  const [registration] = registrations.twins(S, "c.1");
  assert.ok(registration !== undefined);
  return new Absences({ plan: PLAN, commits: new SeenCommits(), registrations, nodes, rules: new SeenRules() }).of(
    registration,
  );
}

const cutOff = (isCut: boolean): Fact => ({ kind: "cut", id: 1, ways: [{ from: "s1", to: "d1" }], isCut });

test("the only data node, restarted while it can't hear a session, waits for that one's lease and no longer", () => {
  const since = RESTART_MS + LEASE_MS;
  assert.deepEqual(absences([4_000, cutOff(true)]), [{ fromMs: since, untilMs: Number.POSITIVE_INFINITY }]);
  const healed = absences([4_000, cutOff(true)], [since + 100, cutOff(false)]);
  assert.equal(healed.length, 1);
  assert.ok((healed[0]?.untilMs ?? 0) < since + 10_000, "then the session says what it has");
});

test("a session that a restarted data node can hear, or could before it was cut off, explains nothing", () => {
  assert.deepEqual(absences(), []);
  assert.deepEqual(absences([4_000, cutOff(true)], [RESTART_MS + 1_000, cutOff(false)]), []);
  assert.deepEqual(absences([RESTART_MS + 500, cutOff(true)]), []);
});

test("a session that dies before its cut is over is gone since the cut; one that lives was not gone at all", () => {
  const outside = (isOutside: boolean): Fact => ({ kind: "outside", machine: "s1", isOutside });
  const cut = [
    [6_000, outside(true)],
    [20_000, outside(false)],
  ] as const;
  const died: Fact = { kind: "stopped", node: S1, role: "session" };
  const fromCut = (list: ReturnType<typeof absences>) =>
    list.filter(({ fromMs }) => Math.abs(fromMs - 6_000 - LEASE_MS) < 1_000).map(({ untilMs }) => untilMs);
  assert.deepEqual(fromCut(absences(...cut, [19_000, died])), [Number.POSITIVE_INFINITY]);
  assert.deepEqual(fromCut(absences(...cut)), []);
  const told = (serial: number, ...ids: NodeId[]): Fact => {
    const list = ids.map((id) => ({ role: "session", id, address: "" }) as const);
    return {
      kind: "learned",
      node: D1,
      role: "data",
      message: { kind: "members", members: { epoch: 1n, serial, list } },
    };
  };
  const [untilMs = 0] = fromCut(absences(...cut, [10_000, told(1)], [60_000, told(2, S1)], [61_000, told(1)]));
  assert.ok(untilMs > 60_000 && untilMs < 70_000, "it is no member for longer than it is cut off");
  assert.deepEqual(fromCut(absences(...cut, [10_000, told(1)], [15_000, told(2, S1)])), []);
  const returning = fromCut(absences(...cut, [10_000, told(1)], [30_000, died]));
  assert.deepEqual(returning, [Number.POSITIVE_INFINITY], "it dies before it is one again");
});

test("a process on a copy of the data directory shows what it has after its hold, as after a restart", () => {
  const outside = [30_000, { kind: "outside", machine: "s1", isOutside: true }] as const;
  const copy = (id: string): Fact => ({ kind: "started", node: nodeId(id), role: "data", machine: "d1c1" });
  const fromHold = (list: ReturnType<typeof absences>) =>
    list.filter(({ fromMs }) => fromMs < 30_000 + LEASE_MS - 1_000);
  const holdMs = PLAN.config.restartHoldMs;
  assert.deepEqual(fromHold(absences(outside, [31_000, copy("d2.8")])), [], "another node knows nothing of it");
  const [absence] = fromHold(absences(outside, [31_000, copy("d1.8")]));
  assert.ok(absence !== undefined && Math.abs(absence.fromMs - 31_000 - holdMs) < 1_000);
});

test("a return is heard late by a leader that stands still or is cut off from the session, for no other reason", () => {
  const s2 = nodeId("s2.4");
  const stands = (machine: string) => (is: boolean) => ({ kind: "paused", machine, isPaused: is }) as const;
  const cut = (from: string, to: string) => (isCut: boolean) =>
    ({ kind: "cut", id: 1, ways: [{ from, to }], isCut }) as const;
  const learned: Fact = { kind: "learned", node: s2, role: "session", message: TABLE_MESSAGE };
  const isHeardLate = (trouble: (is: boolean) => Fact): boolean =>
    absences(
      [0, { kind: "started", node: s2, role: "session", machine: "s2" }],
      [2, { kind: "linkMade", session: s2, data: D1 }],
      [2, learned],
      [100_000, { kind: "outside", machine: "s1", isOutside: true }],
      [100_000, trouble(true)],
      [101_000, { kind: "connected", isMute: false, client: "c", session: s2, connection: 2 }],
      [101_001, { kind: "acknowledged", ...KEY, version: 1n, session: s2, connection: 2 }],
      [120_000, { kind: "outside", machine: "s1", isOutside: false }],
      [120_000, trouble(false)],
      [120_001, { kind: "lost", client: "c", side: "server", session: S1, connection: 1 }],
    ).some(({ untilMs }) => untilMs > 120_000);
  assert.ok(isHeardLate(stands("d1")), "the leader hears the two in any order");
  assert.ok(isHeardLate(stands("s2")));
  assert.ok(isHeardLate(cut("s2", "d1")));
  assert.ok(!isHeardLate(stands("s1")), "the session that it left");
  assert.ok(!isHeardLate(stands("d2")), "a node that does not lead the service");
  assert.ok(!isHeardLate(cut("s2", "d2")));
  assert.ok(!isHeardLate(cut("s1", "d2")));
});

test("only a session that was cut off may say late what it took, and take it back", () => {
  const s2 = nodeId("s2.4");
  const lateWord = (cutMs: number, openMs: number) =>
    absences(
      [0, { kind: "started", node: s2, role: "session", machine: "s2" }],
      [2, { kind: "linkMade", session: s2, data: D1 }],
      [2, { kind: "learned", node: s2, role: "session", message: TABLE_MESSAGE }],
      [cutMs, cutOff(true)],
      [50_000, { kind: "acknowledged", ...KEY, version: 2n, session: S1, connection: 1 }],
      [openMs, cutOff(false)],
      [51_000, { kind: "lost", client: "c", side: "server", session: S1, connection: 1 }],
      [51_400, { kind: "connected", isMute: false, client: "c", session: s2, connection: 2 }],
      [51_401, { kind: "acknowledged", ...KEY, version: 2n, session: s2, connection: 2 }],
    ).filter(({ fromMs }) => fromMs > 51_000 && fromMs < 53_000);
  const [absence, other] = lateWord(49_000, 51_100);
  assert.ok(absence !== undefined && other === undefined && absence.untilMs < 75_000);
  assert.deepEqual(lateWord(40_000, 45_000), []);
  assert.deepEqual(lateWord(50_500, 51_100), []);
});

test("what a session took that died before its cut was over is no return: the next one counts", () => {
  const s2 = nodeId("s2.4");
  const s3 = nodeId("s3.5");
  const taken = (session: NodeId, connection: number): Fact => ({
    ...{ kind: "acknowledged", ...KEY, version: 1n, session, connection },
  });
  const cut = (isCut: boolean): Fact => ({ kind: "cut", id: 2, ways: [{ from: "s2", to: "d1" }], isCut });
  const endedMs = 10_000 + LEASE_MS;
  /** Whether it may be missing right before it is registered for the third time. */
  const mayBeMissing = (stopMs: number): boolean =>
    absences(
      [0, { kind: "started", node: s2, role: "session", machine: "s2" }],
      [2, { kind: "linkMade", session: s2, data: D1 }],
      [2, { kind: "learned", node: s2, role: "session", message: TABLE_MESSAGE }],
      [9_000, cut(true)],
      [10_000, { kind: "stopped", node: S1, role: "session" }],
      [12_000, { kind: "connected", isMute: false, client: "c", session: s2, connection: 2 }],
      [12_001, taken(s2, 2)],
      [20_000, cut(false)],
      [stopMs, { kind: "stopped", node: s2, role: "session" }],
      [endedMs + 5_000, { kind: "started", node: s3, role: "session", machine: "s3" }],
      [endedMs + 5_001, { kind: "linkMade", session: s3, data: D1 }],
      [endedMs + 5_001, { kind: "learned", node: s3, role: "session", message: TABLE_MESSAGE }],
      [endedMs + 5_500, { kind: "connected", isMute: false, client: "c", session: s3, connection: 3 }],
      [endedMs + 5_501, taken(s3, 3)],
    ).some(({ fromMs, untilMs }) => fromMs <= endedMs + 5_400 && endedMs + 5_400 <= untilMs);
  assert.ok(mayBeMissing(19_000), "the leader has never heard of the second registration");
  assert.ok(!mayBeMissing(30_000), "it has");
});
