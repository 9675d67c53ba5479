// A follower's requests to its leaders and their times, a leader's answers, and the worth of the copy.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { FollowerToLeader, LeaderToFollower, ReplicaDatum } from "../cluster/messages/replication.ts";
import { type NodeId, nodeId } from "../model/ids.ts";
import type { SlotOwner } from "../model/slot.ts";
import { Following } from "./following.ts";
import { RestartHold } from "./restartHold.ts";
import { countedMetrics } from "./testing/countedMetrics.ts";
import { ORDERS, PEER, publication, put, SELF, START_MS } from "./testing/harness.ts";
import { follows, given, leads, slotsAfter } from "./testing/parts.ts";

const THIRD = nodeId("data-3.a");
const HOLD_MS = 15_000;
const BEFORE = Number.NEGATIVE_INFINITY;
const NEVER = Number.POSITIVE_INFINITY;

/** The replication of a node with these slots, and its messages and effects. */
function scene(owners: readonly Partial<SlotOwner>[], expected: ReadonlyMap<typeof ORDERS, number> = new Map()) {
  const slots = slotsAfter(owners);
  const hold = new RestartHold(expected, HOLD_MS);
  hold.begin((serviceKey) => slots.slotOf(serviceKey), START_MS);
  const { metrics, counts } = countedMetrics();
  const toLeader: { to: NodeId; message: FollowerToLeader }[] = [];
  const done: string[] = [];
  const said = { isBelieved: true };
  const following = new Following(
    {
      slots,
      hold,
      sizes: {
        resized: ({ size }) => void done.push(`size ${size}`),
        dropped: ({ serviceKey }) => void done.push(`dropped ${serviceKey}`),
        follow: (_contents, { remainingMs }) => void done.push(`held ${remainingMs}`),
      },
      versions: { raise: (version) => void done.push(`version ${version}`) },
      foreign: { check: () => said.isBelieved },
    },
    { toLeader: (to, message) => void toLeader.push({ to, message }) },
    metrics,
  );
  const fromLeader = (from: NodeId, message: LeaderToFollower, nowMs: number) => {
    if (following.fromLeader(from, message, nowMs)) done.push("whole");
  };
  const asked = () => toLeader.splice(0).map(({ to, message }) => [to, message.slot]);
  return { slots, hold, following, fromLeader, asked, toLeader, done, said, counts };
}

type Scene = ReturnType<typeof scene>;

/** The state of a followed slot. */
function copyOf({ slots }: Scene, slot = 0) {
  const copy = slots.followedSlot(slot);
  assert.ok(copy !== undefined);
  const { isInSync, hasCopy, isAsking, askedMs } = copy;
  return { isInSync, hasCopy, isAsking, askedMs };
}

const replica = (version: bigint, ...publications: ReplicaDatum["publications"]): ReplicaDatum => {
  return { ...given(version), serviceKey: ORDERS, publications, tombstones: [] };
};

/** The leader's answer to `follow`, or a part of it. */
const part = (changes: Partial<Extract<LeaderToFollower, { kind: "replica" }>> = {}): LeaderToFollower => {
  return { kind: "replica", slot: 0, leaderEpoch: 1n, datums: [], gone: [], isLast: true, ...changes };
};

const change = (changes: Partial<Extract<LeaderToFollower, { kind: "change" }>> = {}): LeaderToFollower => {
  const items = [put()];
  return { kind: "change", slot: 0, leaderEpoch: 1n, serviceKey: ORDERS, ...given(5n), items, expected: 0, ...changes };
};

/** A follower whose only slot is in sync since START_MS. */
function inSync(): Scene {
  const it = scene([follows]);
  it.following.leaderUp(PEER);
  it.following.wake(START_MS);
  it.fromLeader(PEER, part(), START_MS);
  it.done.splice(0);
  it.asked();
  return it;
}

test("the leaders of followed slots are to be linked, each once", () => {
  const { following } = scene([follows, follows, { ...follows, leader: THIRD }, leads]);
  assert.deepEqual([...following.leaders()].sort(), [PEER, THIRD]);
});

