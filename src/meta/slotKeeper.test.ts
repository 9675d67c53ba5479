import assert from "node:assert/strict";
import { test } from "node:test";
import type { Heartbeat } from "../cluster/messages/membership.ts";
import { type NodeId, nodeId } from "../model/ids.ts";
import type { SlotTable } from "../model/slot.ts";
import { type DataNodes, SlotKeeper, type TableSave } from "./slotKeeper.ts";

const [A, B, C] = [nodeId("a.1"), nodeId("b.1"), nodeId("c.1")];
const STORED: SlotTable = {
  epoch: 5n,
  slots: [
    { leader: A, leaderEpoch: 3n, followers: [B] },
    { leader: B, leaderEpoch: 5n, followers: [A] },
  ],
};

function keeper(stored: SlotTable | "none" = STORED, dataNodesMin = 0): SlotKeeper {
  const slots = new SlotKeeper({
    slotCount: 2,
    slotReplicas: 2,
    slotMovesMax: 2,
    dataNodesMin,
    firstTableDelayMs: 500,
    memberLeaseMs: 20_000,
  });
  slots.load(stored === "none" ? undefined : stored, { leaseEpoch: 1n, nowMs: 0 });
  return slots;
}

/** Nothing is known of nodes that are neither living nor gone. */
function known(living: readonly NodeId[], gone: readonly NodeId[] = []): DataNodes {
  return {
    living: new Map(living.map((node) => [node, { isLeaving: false, heardMs: 0 }])),
    isUnknown: (node) => !gone.includes(node),
    isListed: () => true,
  };
}

function report(slots: SlotKeeper, node: NodeId, tableEpoch: bigint, nowMs: number): void {
  const every = [0, 1, 2, 3, 4, 5];
  const all = { serving: every, held: [], inSync: every };
  const members = { epoch: 0n, serial: 0 };
  const heartbeat: Heartbeat = {
    ...{ kind: "heartbeat", role: "data", address: "h:1", tableEpoch, members, isLeaving: false },
    slots: all,
  };
  slots.heard(node, heartbeat, nowMs);
}

function decided(save: TableSave | undefined): SlotTable {
  assert.ok(save !== undefined, "a table is to be saved");
  return save.table;
}

/** Arranges; returns the table that is to be saved, if there is one. */
function saveOf(slots: SlotKeeper, living: DataNodes, nowMs: number): TableSave | undefined {
  const outcome = slots.arrange(living, nowMs);
  return outcome.kind === "save" ? outcome.save : undefined;
}

test("who takes the lead waits for what the table's nodes say, but not for long", () => {
  const slots = keeper();
  report(slots, B, 4n, 0);
  assert.equal(saveOf(slots, known([B], [A]), 100), undefined, "B has not said anything of this table yet");
  assert.equal(slots.nextMs(), 3_000);
  report(slots, B, 5n, 200);
  const table = decided(saveOf(slots, known([B], [A]), 300));
  assert.deepEqual(
    table.slots.map(({ leader, leaderEpoch }) => [leader, leaderEpoch]),
    [
      [B, 6n],
      [B, 5n],
    ],
  );
});

test("a node that was not heard keeps its slots for a lease's time", () => {
  const slots = keeper();
  report(slots, B, 5n, 0);
  assert.equal(saveOf(slots, known([B]), 3_000), undefined);
  slots.nodesChanged(19_999);
  assert.equal(saveOf(slots, known([B]), 19_999), undefined);
  assert.ok(slots.nextMs() <= 20_000);
  assert.ok(decided(saveOf(slots, known([B]), 20_000)).slots.every(({ leader }) => leader === B));
});

