// The leader's side of replication.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { FollowerToLeader, LeaderToFollower } from "../cluster/messages/replication.ts";
import { brandServiceKey, type NodeId, nodeId } from "../model/ids.ts";
import { Followers } from "./followers.ts";
import { RestartHold } from "./restartHold.ts";
import { ORDERS, PEER, put, START_MS, serving } from "./testing/harness.ts";
import { given, leads, slotsAfter } from "./testing/parts.ts";

const HOLD_MS = 15_000;
const THIRD = nodeId("data-3.a");

/** A node that leads the only slot, and the messages to its followers. */
function scene(expected: ReadonlyMap<typeof ORDERS, number> = new Map()) {
  const slots = slotsAfter([leads]);
  const hold = new RestartHold(expected, HOLD_MS);
  hold.begin((serviceKey) => slots.slotOf(serviceKey), START_MS);
  const toFollower: { to: NodeId; message: LeaderToFollower }[] = [];
  const followers = new Followers(
    { slots, hold },
    { toFollower: (to, message) => void toFollower.push({ to, message }) },
  );
  const led = slots.ledSlot(0);
  assert.ok(led !== undefined);
  const copy = (to: NodeId, message: FollowerToLeader, nowMs: number) => followers.copy(led, to, message, nowMs);
  const told = () => toFollower.splice(0).map(({ message }) => message);
  return { slots, followers, copy, told, toFollower };
}

const follow = (changes: Partial<FollowerToLeader> = {}): FollowerToLeader => {
  return { kind: "follow", slot: 0, leaderEpoch: 1n, kept: [], ...changes };
};

test("a follower gets what differs, hears what it has too much, and is told what is held back", () => {
  const it = scene(new Map([[ORDERS, 3]]));
  const contents = it.slots.ledSlot(0)?.contents;
  contents?.add(ORDERS, given(5n));
  const stranger = brandServiceKey("stranger#@#I#@#G");
  const held = [
    { serviceKey: ORDERS, ...given(4n), count: 0, digest: 0n },
    { serviceKey: stranger, ...given(3n), count: 0, digest: 0n },
  ];
  it.copy(PEER, follow({ kept: held }), START_MS + 1);
  const hold = { remainingMs: HOLD_MS - 1, expected: [[ORDERS, 3]] as const };
  assert.deepEqual(it.told(), [
    {
      kind: "replica",
      slot: 0,
      leaderEpoch: 1n,
      datums: [{ ...given(5n), serviceKey: ORDERS, publications: [], tombstones: [] }],
      gone: [stranger],
      isLast: true,
      hold,
    },
  ]);
});

test("a follower that has everything hears that too, by one part without anything", () => {
  const it = scene();
  it.slots.ledSlot(0)?.contents.add(ORDERS, given(5n));
  const same = { serviceKey: ORDERS, ...given(5n), count: 0, digest: 0n };
  const answers = (held: FollowerToLeader["kept"]) => {
    it.copy(PEER, follow({ kept: held }), START_MS);
    return it.told().map((each) => each.kind === "replica" && each.datums.length);
  };
  assert.deepEqual(answers([same]), [0]);
  for (const other of [{ version: 6n }, { origin: 2n }, { count: 1 }, { digest: 1n }]) {
    assert.deepEqual(answers([{ ...same, ...other }]), [1], `differs in ${Object.keys(other)}`);
  }
});

test("a large copy is sent in parts, and only the last one says that it is whole", () => {
  const payload = new Uint8Array(512 * 1024);
  const it = scene();
  const contents = it.slots.ledSlot(0)?.contents;
  for (let at = 0; at < 9; at++) {
    const serviceKey = brandServiceKey(`service-${at}#@#I#@#G`);
    const datum = contents?.add(serviceKey, given(1n));
    if (datum !== undefined) contents?.apply(datum, put({ serviceKey, registId: `r${at}`, payload }));
  }
  const gone = [{ serviceKey: ORDERS, ...given(4n), count: 0, digest: 0n }];
  it.copy(PEER, follow({ kept: gone }), START_MS);
  const parts = it.told().map((each) => each.kind === "replica" && [each.datums.length, each.gone.length, each.isLast]);
  assert.deepEqual(parts, [
    [8, 1, false],
    [1, 0, true],
  ]);
});

test("a part of a copy ends with so many publications, tombstones and services", () => {
  const it = scene();
  const contents = it.slots.ledSlot(0)?.contents;
  for (let at = 0; at < 5; at++) {
    const serviceKey = brandServiceKey(`service-${at}#@#I#@#G`);
    const datum = contents?.add(serviceKey, given(1n));
    for (let publisher = 0; publisher < 1_249; publisher++) {
      if (datum !== undefined) contents?.apply(datum, put({ serviceKey, registId: `r${publisher}` }));
    }
  }
  it.copy(PEER, follow(), START_MS);
  const sizes = it.told().map((each) => each.kind === "replica" && each.datums.length);
  assert.deepEqual(sizes, [4, 1]);
});

test("followers hear each change until their link is gone; others hear nothing", () => {
  const it = scene(new Map([[ORDERS, 2]]));
  const led = it.slots.ledSlot(0);
  const datum = led?.contents.add(ORDERS, given(5n));
  assert.ok(led !== undefined && datum !== undefined);
  it.followers.changed(led, datum, [put()]);
  assert.deepEqual(it.told(), []);
  for (const node of [PEER, THIRD]) it.copy(node, follow(), START_MS);
  it.told();
  it.followers.down(THIRD);
  it.followers.changed(led, datum, [put()]);
  const of = { slot: 0, leaderEpoch: 1n, serviceKey: ORDERS };
  assert.deepEqual(it.toFollower, [
    { to: PEER, message: { kind: "change", ...of, ...given(5n), items: [put()], expected: 2 } },
  ]);
});

test("a follower of another slot, or under another epoch, is told so and hears no changes", () => {
  const node = serving();
  for (const message of [follow({ slot: 1 }), follow({ leaderEpoch: 2n })]) {
    node.step({ kind: "fromFollower", from: PEER, message });
  }
  node.publish(put());
  assert.deepEqual(node.toFollower.splice(0), [
    { to: PEER, message: { kind: "notLeader", slot: 1, leaderEpoch: 1n } },
    { to: PEER, message: { kind: "notLeader", slot: 0, leaderEpoch: 2n } },
  ]);
});

test("the versions that a follower had as a leader are overtaken before it is answered", () => {
  const node = serving();
  node.publish(put());
  const { state } = node.list();
  const ahead = { serviceKey: ORDERS, version: state.version + 64n, origin: 0n, count: 0, digest: 0n };
  node.step({ kind: "fromFollower", from: PEER, message: follow({ kept: [ahead] }) });
  assert.ok(node.list().state.version > ahead.version);
  const [copy] = node.toFollower;
  assert.ok(copy?.message.kind === "replica" && (copy.message.datums[0]?.version ?? 0n) > ahead.version);
});
