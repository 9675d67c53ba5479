// The times at which the leading meta node makes a table: the causes, and what it waits for, and for how long.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type NodeId, nodeId } from "../model/ids.ts";
import type { SlotTable } from "../model/slot.ts";
import { type DataNodes, SlotKeeper, type SlotOptions, type TableSave } from "./slotKeeper.ts";

const [A, B, C] = [nodeId("a.1"), nodeId("b.1"), nodeId("c.1")];
const NEVER = Number.POSITIVE_INFINITY;
const STORED: SlotTable = {
  epoch: 5n,
  slots: [
    { leader: A, leaderEpoch: 3n, followers: [B] },
    { leader: B, leaderEpoch: 5n, followers: [A] },
  ],
};

/** A node that leads since 0 and has read this table. */
function keeper(stored: SlotTable | "none" = STORED, options: Partial<SlotOptions> = {}): SlotKeeper {
  const slots = new SlotKeeper({
    slotCount: 2,
    slotReplicas: 2,
    slotMovesMax: 2,
    dataNodesMin: 0,
    firstTableDelayMs: 500,
    memberLeaseMs: 20_000,
    ...options,
  });
  slots.load(stored === "none" ? undefined : stored, { leaseEpoch: 1n, nowMs: 0, revision: 12n });
  return slots;
}

/** These live; all others are known not to, except the `unknown` ones. */
function nodes(living: readonly NodeId[], { unknown = [] as readonly NodeId[], heardMs = 0 } = {}): DataNodes {
  return {
    living: new Map(living.map((node) => [node, { isLeaving: false, heardMs }])),
    isUnknown: (node) => unknown.includes(node),
    isListed: () => true,
  };
}

/** The node reports that all is well, by the table of this epoch. */
function report(slots: SlotKeeper, node: NodeId, nowMs: number, { tableEpoch = 5n, serving = [0, 1] } = {}): void {
  slots.heard(
    node,
    {
      ...{ kind: "heartbeat", role: "data", address: "h:1", tableEpoch, isLeaving: false },
      members: { epoch: 0n, serial: 0 },
      slots: { serving, held: [], inSync: [0, 1] },
    },
    nowMs,
  );
}

/** Arranges; returns the table that is to be saved, if there is one. */
function saveOf(slots: SlotKeeper, living: DataNodes, nowMs: number): TableSave | undefined {
  const outcome = slots.arrange(living, nowMs);
  return outcome.kind === "save" ? outcome.save : undefined;
}

test("what data nodes report is gathered for a tenth of a second, what is not new calls for nothing", () => {
  const slots = keeper();
  for (const node of [A, B]) report(slots, node, 0);
  saveOf(slots, nodes([A, B]), 0);
  assert.equal(slots.nextMs(), 5_000, "looked at again in any case");
  report(slots, A, 1_000);
  assert.equal(slots.nextMs(), 5_000);
  report(slots, A, 1_000, { serving: [0] });
  assert.equal(slots.nextMs(), 1_100);
  report(slots, B, 1_050, { serving: [] });
  assert.equal(slots.nextMs(), 1_100, "the first of them counts");
  assert.equal(saveOf(slots, nodes([A]), 1_099), undefined);
  assert.ok(saveOf(slots, nodes([A]), 1_100) !== undefined);
});

test("nodes that come or go call for a table at once", () => {
  const slots = keeper();
  for (const node of [A, B]) report(slots, node, 0);
  saveOf(slots, nodes([A, B]), 0);
  slots.nodesChanged(700);
  assert.equal(slots.nextMs(), 700);
  assert.ok(saveOf(slots, nodes([A]), 700) !== undefined);
});

test("a new leader waits three seconds for the table's nodes that live, or of whom it knows nothing", () => {
  for (const living of [nodes([A, B]), nodes([A], { unknown: [B] })]) {
    const slots = keeper();
    report(slots, A, 0);
    assert.equal(saveOf(slots, living, 0), undefined);
    assert.equal(slots.nextMs(), 3_000);
  }
  const slots = keeper();
  report(slots, A, 0);
  assert.ok(saveOf(slots, nodes([A]), 0) !== undefined, "B is known to be gone");
});

test("a follower that is still to speak is waited for like a leader, a stranger is not", () => {
  const table = { epoch: 5n, slots: [{ leader: A, leaderEpoch: 3n, followers: [B] }] };
  const slots = keeper(table);
  report(slots, A, 0);
  assert.equal(saveOf(slots, nodes([A, B, C]), 0), undefined);
  report(slots, B, 10);
  slots.nodesChanged(10);
  assert.equal(saveOf(slots, nodes([A, C], { unknown: [] }), 10) !== undefined, true);
});

test("after a cut it waits again; a process that is the whole cluster waits for nobody", () => {
  const slots = keeper();
  for (const node of [A, B]) report(slots, node, 0);
  saveOf(slots, nodes([A, B]), 3_000);
  slots.settleAnew(10_000);
  assert.equal(slots.nextMs(), 8_000, "it was to look again then");
  assert.equal(saveOf(slots, nodes([A], { unknown: [B] }), 10_000), undefined);
  assert.equal(slots.nextMs(), 13_000);
  const alone = keeper(STORED, { firstTableDelayMs: 0 });
  assert.ok(saveOf(alone, nodes([A]), 0) !== undefined);
  const before = keeper("none", { firstTableDelayMs: 0 });
  assert.equal(saveOf(before, nodes([A]), 0)?.table.epoch, 1n);
});

