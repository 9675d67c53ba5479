// RestartHold's decisions for single services, and their way to the disk through ServiceSizes.

import assert from "node:assert/strict";
import { test } from "node:test";
import { brandServiceKey, type ServiceKey } from "../model/ids.ts";
import { RestartHold } from "./restartHold.ts";
import { ServiceSizes } from "./serviceSizes.ts";
import { ORDERS, put, removed, START_MS } from "./testing/harness.ts";
import { datum, follows, given, leads, slotsAfter } from "./testing/parts.ts";

const HOLD_MS = 15_000;
const STOCK = brandServiceKey("stock#@#I#@#G");
const ofOrders = { serviceKey: ORDERS, slot: 0 };
const ofStock = { serviceKey: STOCK, slot: 0 };

/** A node that has just got its first table, after a life in which services had these sizes. All are in slot 0. */
function held(...sizes: readonly (readonly [ServiceKey, number])[]): RestartHold {
  const hold = new RestartHold(new Map(sizes), HOLD_MS);
  hold.begin(() => 0, START_MS);
  return hold;
}

test("before the first table nothing is held, and with it the time begins", () => {
  const hold = new RestartHold(new Map([[ORDERS, 2]]), HOLD_MS);
  assert.deepEqual([hold.holds(ofOrders), hold.untilMs], [false, Number.POSITIVE_INFINITY]);
  hold.begin(() => undefined, START_MS);
  assert.equal(hold.heldIn(0), 0);
  const begun = held([ORDERS, 2], [STOCK, 1]);
  assert.deepEqual([begun.heldIn(0), begun.heldIn(1), begun.untilMs], [2, 0, START_MS + HOLD_MS]);
  begun.begin(() => 1, START_MS + 9);
  assert.deepEqual([begun.heldIn(1), begun.untilMs], [0, START_MS + HOLD_MS], "a later table begins nothing");
});

test("a service is shown with as many publishers as it had, and is not held again when some go", () => {
  const hold = held([ORDERS, 2]);
  assert.equal(hold.releaseIfWhole({ ...ofOrders, size: 1 }), false);
  assert.equal(hold.holds(ofOrders), true);
  assert.equal(hold.releaseIfWhole({ ...ofOrders, size: 2 }), true);
  assert.deepEqual([hold.holds(ofOrders), hold.untilMs], [false, Number.POSITIVE_INFINITY]);
  assert.equal(hold.releaseIfWhole({ ...ofOrders, size: 0 }), true);
});

test("who unpublishes is not waited for", () => {
  const hold = held([ORDERS, 2]);
  hold.unpublished({ ...ofOrders, size: 0 });
  assert.equal(hold.expected(ofOrders), 1);
  hold.unpublished({ ...ofOrders, size: 0 });
  assert.equal(hold.holds(ofOrders), false);
  hold.unpublished({ ...ofOrders, size: 0 });
  assert.equal(hold.expected(ofOrders), 0);
});

test("the time ends for each slot by itself, and the next end is that of the slot that ends first", () => {
  const hold = held([ORDERS, 2]);
  hold.follow(1, { remainingMs: 4_000, expected: [[STOCK, 3]] }, START_MS);
  assert.equal(hold.untilMs, START_MS + 4_000);
  assert.deepEqual(hold.end(START_MS + 3_999), []);
  const [[slot, services] = []] = hold.end(START_MS + 4_000);
  assert.deepEqual([slot, [...(services ?? [])], hold.untilMs], [1, [STOCK], START_MS + HOLD_MS]);
});

test("a follower is told what is held and for how long still, in whole milliseconds and never less than none", () => {
  const hold = held([ORDERS, 2]);
  assert.deepEqual(hold.of(0, START_MS + 0.5), { remainingMs: HOLD_MS, expected: [[ORDERS, 2]] });
  assert.equal(hold.of(0, START_MS + HOLD_MS + 1).remainingMs, 0);
  assert.deepEqual(hold.of(1, START_MS), { remainingMs: 0, expected: [] });
});

test("a leader's word takes the place of what the disk knew, for no longer than this node would hold by itself", () => {
  const hold = held([ORDERS, 2], [STOCK, 1]);
  const released = hold.follow(
    0,
    {
      remainingMs: 60_000,
      expected: [
        [ORDERS, 5],
        [STOCK, 0],
      ],
    },
    START_MS + 10,
  );
  assert.deepEqual([[...released], hold.expected(ofOrders), hold.holds(ofStock)], [[STOCK], 5, false]);
  assert.equal(hold.untilMs, START_MS + 10 + HOLD_MS);
  assert.deepEqual([...hold.follow(0, { remainingMs: 0, expected: [] }, START_MS)], [ORDERS]);
  assert.equal(hold.untilMs, Number.POSITIVE_INFINITY);
});