test("a leader is asked when it can be reached, not before, and not again while its answer is to come", () => {
  const { following, asked } = scene([follows]);
  assert.equal(following.nextMs(), NEVER);
  following.wake(START_MS);
  assert.deepEqual(asked(), []);
  following.leaderUp(PEER);
  assert.equal(following.nextMs(), BEFORE);
  following.wake(START_MS);
  assert.deepEqual(asked(), [[PEER, 0]]);
  assert.equal(following.nextMs(), NEVER);
  following.wake(START_MS + 1_000_000);
  assert.deepEqual(asked(), []);
});

test("four slots are asked of one leader at a time, of each leader, and the next when one has come", () => {
  const ofThird = { ...follows, leader: THIRD };
  const { following, fromLeader, asked } = scene([follows, follows, follows, follows, follows, follows, ofThird]);
  following.leaderUp(PEER);
  following.leaderUp(THIRD);
  following.wake(START_MS);
  assert.deepEqual(asked(), [
    [PEER, 0],
    [PEER, 1],
    [PEER, 2],
    [PEER, 3],
    [THIRD, 6],
  ]);
  assert.equal(following.nextMs(), NEVER);
  fromLeader(PEER, part({ slot: 2 }), START_MS + 1);
  assert.equal(following.nextMs(), BEFORE);
  following.wake(START_MS + 1);
  assert.deepEqual(asked(), [[PEER, 4]]);
});

test("a slot that was taken and given back takes no answer to the request before, and is asked for behind it", () => {
  const it = inSync();
  const tableAt = (epoch: bigint, followers: readonly NodeId[]) => {
    const owner = { leader: PEER, leaderEpoch: 1n, followers };
    it.slots.adopt({ epoch, slots: [owner] }, START_MS);
    it.following.adopted();
  };
  it.fromLeader(PEER, change(), START_MS);
  it.following.wake(START_MS + 180_000);
  assert.equal(it.toLeader[0]?.message.kept.length, 1);
  it.asked();
  tableAt(2n, []);
  tableAt(3n, [SELF]);
  it.following.wake(START_MS + 180_001);
  assert.deepEqual(it.asked(), [], "one request of a slot at a time");
  // The follower had what its leader has, and does not have it any more.
  it.fromLeader(PEER, part({ isLast: false }), START_MS + 180_002);
  it.fromLeader(PEER, part(), START_MS + 180_002);
  assert.deepEqual([copyOf(it).isInSync, copyOf(it).hasCopy], [false, false]);
  it.following.wake(START_MS + 180_002);
  assert.deepEqual(it.toLeader[0]?.message.kept, []);
  it.fromLeader(PEER, part({ datums: [replica(5n, publication())] }), START_MS + 180_003);
  assert.deepEqual([copyOf(it).isInSync, it.slots.datum(ORDERS)?.size], [true, 1]);
});

test("slots that were taken and given back are among the four under way until their first answers have come", () => {
  const it = scene([follows, follows, follows, follows, follows]);
  it.following.leaderUp(PEER);
  it.following.wake(START_MS);
  assert.equal(it.asked().length, 4);
  const owner = { leader: PEER, leaderEpoch: 1n };
  for (const [epoch, followers] of [
    [2n, []],
    [3n, [SELF]],
  ] as const) {
    it.slots.adopt({ epoch, slots: Array.from({ length: 5 }, () => ({ ...owner, followers })) }, START_MS);
    it.following.adopted();
  }
  assert.equal(it.following.nextMs(), NEVER);
  it.following.wake(START_MS);
  assert.deepEqual(it.asked(), []);
  it.fromLeader(PEER, part({ slot: 2 }), START_MS);
  assert.equal(it.following.nextMs(), BEFORE);
  it.following.wake(START_MS);
  assert.deepEqual(it.asked(), [[PEER, 2]]);
});

test("a copy is compared with its leader's again three minutes after it was asked for", () => {
  const { following, asked } = inSync();
  assert.equal(following.nextMs(), START_MS + 180_000);
  following.wake(START_MS + 179_999);
  assert.deepEqual(asked(), []);
  following.wake(START_MS + 180_000);
  assert.deepEqual(asked(), [[PEER, 0]]);
});

