// The removals that wait for another session's answer, and for how long.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { PublishItem, Superseded } from "../cluster/messages/sessionData.ts";
import { clientId, type NodeId, nodeId } from "../model/ids.ts";
import { Sessions } from "./sessions.ts";
import { OTHER, publication, put, removed, SESSION, START_MS } from "./testing/harness.ts";
import { given, leads, slotsAfter } from "./testing/parts.ts";
import { type RemoveItem, WithheldRemovals } from "./withheldRemovals.ts";

const LATER = START_MS + 1;
const left = (registeredMs: number, version = 1n) => removed("left", { version, registeredMs }) as RemoveItem;

/** SESSION had a registration that OTHER took from it by a millisecond. */
function contested(sessions?: Sessions) {
  const slots = slotsAfter([leads]);
  const led = slots.ledSlot(0);
  const datum = led?.contents.add(publication().serviceKey, given(1n));
  assert.ok(led !== undefined && datum !== undefined);
  const byOther = { owner: { session: OTHER, client: clientId("c2") } };
  led.contents.apply(datum, put());
  led.contents.apply(datum, put({ registeredMs: LATER, ...byOther }));
  const asked: { session: NodeId; superseded: Superseded }[] = [];
  const wanted: NodeId[] = [];
  const taken: PublishItem[] = [];
  // Of the session that is asked.
  const other = { isLinked: true, mayReturn: true };
  const withheld = new WithheldRemovals(
    sessions ?? { isLinked: () => other.isLinked, mayReturn: () => other.mayReturn },
    {
      toSession: (session, message) => {
        assert.ok(message.kind === "wanted");
        for (const superseded of message.superseded) asked.push({ session, superseded });
        if (message.keys.length > 0) wanted.push(session);
      },
    },
  );
  const wake = (nowMs: number) => void taken.push(...withheld.takeEnded(nowMs));
  const withholds = (item: RemoveItem, from: NodeId, nowMs = START_MS) =>
    withheld.withhold(item, from, { led, datum, nowMs });
  return { led, datum, withheld, other, wake, withholds, asked, wanted, taken };
}

test("the removal of what won by the time alone waits fifteen seconds for the session that lost", () => {
  const it = contested();
  assert.equal(it.withholds(left(LATER), OTHER), true);
  const [question] = it.asked;
  assert.deepEqual(
    [question?.session, question?.superseded.isRemoved, question?.superseded.stamp.registeredMs],
    [SESSION, true, START_MS],
  );
  for (const lookMs of [5_000, 10_000, 15_000]) {
    assert.deepEqual([it.taken, it.withheld.nextMs()], [[], START_MS + lookMs]);
    it.wake(START_MS + lookMs);
  }
  assert.deepEqual([it.taken, it.withheld.nextMs()], [[left(LATER)], Number.POSITIVE_INFINITY]);
});

test("a link over which the question never came may seem to stand for twelve seconds, and is waited for then", () => {
  const it = contested();
  it.withholds(left(LATER), OTHER);
  it.wake(START_MS + 5_000);
  it.wake(START_MS + 10_000);
  it.other.isLinked = false;
  it.wake(START_MS + 15_000);
  assert.deepEqual([it.taken, it.withheld.nextMs()], [[], START_MS + 20_000]);
});

test("an answer that waits unread while this process stands still is read before the removal is let go", () => {
  const it = contested();
  it.withholds(left(LATER), OTHER);
  const nowMs = START_MS + 60_000;
  it.withheld.resumed(nowMs);
  it.wake(nowMs);
  assert.deepEqual([it.taken, it.withheld.nextMs()], [[], nowMs + 1_000]);
  it.wake(nowMs + 1_000);
  assert.deepEqual(it.taken, [], "its link is judged only now");
  it.wake(nowMs + 16_000);
  assert.deepEqual(it.taken, [left(LATER)]);
});

test("a removal that is reported again waits on, for the rest of the time", () => {
  const it = contested();
  it.withholds(left(LATER), OTHER);
  assert.equal(it.withholds(left(LATER), OTHER, START_MS + 200), true);
  assert.deepEqual([it.asked.length, it.withheld.nextMs()], [1, START_MS + 5_000]);
});

test("a session that is away is waited for until its lease is over", () => {
  const it = contested();
  it.withholds(left(LATER), OTHER);
  it.other.isLinked = false;
  it.wake(START_MS + 5_000);
  assert.deepEqual([it.taken, it.withheld.nextMs()], [[], START_MS + 10_000]);
  it.other.mayReturn = false;
  it.wake(START_MS + 10_000);
  assert.deepEqual([it.taken, it.withheld.nextMs()], [[left(LATER)], Number.POSITIVE_INFINITY]);
});

test("a session whose lease is over is not asked: the client is gone at once", () => {
  const it = contested();
  Object.assign(it.other, { isLinked: false, mayReturn: false });
  assert.equal(it.withholds(left(LATER), OTHER), false);
  assert.deepEqual(it.asked, []);
});