test("a lead that is taken again waits anew, a store that is read again under the same lead does not", () => {
  const slots = keeper();
  slots.load(STORED, { leaseEpoch: 1n, nowMs: 2_000 });
  assert.equal(saveOf(slots, nodes([A, B]), 2_000), undefined);
  assert.equal(slots.nextMs(), 3_000);
  slots.load(STORED, { leaseEpoch: 2n, nowMs: 2_500 });
  assert.equal(saveOf(slots, nodes([A, B]), 2_500), undefined);
  assert.equal(slots.nextMs(), 5_500);
});

test("nodes that are presumed to live are so for a lease's time from the beginning of the lead", () => {
  const slots = keeper();
  report(slots, A, 0);
  const living = nodes([A], { unknown: [B] });
  assert.equal(saveOf(slots, living, 19_999), undefined);
  assert.equal(slots.nextMs(), 20_000);
  assert.deepEqual(
    saveOf(slots, living, 20_000)?.table.slots.map(({ leader }) => leader),
    [A, A],
  );
});

test("there has to be a living node, and as many as data-nodes-min says", () => {
  const slots = keeper(STORED, { dataNodesMin: 2 });
  assert.equal(saveOf(slots, nodes([]), 4_000), undefined);
  slots.nodesChanged(4_001);
  assert.equal(saveOf(slots, nodes([A]), 4_001), undefined);
  slots.nodesChanged(4_002);
  assert.ok(saveOf(slots, nodes([A, C]), 4_002) !== undefined);
});

test("epochs go above the highest that anybody has named", () => {
  const slots = keeper();
  assert.equal(slots.newestEpoch, 5n);
  assert.deepEqual([slots.heardEpoch(4n), slots.heardEpoch(5n), slots.newestEpoch], [false, false, 5n]);
  assert.deepEqual([slots.heardEpoch(6n), slots.heardEpoch(6n), slots.newestEpoch], [true, false, 6n]);
});

test("while a table is on its way to the store nothing is due, and the next is looked at when it is there", () => {
  const slots = keeper();
  const save = saveOf(slots, nodes([B]), 4_000);
  assert.ok(save !== undefined);
  assert.deepEqual([save.expectedRevision, save.table.epoch, slots.nextMs()], [12n, 6n, NEVER]);
  assert.equal(slots.saved({ ...save.table }, "saved", 4_100), "late", "not the very table");
  assert.equal(slots.saved(save.table, "saved", 4_200, 13n), "saved");
  assert.deepEqual([slots.table, slots.nextMs()], [save.table, 4_200]);
  assert.equal(slots.saved(save.table, "saved", 4_300), "late");
});

test("a table that the store refused, or of which nothing is known, is not in force", () => {
  for (const outcome of ["refused", "unknown"] as const) {
    const slots = keeper();
    const save = saveOf(slots, nodes([B]), 4_000);
    assert.ok(save !== undefined);
    assert.equal(slots.saved(save.table, outcome, 4_100), "uncertain");
    assert.equal(slots.table, STORED);
  }
});

test("a save that has come is not awaited any more when the store is read, one that has not is", () => {
  const slots = keeper();
  const save = saveOf(slots, nodes([B]), 4_000);
  assert.ok(save !== undefined);
  slots.load(STORED, { leaseEpoch: 1n, nowMs: 4_100 });
  assert.equal(slots.nextMs(), NEVER);
  slots.load(save.table, { leaseEpoch: 1n, nowMs: 4_200 });
  assert.deepEqual([slots.nextMs(), slots.table, slots.changes], [4_200, save.table, []]);
});

test("what a store that lost its last table holds does not take the place of what was shown", () => {
  const slots = keeper();
  for (const stored of [undefined, { ...STORED, epoch: 4n }]) {
    slots.load(stored, { leaseEpoch: 1n, nowMs: 100, revision: 11n });
    assert.equal(slots.table, STORED);
  }
  for (const node of [A, B]) report(slots, node, 100);
  assert.deepEqual(saveOf(slots, nodes([A, B]), 4_000), {
    table: { epoch: 6n, slots: STORED.slots },
    expectedRevision: 11n,
  });
});

test("a node that was forgotten has said nothing", () => {
  const slots = keeper();
  for (const node of [A, B]) report(slots, node, 0);
  slots.forget(B);
  assert.equal(saveOf(slots, nodes([A, B]), 0), undefined);
  assert.equal(slots.nextMs(), 3_000);
});

test("moves wait for a slot that is not served, until its leader was silent for ten seconds", () => {
  const table = { epoch: 5n, slots: [0, 1, 2].map(() => ({ leader: A, leaderEpoch: 3n, followers: [B] })) };
  const begun = (heardMs: number, nowMs: number) => {
    const slots = keeper(table);
    report(slots, A, 0, { serving: [0, 1] });
    slots.heard(
      B,
      {
        ...{ kind: "heartbeat", role: "data", address: "h:1", tableEpoch: 5n, isLeaving: false },
        members: { epoch: 0n, serial: 0 },
        slots: { serving: [], held: [], inSync: [0, 1, 2] },
      },
      0,
    );
    return saveOf(slots, nodes([A, B], { heardMs }), nowMs) !== undefined;
  };
  assert.deepEqual([begun(0, 9_999), begun(0, 10_000), begun(1, 10_000)], [false, true, false]);
});