test("a slot is in sync with the last part of its copy, and says so then", () => {
  const it = scene([follows]);
  it.following.leaderUp(PEER);
  it.following.wake(START_MS);
  it.fromLeader(PEER, part({ datums: [replica(4n, publication())], isLast: false }), START_MS);
  assert.deepEqual(it.done, ["version 4", "size 1"]);
  assert.deepEqual(copyOf(it), { isInSync: false, hasCopy: false, isAsking: true, askedMs: START_MS });
  it.fromLeader(PEER, part({ gone: [ORDERS], hold: { remainingMs: 9, expected: [] } }), START_MS);
  assert.deepEqual(it.done.slice(2), [`dropped ${ORDERS}`, "held 9", "whole"]);
  assert.deepEqual(copyOf(it), { isInSync: true, hasCopy: true, isAsking: false, askedMs: START_MS });
  assert.equal(it.slots.datum(ORDERS), undefined);
});

test("a copy of which a part was not believed is not whole, and asked for again ten seconds later", () => {
  const it = scene([follows]);
  it.following.leaderUp(PEER);
  it.following.wake(START_MS);
  it.said.isBelieved = false;
  it.fromLeader(PEER, part({ datums: [replica(4n)], isLast: false }), START_MS);
  it.said.isBelieved = true;
  it.fromLeader(PEER, part(), START_MS);
  assert.deepEqual([it.done, copyOf(it).isInSync, copyOf(it).isAsking], [[], false, false]);
  assert.equal(it.following.nextMs(), START_MS + 10_000);
  it.following.wake(START_MS + 10_000);
  it.fromLeader(PEER, part({ datums: [replica(4n)] }), START_MS + 10_000);
  assert.equal(copyOf(it).isInSync, true);
});

test("what the leader takes is taken over with its version, and the log of an earlier lead ends", () => {
  const it = inSync();
  it.fromLeader(PEER, change(), START_MS);
  assert.deepEqual(it.done, ["version 5", "size 1"]);
  assert.deepEqual(it.slots.datum(ORDERS)?.version, given(5n));
  it.fromLeader(PEER, change({ ...given(6n, 1n), items: [] }), START_MS);
  assert.deepEqual(it.done.slice(2), ["version 6"], "as many publishers as before");
  assert.deepEqual(it.slots.datum(ORDERS)?.version, given(6n));
});

test("what a leader has taken is not kept out by a removal that its follower remembers as newer", () => {
  const it = inSync();
  const tombstones = [["r1", { version: 1n << 40n, registeredMs: START_MS }]] as const;
  it.fromLeader(PEER, part({ datums: [{ ...replica(4n), tombstones }] }), START_MS);
  it.fromLeader(PEER, change(), START_MS);
  assert.equal(it.slots.followedSlot(0)?.contents.datums.get(ORDERS)?.size, 1);
});

test("a condition of the leader's is taken over, and its end too", () => {
  const it = inSync();
  const condition = { isHealthy: false };
  const conditionNow = () => it.slots.datum(ORDERS)?.publication("r1")?.condition;
  it.fromLeader(PEER, change(), START_MS);
  it.fromLeader(PEER, change({ ...given(6n), items: [put({ condition })] }), START_MS);
  assert.deepEqual(conditionNow(), condition);
  it.fromLeader(PEER, change({ ...given(7n) }), START_MS);
  assert.equal(conditionNow(), undefined);
  it.fromLeader(PEER, change({ ...given(8n), items: [put({ registeredMs: START_MS + 1, condition })] }), START_MS);
  assert.deepEqual(conditionNow(), condition);
});

test("a change that is not believed ends the copy's being in sync, but not one that is being made anew", () => {
  const it = inSync();
  it.said.isBelieved = false;
  it.fromLeader(PEER, change(), START_MS + 1);
  assert.deepEqual([it.slots.datum(ORDERS), copyOf(it).isInSync], [undefined, false]);
  assert.equal(it.following.nextMs(), START_MS + 1 + 10_000);
  it.following.wake(START_MS + 20_000);
  it.fromLeader(PEER, change(), START_MS + 20_001);
  assert.equal(copyOf(it).isAsking, true);
});

test("a follower whose leader can't be reached is not in sync, and still has its copy; other leaders' are", () => {
  const it = scene([follows, { ...follows, leader: THIRD }]);
  for (const [slot, leader] of [PEER, THIRD].entries()) {
    it.following.leaderUp(leader);
    it.following.wake(START_MS);
    it.fromLeader(leader, part({ slot }), START_MS);
  }
  it.following.leaderDown(PEER);
  assert.deepEqual([copyOf(it, 0).isInSync, copyOf(it, 0).hasCopy, copyOf(it, 1).isInSync], [false, true, true]);
  it.asked();
  it.following.wake(START_MS + 180_000);
  assert.deepEqual(it.asked(), [[THIRD, 1]], "who can't be reached is not asked");
});

