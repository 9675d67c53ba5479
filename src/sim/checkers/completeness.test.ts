import assert from "node:assert/strict";
import { test } from "node:test";
import { brandDataInfoId, nodeId } from "../../model/ids.ts";
import { drawPlan } from "../drawPlan.ts";
import { Dice } from "../random.ts";
import { Judge } from "./judge.ts";

const S = brandDataInfoId("s#@#I#@#G");
const [D1, S1] = [nodeId("d1.1"), nodeId("s1.2")];
const PLAN = drawPlan(new Dice(1));

/** D1 answers at 5 ms for what it leads, has not heard S1 by then, and ends. */
function answersEarly(endsMs: number): string | undefined {
  const judge = new Judge(PLAN);
  const slots = Array.from({ length: PLAN.meta.slotCount }, () => ({ leader: D1, leaderEpoch: 1n, followers: [] }));
  const table = { epoch: 1n, slots };
  const members = { epoch: 1n, serial: 1, list: [{ id: S1, role: "session", address: "s1:1" } as const] };
  judge.see({ kind: "started", node: D1, role: "data", machine: "d1" }, 0);
  judge.see({ kind: "learned", node: D1, role: "data", message: { kind: "members", members } }, 1);
  judge.see({ kind: "learned", node: D1, role: "data", message: { kind: "slotTable", table, versionFloor: 0n } }, 1);
  judge.see({ kind: "told", from: D1, to: S1, message: { kind: "current", dataInfoId: S } }, 5);
  judge.see({ kind: "stopped", node: D1, role: "data" }, endsMs);
  judge.see({ kind: "started", node: nodeId("d1.3"), role: "data", machine: "d1" }, endsMs + 1);
  return judge.finding?.rule;
}

test("who answers before every session is heard answers too early", () => {
  assert.equal(answersEarly(6), "6 no empty by accident");
});

test("a process that ends in the middle of a step may have heard the last session in it", () => {
  assert.equal(answersEarly(5), undefined);
});
