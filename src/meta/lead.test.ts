import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { nodeId } from "../model/ids.ts";
import type { LeaderLease } from "../records/records.ts";
import { Lead } from "./lead.ts";

const LEASE_MS = 5_000;
const ME = nodeId("m1.a");

let asked = 0;
let released: bigint[] = [];
let lead: Lead;
beforeEach(() => {
  asked = 0;
  released = [];
  const output = { acquireLease: () => void asked++, releaseLease: (epoch: bigint) => void released.push(epoch) };
  lead = new Lead({ id: ME, leaderLeaseMs: LEASE_MS }, output);
  lead.tick(0);
});

function lease(epoch: bigint, holder = "m1.a", remainingMs = LEASE_MS): LeaderLease {
  return { epoch, holder: nodeId(holder), address: `${holder}:9611`, remainingMs };
}

test("whoever does not lead asks each second, also after a failure", () => {
  assert.equal(asked, 1);
  lead.answered(undefined, 0, 10);
  assert.equal(lead.nextMs(), 1_000);
  lead.tick(999);
  assert.equal(asked, 1);
  lead.tick(1_000);
  assert.equal(asked, 2);
});

test("the lead counts from when it was asked for, less a margin for the clocks", () => {
  lead.answered(lease(3n), 0, 2_000);
  assert.equal(lead.epoch, 3n);
  lead.tick(4_499);
  assert.equal(lead.epoch, 3n);
  lead.tick(4_500);
  assert.equal(lead.epoch, undefined);
});

test("an answer that took longer than the lease is worth nothing", () => {
  lead.answered(lease(3n), 0, 4_600);
  assert.equal(lead.epoch, undefined);
});

test("the leader renews at a third of the lease, and goes on in the same term", () => {
  lead.answered(lease(3n), 0, 10);
  const { term } = lead;
  lead.tick(1_600);
  assert.equal(asked, 1);
  lead.tick(1_700);
  assert.equal(asked, 2);
  lead.answered(lease(3n), 1_700, 1_710);
  lead.tick(6_000);
  assert.equal(lead.epoch, 3n);
  assert.equal(lead.term, term);
});

test("a leader whose renewal fails asks again in a second", () => {
  lead.answered(lease(3n), 0, 10);
  lead.tick(1_700);
  lead.answered(undefined, 1_700, 1_710);
  lead.tick(2_709);
  assert.equal(asked, 2);
  lead.tick(2_710);
  assert.equal(asked, 3);
});

test("a lead that was lost and taken again is another term, even under the same lease", () => {
  lead.answered(lease(3n), 0, 10);
  const { term } = lead;
  lead.tick(4_600);
  lead.answered(lease(3n), 4_600, 4_610);
  assert.equal(lead.epoch, 3n);
  assert.notEqual(lead.term, term);
});

test("an answer to an earlier question changes nothing", () => {
  lead.tick(1_000);
  lead.answered(lease(4n, "m2.a"), 1_000, 1_010);
  lead.answered(lease(3n), 0, 1_020);
  assert.equal(lead.epoch, undefined);
  assert.equal(lead.known?.holder, "m2.a");
});

test("a lower epoch counts if it is the newest answer: the store may have lost the last ones", () => {
  lead.answered(lease(9n, "m2.a"), 0, 10);
  lead.tick(1_010);
  lead.answered(lease(5n), 1_010, 1_020);
  assert.equal(lead.epoch, 5n);
});

test("a lease that is about to end is asked for when it does", () => {
  lead.answered(lease(3n, "m2.a", 300), 0, 10);
  assert.equal(lead.nextMs(), 310);
});

test("whom another has replaced does not lead any more", () => {
  lead.answered(lease(3n), 0, 10);
  lead.tick(1_700);
  lead.answered(lease(4n, "m2.a"), 1_700, 1_710);
  assert.equal(lead.epoch, undefined);
});

test("a doubt ends the lead until the store was asked anew", () => {
  lead.answered(lease(3n), 0, 10);
  lead.tick(1_700);
  lead.doubt(1_705);
  lead.answered(lease(3n), 1_700, 1_710);
  assert.equal(lead.epoch, undefined, "asked before the doubt");
  lead.tick(1_805);
  lead.answered(lease(3n), 1_805, 1_810);
  assert.equal(lead.epoch, 3n);
});

