import assert from "node:assert/strict";
import { test } from "node:test";
import type { MetaToMember } from "../../cluster/messages/membership.ts";
import { brandServiceKey, nodeId } from "../../model/ids.ts";
import { slotOf } from "../../model/slot.ts";
import { drawPlan } from "../drawPlan.ts";
import { Dice } from "../random.ts";
import { Judge } from "./judge.ts";

const S = brandServiceKey("s#@#I#@#G");
const [D1, S1, S2] = [nodeId("d1.1"), nodeId("s1.2"), nodeId("s2.3")];
const PLAN = drawPlan(new Dice(1));

/** D1 serves its slots 4 ms after it knows the members, has not heard S1 by then, and ends. */
function answersEarly(endsMs: number, knownMs = 1): string | undefined {
  const judge = new Judge(PLAN);
  const slots = Array.from({ length: PLAN.meta.slotCount }, () => ({ leader: D1, leaderEpoch: 1n, followers: [] }));
  const table = { epoch: 1n, slots };
  const members = { epoch: 1n, serial: 1, list: [{ id: S1, role: "session", address: "s1:1" } as const] };
  judge.see({ kind: "started", node: D1, role: "data", machine: "d1" }, 0);
  judge.see({ kind: "learned", node: D1, role: "data", message: { kind: "slotTable", table, versionFloor: 0n } }, 1);
  judge.see({ kind: "learned", node: D1, role: "data", message: { kind: "members", members } }, knownMs);
  judge.see({ kind: "told", from: D1, to: S1, message: { kind: "current", serviceKey: S } }, knownMs + 4);
  judge.see({ kind: "stopped", node: D1, role: "data" }, endsMs);
  judge.see({ kind: "started", node: nodeId("d1.3"), role: "data", machine: "d1" }, endsMs + 1);
  return judge.finding?.rule;
}

test("who answers before every session is heard answers too early", () => {
  assert.equal(answersEarly(6), "6 no empty by accident");
});

test("who has led for long and has just heard who the members are has waited for none of them", () => {
  const knownMs = 2 * PLAN.config.sessionLeaseMs;
  assert.equal(answersEarly(knownMs + 5, knownMs), "6 no empty by accident");
});

test("a process that ends in the middle of a step may have heard the last session in it", () => {
  assert.equal(answersEarly(5), undefined);
});

const SLOT = slotOf(S, PLAN.meta.slotCount);

/** D1 has heard S1 and S2 and serves. S1 is away for `awayMs`, and is back with a registration that D1 lacks. */
function awayFor(awayMs: number): { judge: Judge; nowMs: number } {
  const judge = new Judge(PLAN);
  const slots = Array.from({ length: PLAN.meta.slotCount }, () => ({ leader: D1, leaderEpoch: 1n, followers: [] }));
  const session = (id: typeof S1) => ({ id, role: "session", address: "s:1" }) as const;
  const members = (serial: number, ids: readonly (typeof S1)[]) =>
    ({ kind: "members", members: { epoch: 1n, serial, list: ids.map(session) } }) as const;
  const learns = (message: MetaToMember, nowMs: number) =>
    judge.see({ kind: "learned", node: D1, role: "data", message }, nowMs);
  judge.see({ kind: "started", node: D1, role: "data", machine: "d1" }, 0);
  learns(members(1, [S1, S2]), 1);
  for (const id of [S1, S2]) judge.see({ kind: "sessionLink", data: D1, session: id, isUp: true }, 1);
  learns({ kind: "slotTable", table: { epoch: 1n, slots }, versionFloor: 0n }, 1);
  for (const to of [S1, S2]) judge.see({ kind: "told", from: D1, to, message: { kind: "synced", slots: [SLOT] } }, 2);
  judge.see({ kind: "told", from: D1, to: S2, message: { kind: "current", serviceKey: S } }, 5);
  judge.see({ kind: "sessionLink", data: D1, session: S1, isUp: false }, 10);
  learns(members(2, [S2]), 10);
  const nowMs = 10 + awayMs;
  judge.see({ kind: "sessionLink", data: D1, session: S1, isUp: true }, nowMs);
  judge.see({ kind: "told", from: D1, to: S1, message: { kind: "differs", slots: [SLOT] } }, nowMs);
  return { judge, nowMs };
}

const LEASE_MS = PLAN.config.sessionLeaseMs;

test("who is back after its lease with something new is heard before anybody is answered", () => {
  const { judge, nowMs } = awayFor(LEASE_MS + 5_000);
  judge.see({ kind: "told", from: D1, to: S2, message: { kind: "current", serviceKey: S } }, nowMs + 1);
  judge.see({ kind: "started", node: nodeId("d1.3"), role: "data", machine: "d1" }, nowMs + 2);
  assert.equal(judge.finding?.rule, "6 no empty by accident");
});

test("who was heard again, or is back within its lease, keeps nobody waiting", () => {
  for (const awayMs of [LEASE_MS + 5_000, LEASE_MS - 5_000]) {
    const { judge, nowMs } = awayFor(awayMs);
    const synced = { kind: "synced", slots: [SLOT] } as const;
    if (awayMs > LEASE_MS) judge.see({ kind: "told", from: D1, to: S1, message: synced }, nowMs + 1);
    judge.see({ kind: "told", from: D1, to: S2, message: { kind: "current", serviceKey: S } }, nowMs + 1);
    judge.see({ kind: "started", node: nodeId("d1.3"), role: "data", machine: "d1" }, nowMs + 2);
    assert.equal(judge.finding, undefined);
  }
});

test("a slot is not kept back for longer than a lease", () => {
  const { judge, nowMs } = awayFor(LEASE_MS + 5_000);
  const others = Array.from({ length: PLAN.meta.slotCount }, (_, slot) => slot).filter((slot) => slot !== SLOT);
  const slots = { serving: others, held: [], inSync: [] };
  const version = { tableEpoch: 1n, members: { epoch: 1n, serial: 2 } };
  const message = { kind: "heartbeat", role: "data", address: "d1:1", ...version, isLeaving: false, slots } as const;
  const ruleAt = (atMs: number): string | undefined => {
    judge.see({ kind: "heartbeat", from: D1, message }, atMs);
    return judge.finding?.rule;
  };
  assert.equal(ruleAt(nowMs + LEASE_MS - 1_000), undefined);
  assert.equal(ruleAt(nowMs + LEASE_MS + 5_000), "6 no empty by accident");
});