/** Sizes on their way to the disk, and the written ones. */
function sizes(hold: RestartHold) {
  const saved: [ServiceKey, number][][] = [];
  return { saved, disk: new ServiceSizes(hold, (changed) => void saved.push([...changed])) };
}

test("sizes are written 20 ms after the first change, together, and 50 ms and more apart", () => {
  const { saved, disk } = sizes(held());
  const { datum: one, contents } = datum();
  disk.resized(one, START_MS);
  assert.equal(disk.nextMs(), START_MS + 20);
  contents.apply(one, put());
  disk.resized(one, START_MS + 10);
  disk.wake(START_MS + 19);
  assert.deepEqual(saved, []);
  disk.wake(START_MS + 20);
  assert.deepEqual(saved, [[[ORDERS, 1]]]);
  assert.equal(disk.nextMs(), Number.POSITIVE_INFINITY);
  disk.resized(one, START_MS + 21);
  assert.equal(disk.nextMs(), START_MS + 20 + 50 + 0.15, "the disk rests for as long as the last write was large");
  disk.resized(one, START_MS + 100);
  assert.equal(disk.nextMs(), START_MS + 20 + 50 + 0.15);
});

/** The sizes that are written at this time. */
function writtenAt(
  { saved, disk }: ReturnType<typeof sizes>,
  nowMs: number,
): readonly (readonly [ServiceKey, number])[] {
  disk.wake(nowMs);
  disk.wake(nowMs + 1_000);
  return saved.splice(0).flat();
}

test("a smaller size is written after half a minute, as it is then", () => {
  const node = sizes(held());
  const { datum: one, contents } = datum();
  for (const registId of ["r1", "r2", "r3"]) contents.apply(one, put({ registId }));
  node.disk.resized(one, START_MS);
  assert.deepEqual(writtenAt(node, START_MS + 100), [[ORDERS, 3]]);
  for (const registId of ["r1", "r2"]) {
    contents.apply(one, removed("unpublished", { version: 2n, registeredMs: START_MS }, registId));
    node.disk.resized(one, START_MS + 2_000);
  }
  assert.equal(node.disk.nextMs(), START_MS + 32_000);
  assert.deepEqual(writtenAt(node, START_MS + 30_999), []);
  assert.deepEqual(writtenAt(node, START_MS + 32_000), [[ORDERS, 1]]);
  assert.equal(node.disk.nextMs(), Number.POSITIVE_INFINITY);
  contents.apply(one, put({ registId: "r4" }));
  node.disk.resized(one, START_MS + 40_000);
  assert.deepEqual(writtenAt(node, START_MS + 40_100), [[ORDERS, 2]], "a larger one at once");
});

test("a smaller size is written at once at the end of a hold, and after half a minute from then on", () => {
  const heldForThree = () => {
    const node = sizes(held([ORDERS, 3]));
    const { datum: one, contents } = datum();
    for (const registId of ["r1", "r2"]) contents.apply(one, put({ registId }));
    node.disk.resized(one, START_MS);
    assert.deepEqual(writtenAt(node, START_MS + 100), []);
    return { node, one, contents };
  };
  const leader = heldForThree();
  const led = slotsAfter([leads]).keptSlot(0);
  assert.ok(led !== undefined);
  led.contents.datums.set(ORDERS, leader.one);
  leader.node.disk.endHold(() => led, START_MS + HOLD_MS);
  const follower = heldForThree();
  follower.node.disk.follow(follower.contents, { remainingMs: 0, expected: [] }, START_MS + HOLD_MS);
  for (const { node, one, contents } of [leader, follower]) {
    const shownMs = START_MS + HOLD_MS;
    assert.deepEqual(writtenAt(node, shownMs + 100), [[ORDERS, 2]]);
    contents.apply(one, removed("unpublished", { version: 2n, registeredMs: START_MS }));
    node.disk.resized(one, shownMs + 2_000);
    assert.deepEqual(writtenAt(node, shownMs + 30_999), []);
    assert.deepEqual(writtenAt(node, shownMs + 32_000), [[ORDERS, 1]]);
  }
});