test("whoever resigns lets the lead go, also one that a question under way took again", () => {
  lead.answered(lease(3n), 0, 10);
  lead.tick(1_700);
  lead.resign();
  assert.deepEqual(released, [3n]);
  lead.answered(lease(4n), 1_700, 1_710);
  assert.deepEqual(released, [3n, 4n]);
  lead.tick(100_000);
  assert.equal(asked, 2);
  assert.equal(lead.nextMs(), Number.POSITIVE_INFINITY);
});

test("a lease that is known to be over is not shown", () => {
  lead.answered(lease(3n, "m2.a"), 0, 10);
  lead.tick(5_010);
  assert.equal(lead.known, undefined);
});

test("whoever resigns lets go also a lease that it no longer relies on: the store may still count it", () => {
  lead.answered(lease(3n, "m1.a", 9_000), 0, 10);
  lead.tick(4_600);
  assert.equal(lead.epoch, undefined);
  lead.resign();
  assert.deepEqual(released, [3n]);
});

test("a node that resigns after its lease is over releases it: the answer to a renewal may have been lost", () => {
  lead.answered(lease(3n), 0, 10);
  lead.tick(9_000);
  assert.equal(lead.known, undefined);
  lead.resign();
  assert.deepEqual(released, [3n]);
});

test("a node that lost its lease to another one releases nothing", () => {
  lead.answered(lease(3n), 0, 10);
  lead.tick(9_000);
  lead.answered(lease(4n, "m2.a"), 9_000, 9_010);
  lead.resign();
  assert.deepEqual(released, []);
});

test("whoever resigns lets nobody else's lease go", () => {
  lead.answered(lease(3n, "m2.a"), 0, 10);
  lead.resign();
  assert.deepEqual(released, []);
  assert.equal(lead.known, undefined);
});

test("what another may do is refused with who leads; a lease of one's own that is over names nobody", () => {
  assert.match(lead.refusal().message, /unknown/);
  lead.answered(lease(3n, "m2.a"), 0, 10);
  assert.match(lead.refusal().message, /m2\.a:9611/);
  lead.tick(1_000);
  lead.answered(lease(4n, "m1.a", 9_000), 1_000, 1_010);
  lead.tick(5_600);
  assert.match(lead.refusal().message, /unknown/);
  assert.equal(lead.known, undefined, "it does not lead, and says of nobody that it does");
});

test("a lease that ends at once, or long from now, is asked for within a tenth and a whole second", () => {
  lead.answered(lease(3n, "m2.a", 5), 0, 10);
  assert.equal(lead.nextMs(), 15, "until then the other is known to lead");
  lead.tick(15);
  assert.equal(lead.nextMs(), 110);
  lead.tick(110);
  lead.answered(lease(3n, "m2.a", 5_000), 110, 120);
  assert.equal(lead.nextMs(), 1_120);
});

test("who doubts twice in a moment asks the store once", () => {
  lead.answered(lease(3n), 0, 10);
  lead.doubt(20);
  lead.tick(20);
  assert.equal(asked, 1, "it was asked 20 ms ago");
  lead.tick(100);
  assert.equal(asked, 2);
});

test("a leader that steps down asks again after three seconds, when others had the time to take the lead", () => {
  lead.answered(lease(3n), 0, 10);
  lead.stepDown(1_000);
  assert.deepEqual([lead.epoch, lead.known, released], [undefined, undefined, [3n]]);
  lead.tick(3_999);
  assert.equal(asked, 1);
  assert.equal(lead.nextMs(), 4_000);
  lead.tick(4_000);
  assert.equal(asked, 2);
  lead.answered(lease(4n, "m2.a"), 4_000, 4_010);
  assert.deepEqual([lead.epoch, lead.known?.holder], [undefined, "m2.a"]);
});

test("a renewal under way when a leader steps down gives nothing back to it", () => {
  lead.answered(lease(3n), 0, 10);
  lead.tick(1_700);
  lead.stepDown(1_701);
  lead.answered(lease(3n), 1_700, 1_710);
  assert.deepEqual([lead.epoch, released], [undefined, [3n, 3n]]);
});

test("a leader that has stepped down leads again if no other node has taken the lead", () => {
  lead.answered(lease(3n), 0, 10);
  lead.stepDown(1_000);
  lead.tick(4_000);
  lead.answered(lease(4n), 4_000, 4_010);
  assert.equal(lead.epoch, 4n);
});