test("a leader that is back is asked at once, also for what it did not answer", () => {
  const it = scene([follows, { ...follows, leader: THIRD }]);
  it.following.leaderUp(PEER);
  it.following.leaderUp(THIRD);
  it.following.wake(START_MS);
  it.asked();
  it.following.leaderDown(PEER);
  assert.equal(it.following.nextMs(), NEVER);
  it.following.leaderUp(PEER);
  assert.equal(it.following.nextMs(), BEFORE);
  it.following.wake(START_MS + 1);
  assert.deepEqual(it.asked(), [[PEER, 0]]);
});

test("a leader that does not know of its lead yet is asked again 200 ms later", () => {
  const it = scene([follows]);
  it.following.leaderUp(PEER);
  it.following.wake(START_MS);
  it.asked();
  it.fromLeader(PEER, { kind: "notLeader", slot: 0, leaderEpoch: 1n }, START_MS + 50);
  assert.equal(it.following.nextMs(), START_MS + 250);
  it.following.wake(START_MS + 250);
  assert.deepEqual(it.asked(), [[PEER, 0]]);
});

test("only the leader of the slot is heard, and only under the epoch of its lead", () => {
  const it = scene([follows, leads]);
  it.following.leaderUp(PEER);
  it.following.wake(START_MS);
  it.fromLeader(THIRD, change(), START_MS);
  it.fromLeader(PEER, change({ leaderEpoch: 2n }), START_MS);
  it.fromLeader(PEER, change({ slot: 1 }), START_MS);
  it.fromLeader(PEER, part({ leaderEpoch: 2n }), START_MS);
  assert.deepEqual([it.done, copyOf(it).isInSync], [[], false]);
});

test("a follower names what it holds, and what it gave in an earlier lead until that leader has heard it", () => {
  const it = scene([leads]);
  it.slots.ledSlot(0)?.contents.add(ORDERS, given(7n));
  const owner = { leader: THIRD, leaderEpoch: 2n };
  it.slots.adopt({ epoch: 2n, slots: [{ ...owner, followers: [] }] }, START_MS);
  it.slots.adopt({ epoch: 3n, slots: [{ ...owner, followers: [SELF] }] }, START_MS);
  it.following.adopted();
  it.following.leaderUp(THIRD);
  it.following.wake(START_MS);
  const nothing = { count: 0, digest: 0n };
  const untold = [{ serviceKey: ORDERS, version: 7n, origin: 0n, ...nothing }];
  assert.deepEqual(it.toLeader[0]?.message, { kind: "follow", slot: 0, leaderEpoch: 2n, kept: untold });
  it.fromLeader(THIRD, part({ leaderEpoch: 2n, datums: [replica(9n)], isLast: false }), START_MS);
  assert.deepEqual(it.slots.untold.of(0), untold);
  it.fromLeader(THIRD, part({ leaderEpoch: 2n }), START_MS);
  assert.deepEqual(it.slots.untold.of(0), []);
  it.following.wake(START_MS + 180_000);
  assert.deepEqual(it.toLeader[1]?.message.kept, [{ serviceKey: ORDERS, ...given(9n), ...nothing }]);
});

test("a follower holds what its leader still expects, and begins to hold nothing else", () => {
  const it = scene([follows], new Map([[ORDERS, 4]]));
  it.following.leaderUp(PEER);
  it.following.wake(START_MS);
  it.fromLeader(PEER, part(), START_MS);
  const service = { serviceKey: ORDERS, slot: 0 };
  it.fromLeader(PEER, change({ expected: 3 }), START_MS);
  assert.equal(it.hold.expected(service), 3);
  it.fromLeader(PEER, change({ expected: 0 }), START_MS);
  it.fromLeader(PEER, change({ expected: 3 }), START_MS);
  assert.equal(it.hold.expected(service), 0);
});

test("a copy that was in sync and differs is counted, by the services; a first copy is not", () => {
  const it = inSync();
  assert.deepEqual([...it.counts.values()].filter(Boolean), []);
  it.fromLeader(PEER, part({ datums: [replica(5n)], gone: [ORDERS] }), START_MS);
  const counted = ["found", "repaired"].map((end) => it.counts.get(`roster_divergence_${end}_total copy`));
  assert.deepEqual(counted, [2, 2]);
});
