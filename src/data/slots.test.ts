import assert from "node:assert/strict";
import { test } from "node:test";
import { brandServiceKey } from "../model/ids.ts";
import { slotOf } from "../model/slot.ts";
import type { Slots } from "./slots.ts";
import { ORDERS, PEER, SELF, SESSION, START_MS } from "./testing/harness.ts";
import { follows, given, leads, others, slotsAfter, tableOf } from "./testing/parts.ts";

const nothingHeld = () => false;

const led = (slots: Slots, slot = 0) => {
  const found = slots.ledSlot(slot);
  assert.ok(found !== undefined, `slot ${slot} is led`);
  return found;
};

const followed = (slots: Slots, slot = 0) => {
  const found = slots.followedSlot(slot);
  assert.ok(found !== undefined, `slot ${slot} is followed`);
  return found;
};

test("the table says what is led, what is followed, and what is neither", () => {
  const slots = slotsAfter([leads, follows, others]);
  assert.equal(slots.size, 2);
  assert.deepEqual([led(slots, 0).leaderEpoch, followed(slots, 1).leader, slots.keptSlot(2)], [1n, PEER, undefined]);
  assert.deepEqual([slots.ledSlot(1), slots.followedSlot(0)], [undefined, undefined]);
  assert.deepEqual([[...slots.led()], [...slots.followed()]], [[led(slots, 0)], [followed(slots, 1)]]);
});

test("a service is found in its slot, led or followed; before the first table nowhere", () => {
  assert.deepEqual([slotsAfter().slotOf(ORDERS), slotsAfter().leading(ORDERS)], [undefined, undefined]);
  const slots = slotsAfter([leads, follows]);
  const ids = ["a", "b", "c", "d", "e"].map(brandServiceKey);
  const inLed = ids.find((id) => slotOf(id, 2) === 0) ?? ORDERS;
  const inFollowed = ids.find((id) => slotOf(id, 2) === 1) ?? ORDERS;
  const [a, b] = [led(slots).contents.add(inLed, given(1n)), followed(slots, 1).contents.add(inFollowed, given(1n))];
  assert.deepEqual([slots.datum(inLed), slots.datum(inFollowed)], [a, b]);
  assert.deepEqual([slots.leading(inLed), slots.leading(inFollowed)], [led(slots), undefined]);
});

test("a table that is not newer changes nothing", () => {
  const slots = slotsAfter([others], [leads]);
  for (const epoch of [1n, 2n]) assert.equal(slots.adopt(tableOf(epoch, others), START_MS), undefined);
  assert.equal(slots.epoch, 2n);
  led(slots);
});

test("a newer table under the same leader epoch goes on with the slot as it is", () => {
  const slots = slotsAfter([leads, follows]);
  const [before, copy] = [led(slots), followed(slots, 1)];
  before.serveIfHeard(new Set(), { nowMs: START_MS, waitMs: 0, overdueMs: 0 });
  const owner = { leaderEpoch: 1n };
  assert.deepEqual(slots.adopt(tableOf(2n, { ...leads, ...owner }, { ...follows, ...owner }), START_MS), {
    led: [],
    lost: [],
    gone: [],
  });
  assert.deepEqual([led(slots) === before, followed(slots, 1) === copy], [true, true]);
});

test("a lead under a new epoch begins anew with what is held, and does not serve", () => {
  const slots = slotsAfter([leads]);
  const before = led(slots);
  before.serveIfHeard(new Set(), { nowMs: START_MS, waitMs: 0, overdueMs: 0 });
  before.markHeard(SESSION);
  before.followers.add(PEER);
  const adopted = slots.adopt(tableOf(2n, leads), START_MS + 5);
  const after = led(slots);
  assert.deepEqual(adopted, { led: [{ slot: after, hadCopy: true }], lost: [], gone: [] });
  assert.deepEqual([after.contents === before.contents, after.isServing], [true, false]);
  assert.deepEqual([after.hasHeard(SESSION), after.followers.size], [false, 0]);
});