test("of the services that have become smaller a step records a thousand, and the next one the rest", () => {
  const smallerMs = START_MS + 60_000;
  for (const [services, afterOneMs] of [
    [1_000, smallerMs + 20],
    [1_001, smallerMs],
  ] as const) {
    const { disk } = sizes(held());
    const { contents } = datum();
    for (let number = 0; number < services; number++) {
      const serviceKey = brandServiceKey(`s${number}#@#I#@#G`);
      const one = contents.add(serviceKey, given(1n));
      one.recordedSize = 1;
      disk.resized(one, smallerMs - 30_000);
    }
    assert.equal(disk.nextMs(), smallerMs);
    disk.wake(smallerMs);
    assert.equal(disk.nextMs(), afterOneMs, `${services} services`);
    disk.wake(smallerMs);
    assert.equal(disk.nextMs(), smallerMs + 20);
  }
});

test("a publisher that is back within half a minute was never away for the disk", () => {
  const node = sizes(held());
  const { datum: one, contents } = datum();
  for (const registId of ["r1", "r2"]) contents.apply(one, put({ registId }));
  node.disk.resized(one, START_MS);
  contents.apply(one, removed("unpublished", { version: 2n, registeredMs: START_MS }));
  node.disk.resized(one, START_MS + 1_000);
  contents.apply(one, put({ registId: "r1", version: 3n }));
  node.disk.resized(one, START_MS + 2_000);
  assert.deepEqual(
    writtenAt(node, START_MS + 60_000).filter(([, size]) => size !== 2),
    [],
  );
});

test("a node that stops writes what has become smaller, though its slots are cleared by then", () => {
  const { saved, disk } = sizes(held());
  const { datum: one, contents } = datum();
  for (const registId of ["r1", "r2"]) contents.apply(one, put({ registId }));
  disk.resized(one, START_MS);
  disk.flush();
  contents.apply(one, removed("unpublished", { version: 2n, registeredMs: START_MS }));
  disk.resized(one, START_MS + 1_000);
  contents.clear();
  disk.flush();
  assert.deepEqual(saved, [[[ORDERS, 2]], [[ORDERS, 1]]]);
});

test("of a service that is held the disk keeps what is waited for, until it is shown", () => {
  const { saved, disk } = sizes(held([ORDERS, 2]));
  const { datum: one, contents } = datum();
  contents.apply(one, put());
  disk.resized(one, START_MS);
  disk.dropped(ofOrders, START_MS);
  disk.flush();
  assert.deepEqual(saved, []);
  contents.apply(one, put({ registId: "r2" }));
  disk.resized(one, START_MS);
  disk.dropped(ofStock, START_MS);
  disk.flush();
  assert.deepEqual(saved, [
    [
      [ORDERS, 2],
      [STOCK, 0],
    ],
  ]);
  disk.flush();
  assert.deepEqual([saved.length, disk.nextMs()], [1, Number.POSITIVE_INFINITY]);
});

test("what others keep now is forgotten", () => {
  const { saved, disk } = sizes(held());
  const { contents } = datum();
  disk.forget(contents, START_MS);
  disk.flush();
  assert.deepEqual(saved, [[[ORDERS, 0]]]);
});

test("what a leader holds is expected by this disk too; what it has released has the size that it has", () => {
  const { saved, disk } = sizes(held([ORDERS, 2], [STOCK, 4]));
  const { datum: one, contents } = datum();
  contents.apply(one, put());
  disk.follow(contents, { remainingMs: 9, expected: [[STOCK, 4]] }, START_MS);
  disk.flush();
  assert.deepEqual(saved.splice(0), [[[ORDERS, 1]]], "what it knows already is not written");
  disk.follow(contents, { remainingMs: 9, expected: [[STOCK, 5]] }, START_MS);
  disk.flush();
  assert.deepEqual(saved, [[[STOCK, 5]]]);
});

test("at the end of the hold what is there is shown and written, but for what is still to be copied", () => {
  for (const [owner, hasCopy, expected] of [
    [
      leads,
      false,
      [
        [
          [ORDERS, 1],
          [STOCK, 0],
        ],
      ],
    ],
    [
      follows,
      true,
      [
        [
          [ORDERS, 1],
          [STOCK, 0],
        ],
      ],
    ],
    [follows, false, []],
  ] as const) {
    const { saved, disk } = sizes(held([ORDERS, 2], [STOCK, 4]));
    const kept = slotsAfter([owner]).keptSlot(0);
    const one = kept?.contents.add(ORDERS, given(1n));
    assert.ok(kept !== undefined && one !== undefined);
    kept.contents.apply(one, put());
    if (kept.duty === "follow") kept.hasCopy = hasCopy;
    assert.deepEqual(
      disk.endHold(() => kept, START_MS + HOLD_MS - 1),
      [],
    );
    const shown = disk.endHold(() => kept, START_MS + HOLD_MS);
    disk.flush();
    assert.deepEqual([shown, saved], [expected.length > 0 ? [one] : [], expected]);
  }
});
