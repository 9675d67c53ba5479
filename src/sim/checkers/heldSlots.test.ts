import assert from "node:assert/strict";
import { test } from "node:test";
import type { Heartbeat } from "../../cluster/messages/membership.ts";
import { type NodeId, nodeId } from "../../model/ids.ts";
import { drawPlan } from "../drawPlan.ts";
import { Dice } from "../random.ts";
import { Judge } from "./judge.ts";

const [M1, D1, D2] = [nodeId("m1.4"), nodeId("d1.1"), nodeId("d2.6")];
const BEFORE = { epoch: 1n, slots: [{ leader: D1, leaderEpoch: 1n, followers: [D2] }] };

/** D1 reports its holds and D2 its copy; then a table is saved in which D2 leads. */
function change(held: readonly number[], followers: readonly NodeId[]): string | undefined {
  const judge = new Judge(drawPlan(new Dice(1)));
  const save = { kind: "saved", by: M1, what: "slot table", leaseEpoch: 1n } as const;
  const says = (id: NodeId, slots: Heartbeat["slots"]) => {
    const message = { kind: "heartbeat", role: "data", address: "d:1", tableEpoch: 1n, isLeaving: false } as const;
    const heartbeat = { ...message, members: { epoch: 1n, serial: 1 }, ...(slots !== undefined && { slots }) };
    judge.see({ kind: "reported", to: M1, from: { id, role: "data" }, message: heartbeat }, 1);
  };
  judge.see({ ...save, askedMs: 0, table: BEFORE, before: undefined }, 0);
  says(D1, { serving: [0], held, inSync: [] });
  says(D2, { serving: [], held: [], inSync: [0] });
  const table = { epoch: 2n, slots: [{ leader: D2, leaderEpoch: 2n, followers }] };
  judge.see({ ...save, askedMs: 2, table, before: BEFORE }, 2);
  return judge.finding?.rule;
}

test("a leader that lives and holds something of a slot back keeps it", () => {
  assert.equal(change([0], [D1]), "slots: how the table changes");
  assert.equal(change([], [D1]), undefined);
});

test("of one that is gone the follower leads, though something is held", () => {
  assert.equal(change([0], []), undefined);
});