test("who led and did not serve, or followed without having had a copy, has no whole copy to lead with", () => {
  const hadCopy = (slots: Slots) => slots.adopt(tableOf(9n, leads), START_MS)?.led.map((one) => one.hadCopy);
  assert.deepEqual(hadCopy(slotsAfter([leads])), [false]);
  assert.deepEqual(hadCopy(slotsAfter([follows])), [false]);
  assert.deepEqual(hadCopy(slotsAfter([others])), [false]);
  const copied = slotsAfter([follows]);
  followed(copied).hasCopy = true;
  assert.deepEqual(hadCopy(copied), [true]);
});

test("a follower of another leader has to ask it for everything, also under one that it knows", () => {
  const slots = slotsAfter([follows]);
  const before = followed(slots);
  Object.assign(before, { isInSync: true, hasCopy: true, isAsking: true, askedMs: START_MS });
  slots.adopt(tableOf(2n, follows), START_MS);
  const after = followed(slots);
  assert.deepEqual(
    [after.isInSync, after.hasCopy, after.isAsking, after.askedMs],
    [false, false, false, Number.NEGATIVE_INFINITY],
  );
  assert.equal(after.contents, before.contents);
});

test("who follows from now on has lost the lead, keeps what is held, and nobody waits there", () => {
  const slots = slotsAfter([leads]);
  const before = led(slots);
  const datum = before.contents.add(ORDERS, given(7n));
  datum.interest.asked(SESSION, START_MS);
  datum.interest.wait(SESSION, given(1n));
  const adopted = slots.adopt(tableOf(2n, follows), START_MS);
  assert.deepEqual(adopted, { led: [], lost: [before], gone: [] });
  assert.deepEqual([datum.interest.isEmpty, datum.interest.waitingSize], [true, 0]);
  assert.equal(followed(slots).contents, before.contents);
});

test("what a node neither leads nor follows any more is gone; only a lead was lost", () => {
  const slots = slotsAfter([leads, follows]);
  const [before, copy] = [led(slots), followed(slots, 1)];
  const adopted = slots.adopt(tableOf(2n, others, others), START_MS);
  assert.deepEqual(adopted, { led: [], lost: [before], gone: [before.contents, copy.contents] });
  assert.equal(slots.size, 0);
});

test("versions are kept of a slot that was led, or followed without a copy, and not of a copy", () => {
  const untold = (duty: typeof leads, hasCopy: boolean) => {
    const slots = slotsAfter([duty]);
    const kept = slots.keptSlot(0);
    kept?.contents.add(ORDERS, given(7n));
    if (kept?.duty === "follow") kept.hasCopy = hasCopy;
    slots.adopt(tableOf(2n, others), START_MS);
    return slots.untold.of(0);
  };
  const expected = [{ serviceKey: ORDERS, version: 7n, origin: 0n, count: 0, digest: 0n }];
  assert.deepEqual(untold(leads, false), expected);
  assert.deepEqual(untold(follows, false), expected);
  assert.deepEqual(untold(follows, true), []);
});

test("of several lives of a slot the highest version of each service is told, until a leader knows", () => {
  const slots = slotsAfter([leads]);
  for (const [epoch, version] of [
    [2n, 7n],
    [4n, 9n],
    [6n, 8n],
  ] as const) {
    led(slots).contents.add(ORDERS, given(version));
    slots.adopt(tableOf(epoch, others), START_MS);
    slots.adopt(tableOf(epoch + 1n, leads), START_MS);
  }
  assert.deepEqual(
    slots.untold.of(0).map(({ version }) => version),
    [9n],
  );
  slots.untold.told(0);
  assert.deepEqual(slots.untold.of(0), []);
});

test("meta hears of led slots that serve or hold something back, and of followed ones in sync", () => {
  const slots = slotsAfter([leads, leads, follows, follows]);
  led(slots, 0).serveIfHeard(new Set(), { nowMs: START_MS, waitMs: 0, overdueMs: 0 });
  followed(slots, 3).isInSync = true;
  assert.deepEqual(slots.report(nothingHeld), { serving: [0], held: [], inSync: [3] });
  assert.deepEqual(
    slots.report(() => true),
    { serving: [0], held: [0, 1], inSync: [3] },
  );
});

test("a node that is named as leader leads, whatever the followers say", () => {
  assert.equal(slotsAfter([{ leader: SELF, followers: [SELF] }]).keptSlot(0)?.duty, "lead");
});
