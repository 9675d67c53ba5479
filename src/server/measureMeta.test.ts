import assert from "node:assert/strict";
import { test } from "node:test";
import { type Metrics, noMetrics } from "../base/metrics.ts";
import type { Heartbeat, Member, SlotReport } from "../cluster/messages/membership.ts";
import { type NodeId, nodeId } from "../model/ids.ts";
import { measureMeta } from "./measureMeta.ts";

const [D1, D2, D3] = [nodeId("d1.a"), nodeId("d2.a"), nodeId("d3.a")] as const;
const member = (id: Member["id"], role: Member["role"]): Member => ({ id, role });

function heartbeat({ role }: Member, slots?: Partial<SlotReport>): Heartbeat {
  const report = slots && { slots: { serving: [], held: [], inSync: [], ...slots } };
  const members = { epoch: 1n, serial: 1 };
  return { kind: "heartbeat", role, address: "a:1", tableEpoch: 1n, members, isLeaving: false, ...report };
}

/** The gauges of a meta node with a table of three slots. */
function gauges({
  isLeading = true,
  reports = [] as readonly (readonly [Member, Heartbeat])[],
  hasTable = true,
  isPaused = false,
} = {}) {
  const slotPause = isPaused ? { setBy: "ann", reason: "", sinceMs: 1 } : undefined;
  const set = new Map<string, number>();
  const metrics: Metrics = {
    ...noMetrics,
    set: (name: string, value: number, ...rest: readonly object[]) =>
      void set.set([name, ...Object.values(rest[0] ?? {})].join(" "), value),
  };
  const owner = (leader: NodeId, ...followers: readonly NodeId[]) => ({ leader, leaderEpoch: 1n, followers });
  const slotTable = { epoch: 1n, slots: [owner(D1, D2), owner(D2, D1, D3), owner(D3)] };
  const meta = { isLeading, slotTable: hasTable ? slotTable : undefined, slotPause, heartbeats: () => reports };
  measureMeta(meta, metrics);
  return [...set.values()];
}

const reportsOf = (...all: readonly (readonly [Member, Partial<SlotReport>?])[]) =>
  all.map(([who, slots]) => [who, heartbeat(who, slots)] as const);
const [d1, d2, d3, s1] = [
  member(D1, "data"),
  member(D2, "data"),
  member(D3, "data"),
  member(nodeId("s1.a"), "session"),
];

test("members are counted by role, slots by what their own leaders and followers report", () => {
  const all = reportsOf(
    [s1],
    [d1, { serving: [0], inSync: [1] }],
    [d2, { serving: [1], inSync: [0] }],
    [d3, { serving: [2] }],
  );
  assert.deepEqual(gauges({ reports: all }), [1, 3, 0, 0, 0]);
});

test("a slot that only another node claims to serve or to follow is unserved, and without a follower", () => {
  const all = reportsOf([s1], [d1, { serving: [1, 2], inSync: [0] }], [d2, { serving: [0] }], [d3, { inSync: [1] }]);
  assert.deepEqual(gauges({ reports: all }), [1, 3, 0, 3, 1]);
});

test("a slot for which the table names no follower lacks none", () => {
  const all = reportsOf([d3, { serving: [2] }]);
  assert.deepEqual(gauges({ reports: all }), [0, 1, 0, 2, 2]);
});

test("a node that does not lead shows zeros, and one without a table no slots", () => {
  const all = reportsOf([s1], [d1]);
  assert.deepEqual(gauges({ isLeading: false, reports: all }), [0, 0, 0, 0, 0]);
  assert.deepEqual(gauges({ hasTable: false, reports: all }), [1, 1, 0, 0, 0]);
});

test("a pause of the arrangement of slots shows at the leading meta node only", () => {
  assert.deepEqual(gauges({ isPaused: true, hasTable: false }), [0, 0, 1, 0, 0]);
  assert.deepEqual(gauges({ isPaused: true, isLeading: false }), [0, 0, 0, 0, 0]);
});
