import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import type { Heartbeat, SlotReport } from "../cluster/messages/membership.ts";
import { nodeId } from "../model/ids.ts";
import type { SlotTable } from "../model/slot.ts";
import { SlotReports } from "./slotReports.ts";

const A = nodeId("a.1");
const B = nodeId("b.1");
const C = nodeId("c.1");
/** A leads both slots, B follows both. */
const FIRST: SlotTable = {
  epoch: 5n,
  slots: [
    { leader: A, leaderEpoch: 3n, followers: [B] },
    { leader: A, leaderEpoch: 5n, followers: [B] },
  ],
};
const STEP = { follows: true, nowMs: 10 };
const JUMP = { follows: false, nowMs: 10 };

let reports: SlotReports;
beforeEach(() => {
  reports = new SlotReports();
  reports.adopt(FIRST, JUMP);
});

function says(tableEpoch: bigint, slots: Partial<SlotReport>): Heartbeat {
  const members = { epoch: 0n, serial: 0 };
  const report = { serving: [], held: [], inSync: [], ...slots };
  return { kind: "heartbeat", role: "data", address: "h:1", tableEpoch, members, isLeaving: false, slots: report };
}

test("a follower is in sync when it says so of the table in force", () => {
  reports.heard(B, says(4n, { inSync: [0, 1] }), 0);
  assert.ok(!reports.isInSync(0, B), "that was another table");
  reports.heard(B, says(5n, { inSync: [0] }), 0);
  assert.ok(reports.isInSync(0, B));
  assert.ok(!reports.isInSync(1, B));
  reports.heard(B, says(5n, {}), 0);
  assert.ok(!reports.isInSync(0, B));
});

test("nobody is in sync with a slot that it does not follow, or serves one that it does not lead", () => {
  reports.heard(C, says(5n, { inSync: [0], serving: [0, 99] }), 0);
  assert.ok(!reports.isInSync(0, C));
  reports.heard(B, says(5n, { serving: [0] }), 0);
  assert.ok(!reports.isServing(0));
  reports.heard(A, says(5n, { serving: [0] }), 0);
  assert.ok(reports.isServing(0));
});

test("a slot of which something is held back is not served as far as others are concerned", () => {
  assert.ok(reports.heard(A, says(5n, { serving: [0], held: [0] }), 0));
  assert.ok(!reports.isServing(0));
  assert.ok(reports.heard(A, says(5n, { serving: [0] }), 0), "that it ends is news");
  assert.ok(reports.isServing(0));
});

test("of a slot something is held until its leader says, under its epoch, that nothing is", () => {
  assert.ok(reports.isHeld(0), "nothing was heard of A");
  assert.ok(reports.heard(A, says(5n, { serving: [0, 1], held: [0] }), 0));
  assert.ok(reports.isHeld(0) && !reports.isHeld(1));
  assert.ok(reports.heard(A, says(5n, { serving: [0, 1] }), 0));
  assert.ok(!reports.isHeld(0));
  const [first] = FIRST.slots as [never, never];
  reports.adopt({ epoch: 6n, slots: [first, { leader: B, leaderEpoch: 6n, followers: [A] }] }, STEP);
  assert.ok(!reports.isHeld(0), "the table has changed another slot");
  assert.ok(reports.isHeld(1), "B has not said anything of its lead");
  reports.heard(B, says(6n, { held: [] }), 0);
  assert.ok(!reports.isHeld(1));
});

test("that nothing is held any more is news, also of a slot that is not served", () => {
  reports.heard(A, says(5n, { held: [0] }), 0);
  assert.ok(reports.heard(A, says(5n, {}), 0));
});

test("a table that changes another slot forgets nothing", () => {
  reports.heard(A, says(5n, { serving: [0, 1] }), 0);
  reports.heard(B, says(5n, { inSync: [0, 1] }), 0);
  reports.adopt({ epoch: 6n, slots: [FIRST.slots[0] as never, { leader: B, leaderEpoch: 6n, followers: [A] }] }, STEP);
  assert.ok(reports.isServing(0) && reports.isInSync(0, B));
  assert.ok(!reports.isServing(1) && !reports.isInSync(1, A), "a new leader has yet to be heard of");
});

test("a late report that names an earlier table counts for the slots that are as they were", () => {
  const [first] = FIRST.slots as [never];
  reports.adopt({ epoch: 6n, slots: [first, { leader: B, leaderEpoch: 6n, followers: [A] }] }, STEP);
  reports.heard(A, says(5n, { serving: [0, 1] }), 20);
  reports.heard(B, says(5n, { inSync: [0, 1], held: [1] }), 20);
  assert.ok(reports.isServing(0) && reports.isInSync(0, B));
  assert.ok(!reports.isInSync(1, A) && !reports.isServing(1) && reports.isHeld(1), "nothing is known of the new lead");
  reports.adopt({ epoch: 7n, slots: FIRST.slots.slice(0, 1) }, { follows: true, nowMs: 90 });
  assert.equal(reports.inSyncMs(0, B), 20, "it is no younger with the next table");
});

test("a late report does not count for a slot that its node was released from and given again since", () => {
  const [first, second] = FIRST.slots as [never, never];
  reports.adopt({ epoch: 6n, slots: [{ leader: A, leaderEpoch: 3n, followers: [] }, second] }, STEP);
  reports.adopt({ epoch: 7n, slots: [first, second] }, STEP);
  reports.heard(B, says(5n, { inSync: [0, 1] }), 20);
  assert.deepEqual([reports.isInSync(0, B), reports.isInSync(1, B)], [false, true]);
});

test("who was released and follows again has to say again that it is in sync", () => {
  reports.heard(B, says(5n, { inSync: [0] }), 0);
  const [first, second] = FIRST.slots as [never, never];
  reports.adopt({ epoch: 6n, slots: [{ leader: A, leaderEpoch: 3n, followers: [] }, second] }, STEP);
  reports.adopt({ epoch: 7n, slots: [first, second] }, STEP);
  assert.ok(!reports.isInSync(0, B));
});

test("of a table with another past only reports that name it count, also those that came before it", () => {
  reports.heard(B, says(5n, { inSync: [0] }), 0);
  reports.heard(A, says(9n, { serving: [0] }), 0);
  reports.adopt({ epoch: 9n, slots: FIRST.slots }, JUMP);
  assert.ok(!reports.isInSync(0, B));
  assert.ok(reports.isServing(0));
  assert.ok(reports.isCurrent(A) && !reports.isCurrent(B));
});

test("when a follower was last in sync is known after it has fallen behind", () => {
  reports.heard(B, says(5n, { inSync: [0] }), 700);
  reports.heard(B, says(5n, {}), 800);
  assert.equal(reports.inSyncMs(0, B), 700);
  assert.equal(reports.inSyncMs(1, B), 0);
  reports.adopt({ epoch: 6n, slots: [{ leader: C, leaderEpoch: 6n, followers: [B] }] }, STEP);
  assert.equal(reports.inSyncMs(0, B), 0, "with another leader");
});

test("only what is new is news", () => {
  assert.ok(reports.heard(B, says(5n, { inSync: [0] }), 0));
  assert.ok(!reports.heard(B, says(5n, { inSync: [0] }), 1));
  assert.ok(reports.heard(B, says(5n, { inSync: [0, 1] }), 2));
  assert.ok(reports.heard(B, says(6n, { inSync: [0, 1] }), 3));
});
