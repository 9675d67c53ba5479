import assert from "node:assert/strict";
import { test } from "node:test";
import { type NodeId, nodeId } from "../model/ids.ts";
import { type DataNode, SlotDraft, type SlotFacts } from "./slotDraft.ts";

const [A, B, C, GONE] = ["a.1", "b.1", "c.1", "x.1"].map(nodeId) as [NodeId, NodeId, NodeId, NodeId];
const WELL: SlotFacts = {
  isInSync: () => true,
  inSyncMs: () => 0,
  isServing: () => true,
  isHeld: () => false,
  isSilent: () => false,
};

/** A draft of a table of these owners; C leaves, GONE is gone. */
function draftOf(...owners: readonly (readonly [leader: NodeId, ...followers: NodeId[]])[]): SlotDraft {
  const slots = owners.map(([leader, ...followers]) => ({ leader, leaderEpoch: 1n, followers }));
  const nodes = new Map<NodeId, DataNode>([
    [A, { isLeaving: false, isHeard: true, isListed: true }],
    [B, { isLeaving: false, isHeard: true, isListed: true }],
    [C, { isLeaving: true, isHeard: true, isListed: true }],
  ]);
  const rest = { epoch: 5n, slotCount: slots.length, facts: WELL, slotReplicas: 2, slotMovesMax: 1 };
  return new SlotDraft({ ...rest, nodes, table: { epoch: 4n, slots } }, slots);
}

/** The counted loads of each node agree with the slots. */
function assertCounted(draft: SlotDraft): void {
  for (const node of [A, B, C, GONE]) {
    const leads = draft.slots.filter(({ leader }) => leader === node).length;
    const follows = draft.slots.filter(({ followers }) => followers.includes(node)).length;
    assert.deepEqual([draft.leads(node), draft.follows(node)], [leads, follows], node);
  }
}

test("what nodes lead and follow is counted through every change", () => {
  const draft = draftOf([A, B], [GONE, A], [B, C, A], [A]);
  assertCounted(draft);
  draft.setLeader(0, B, "leader leaves");
  assertCounted(draft);
  draft.setLeader(1, A, "leader is gone");
  assertCounted(draft);
  draft.setLeader(3, B, "leader leaves");
  assertCounted(draft);
  draft.addFollower(3, C, "follower is missing");
  assertCounted(draft);
  draft.dropFollower(2, C, "follower leaves");
  assertCounted(draft);
  assert.deepEqual(
    draft.slots.map(({ leader, followers }) => [leader, ...followers]),
    [[B, A], [A], [B, A], [B, A, C]],
  );
});

test("of a slot with a new leader nobody is in sync, nothing is served, and all of it counts as held", () => {
  const draft = draftOf([A, B]);
  assert.deepEqual([draft.isInSync(0, B), draft.isServing(0), draft.isHeld(0)], [true, true, false]);
  draft.setLeader(0, B, "leader leaves");
  assert.deepEqual([draft.isInSync(0, A), draft.isServing(0), draft.isHeld(0)], [false, false, true]);
  assert.equal(draft.owner(0).leaderEpoch, 5n);
});

test("who leaves, is gone or was not heard may be given nothing, and is no copy", () => {
  const draft = draftOf([A, B, C, GONE]);
  assert.deepEqual([draft.usable, draft.copies(0)], [[A, B], [B]]);
  assert.deepEqual([draft.isAlive(C), draft.isAlive(GONE), draft.isUsable(C)], [true, false, false]);
});

test("as many copies are wanted as there are nodes beside the leader, up to what is asked for", () => {
  assert.equal(draftOf([A]).copiesWanted(0), 1);
  assert.equal(draftOf([C]).copiesWanted(0), 1, "both of the others may follow, one is asked for");
});

test("a move is a slot with a copy too many; those that leave are none", () => {
  assert.equal(draftOf([A, B, C], [A, B]).movesUnderWay(), 0);
  assert.equal(draftOf([C, A, B], [C, B, A], [A, B]).movesUnderWay(), 2);
});

test("a draft in which nothing was changed is no table", () => {
  const draft = draftOf([A, B]);
  assert.equal(draft.result(), undefined);
  draft.dropFollower(0, B, "follower leaves");
  assert.deepEqual(draft.result(), {
    table: { epoch: 5n, slots: [{ leader: A, leaderEpoch: 1n, followers: [] }] },
    changes: [{ slot: 0, node: B, change: "released", reason: "follower leaves" }],
  });
});