test("a session whose node runs anew is not asked, and not waited for any longer", () => {
  const sessions = new Sessions({ sessionLeaseMs: 60_000 });
  const joined = (serial: number, ...ids: readonly NodeId[]) => {
    const list = ids.map((id) => ({ id, role: "session" as const, address: "" }));
    sessions.joined({ epoch: 1n, serial, list }, START_MS);
  };
  joined(1, OTHER);
  sessions.watch(SESSION, START_MS);
  const away = contested(sessions);
  assert.equal(away.withholds(left(LATER), OTHER), true, "it may come back");
  away.wake(START_MS + 5_000);
  assert.deepEqual(away.taken, []);
  joined(2, OTHER, nodeId("session-1.b"));
  away.wake(START_MS + 10_000);
  assert.deepEqual(away.taken, [left(LATER)]);
  const ended = contested(sessions);
  assert.equal(ended.withholds(left(LATER), OTHER), false);
  assert.deepEqual(ended.asked, []);
  sessions.linked(SESSION);
  assert.equal(contested(sessions).withholds(left(LATER), OTHER), true, "the other run is of a copied directory");
});

test("a session that is back is asked again, and has its whole time", () => {
  const it = contested();
  it.withholds(left(LATER), OTHER);
  it.other.isLinked = false;
  it.wake(START_MS + 5_000);
  it.other.isLinked = true;
  it.withheld.linked(OTHER, START_MS + 7_000);
  assert.equal(it.asked.length, 1, "another session's link");
  it.withheld.linked(SESSION, START_MS + 7_000);
  assert.deepEqual(it.asked[1], it.asked[0]);
  it.wake(START_MS + 21_999);
  assert.deepEqual(it.taken, []);
  it.wake(START_MS + 27_000);
  assert.deepEqual(it.taken, [left(LATER)]);
});

test("the session that is asked answers by its own removal: the client is gone at once", () => {
  const it = contested();
  it.withholds(left(LATER), OTHER);
  assert.equal(it.withholds(left(START_MS), SESSION, START_MS + 10), false);
  assert.equal(it.withheld.nextMs(), START_MS + 10);
  it.wake(START_MS + 10);
  assert.deepEqual(it.taken, [left(LATER)]);
});

test("the word of a session that was not asked ends nothing", () => {
  const it = contested();
  it.withholds(left(LATER), OTHER);
  it.withholds(left(START_MS), OTHER, START_MS + 10);
  assert.equal(it.withheld.nextMs(), START_MS + 5_000);
});

test("a loser that has said that its client left is not asked any more", () => {
  const it = contested();
  assert.equal(it.withholds(left(START_MS), SESSION), false);
  assert.ok(it.led.contents.contests.isEmpty);
  assert.equal(it.withholds(left(LATER), OTHER), false);
  assert.deepEqual(it.asked, []);
});

test("a removal of another stamp than the one that won, or of what is gone already, waits for nobody", () => {
  const other = contested();
  assert.equal(other.withholds(left(LATER, 2n), OTHER), false);
  assert.equal(other.led.contents.contests.isEmpty, false);
  const gone = contested();
  gone.led.contents.apply(gone.datum, left(LATER));
  assert.equal(gone.withholds(left(LATER), OTHER), false);
  assert.deepEqual([other.asked, gone.asked], [[], []]);
});

test("for a second after this process stood still what has left waits for what is still to be read", () => {
  const it = contested();
  it.led.contents.contests.clear();
  assert.equal(it.withholds(left(LATER), OTHER), false);
  it.withheld.resumed(START_MS);
  assert.equal(it.withholds(left(LATER), OTHER, START_MS + 999), true);
  assert.deepEqual([it.asked, it.withheld.nextMs()], [[], START_MS + 1_000]);
  assert.equal(it.withholds(left(START_MS), OTHER, START_MS + 999), false, "it is not what stands here");
  it.wake(START_MS + 1_000);
  assert.deepEqual(it.taken, [left(LATER)]);
  assert.equal(it.withholds(left(LATER), OTHER, START_MS + 1_000), false);
});

/** OTHER holds the registration, and a client at another address has asked for it through SESSION. */
function challenged() {
  const it = contested();
  it.led.contents.contests.clear();
  const holder = { session: OTHER, client: clientId("10.0.0.7:1_10.1.0.1:9600") };
  it.led.contents.apply(it.datum, put({ version: 2n, owner: holder }));
  const live = it.datum.registration("r1");
  assert.ok(live !== undefined);
  const stranger = { session: SESSION, client: clientId("10.6.6.6:1_10.1.0.2:9600") };
  const claim = put({ version: 3n, owner: stranger });
  assert.equal(
    typeof it.led.contents.challenges.judge(claim, SESSION, { live, isThere: true, mayBeAsked: true }, START_MS),
    "object",
  );
  return it;
}

test("a holder that leaves makes room for the session that asked, which is told, and has five seconds", () => {
  const it = challenged();
  assert.equal(it.withholds(left(START_MS, 2n), OTHER, START_MS + 100), true);
  assert.deepEqual([it.wanted, it.asked, it.withheld.nextMs()], [[SESSION], [], START_MS + 5_100]);
  it.wake(START_MS + 5_100);
  assert.deepEqual(it.taken, [left(START_MS, 2n)]);
});

test("who wants it no more is not told, and only the holder's own session makes room", () => {
  const withdrawn = challenged();
  withdrawn.withholds(left(START_MS, 1n), SESSION);
  assert.equal(withdrawn.withholds(left(START_MS, 2n), OTHER), false);
  const foreign = challenged();
  assert.equal(foreign.withholds(left(START_MS, 2n), nodeId("session-3.a")), false);
  assert.deepEqual([withdrawn.wanted, foreign.wanted], [[], []]);
});

test("the session of a client at another address has five seconds, also if it is away", () => {
  const it = challenged();
  it.withholds(left(START_MS, 2n), OTHER);
  it.other.isLinked = false;
  it.wake(START_MS + 5_000);
  assert.deepEqual(it.taken, [left(START_MS, 2n)]);
});