test("one table is on its way to the store at a time, and is in force when it is there", () => {
  const slots = keeper();
  const table = decided(saveOf(slots, known([B], [A]), 4_000));
  assert.equal(slots.nextMs(), Number.POSITIVE_INFINITY);
  assert.equal(slots.table, STORED, "nobody is shown a decision that is not saved");
  slots.nodesChanged(4_001);
  assert.equal(saveOf(slots, known([B], [A]), 4_001), undefined);
  assert.equal(slots.saved(table, "saved", 4_010), "saved");
  assert.equal(slots.table, table);
  assert.ok(slots.changes.some(({ reason }) => reason === "leader is gone"));
});

test("a new table forgets nothing of what nodes have said of slots that stay as they are", () => {
  const six = Array.from({ length: 6 }, (_, at) => STORED.slots[at % 2]).filter((owner) => owner !== undefined);
  const slots = keeper({ epoch: 5n, slots: six });
  for (const node of [A, B]) report(slots, node, 5n, 0);
  const all = known([A, B, C]);
  const table = decided(saveOf(slots, all, 3_000));
  const added = table.slots.findIndex(({ followers }) => followers.includes(C));
  slots.saved(table, "saved", 3_100);
  report(slots, C, table.epoch, 3_200);
  const next = decided(saveOf(slots, all, 3_300));
  assert.notDeepEqual(next.slots[added], table.slots[added], "the move goes on as soon as the new node has its copy");
});

test("the answer to the save of an earlier lead is not taken for the one that is awaited", () => {
  const slots = keeper();
  const early = decided(saveOf(slots, known([B], [A]), 4_000));
  slots.lost();
  slots.load(STORED, { leaseEpoch: 3n, nowMs: 9_000 });
  const table = decided(saveOf(slots, known([A], [B]), 13_000));
  assert.equal(table.epoch, early.epoch);
  assert.equal(slots.saved(early, "saved", 13_001), "late");
  assert.equal(slots.table, STORED);
  assert.equal(slots.saved(table, "unknown", 13_002), "uncertain");
  assert.equal(slots.table, STORED);
});

test("a table whose saving was uncertain, and that turns out to be stored, is in force", () => {
  const slots = keeper();
  const table = decided(saveOf(slots, known([B], [A]), 4_000));
  slots.saved(table, "unknown", 4_010);
  slots.load(table, { leaseEpoch: 1n, nowMs: 4_020 });
  assert.equal(slots.table, table);
  assert.equal(saveOf(slots, known([B], [A]), 4_020), undefined);
});

test("below the least number of nodes nothing is arranged, not even a first table", () => {
  const slots = keeper("none", 2);
  assert.equal(saveOf(slots, known([A]), 10_000), undefined);
  slots.nodesChanged(20_000);
  assert.equal(saveOf(slots, known([A, B]), 20_000), undefined, "others may be about to come");
  assert.equal(slots.nextMs(), 20_500);
  assert.equal(decided(saveOf(slots, known([A, B]), 20_500)).epoch, 1n);
});

test("a table that members have and the store has lost: all leaders begin anew above it", () => {
  const slots = keeper();
  assert.ok(slots.heardEpoch(8n));
  assert.ok(!slots.heardEpoch(8n), "once is enough");
  for (const node of [A, B]) report(slots, node, 5n, 0);
  const table = decided(saveOf(slots, known([A, B]), 0));
  assert.equal(table.epoch, 9n);
  assert.deepEqual(
    table.slots.map(({ leader, leaderEpoch }) => [leader, leaderEpoch]),
    [
      [A, 9n],
      [B, 9n],
    ],
  );
});

test("a table that this node showed and the store has lost is stored again", () => {
  const slots = keeper();
  const shown = decided(saveOf(slots, known([B], [A]), 4_000));
  slots.saved(shown, "saved", 4_010);
  slots.load(STORED, { leaseEpoch: 2n, nowMs: 5_000, revision: 12n });
  const save = saveOf(slots, known([B], [A]), 9_000);
  assert.deepEqual(decided(save).slots, shown.slots);
  assert.equal(save?.expectedRevision, 12n);
  assert.equal(save?.table.epoch, shown.epoch + 1n);
});
