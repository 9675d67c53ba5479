import assert from "node:assert/strict";
import { test } from "node:test";
import { brandServiceKey, nodeId } from "../../model/ids.ts";
import { drawPlan } from "../drawPlan.ts";
import type { Fact } from "../facts.ts";
import { Dice } from "../random.ts";
import { Judge } from "./judge.ts";

const CONNECTION = { client: "c", session: "s1.1", connection: 1 };

const SUBSCRIBED: Fact = {
  ...{ kind: "subscribed", client: "c", service: brandServiceKey("s#@#I#@#G"), registId: "c.1" },
  ...{ scope: "zone", zone: "Z1" },
};

/** The rule that is broken when the session ends the connection at this time, if any. */
function brokenBy(endMs: number, trouble: Fact | undefined, hasSpoken = true): string | undefined {
  const judge = new Judge(drawPlan(new Dice(1)));
  judge.see({ kind: "connected", isMute: false, ...CONNECTION }, 1);
  if (hasSpoken) judge.see(SUBSCRIBED, 2);
  if (trouble !== undefined) judge.see(trouble, 5_000);
  judge.see({ kind: "ended", ...CONNECTION }, endMs);
  return judge.finding?.rule;
}

test("a client that is silent for a moment is waited for, one that is frozen not for long", () => {
  const hushed: Fact = { kind: "hushed", client: "c", isHushed: true };
  const frozen: Fact = { kind: "died", client: "c", how: "frozen" };
  const undue = "5 a cut is not a death";
  assert.equal(brokenBy(5_000, undefined), undue);
  assert.equal(brokenBy(17_000, hushed), undue);
  assert.equal(brokenBy(20_000, hushed), undefined);
  assert.equal(brokenBy(26_000, frozen), undefined);
  assert.equal(brokenBy(28_000, frozen), undue);
});

test("a client that stood still before it knew of its connection, and has nothing to say, is no client yet", () => {
  const connected: Fact = { kind: "connected", isMute: false, ...CONNECTION };
  const ended = (acceptedMs: number, ...before: readonly Fact[]) => {
    const judge = new Judge(drawPlan(new Dice(1)));
    judge.see({ ...connected, acceptedMs }, 14_000);
    for (const fact of before) judge.see(fact, 14_001);
    judge.see({ kind: "ended", ...CONNECTION }, 24_800);
    return judge.finding?.rule;
  };
  assert.equal(ended(1), undefined);
  assert.equal(ended(14_000), "5 a cut is not a death");
  assert.equal(ended(1, SUBSCRIBED), "5 a cut is not a death");
});

test("a client that falls silent before it has said anything is not known to be one", () => {
  const hushed: Fact = { kind: "hushed", client: "c", isHushed: true };
  assert.equal(brokenBy(18_500, hushed, false), undefined);
});

test("a client that dies right after its first request is not asked yet, and ends as one that never answers", () => {
  const frozen: Fact = { kind: "died", client: "c", how: "frozen" };
  const ended = (firstMs: number, endMs: number): string | undefined => {
    const judge = new Judge(drawPlan(new Dice(1)));
    judge.see({ kind: "connected", isMute: false, ...CONNECTION }, 1);
    judge.see(SUBSCRIBED, firstMs);
    judge.see(frozen, 9_000);
    judge.see({ kind: "ended", ...CONNECTION }, endMs);
    return judge.finding?.rule;
  };
  assert.equal(ended(8_950, 54_000), undefined);
  assert.equal(ended(8_950, 57_000), "5 a cut is not a death");
  assert.equal(ended(5_000, 54_000), "5 a cut is not a death", "it had answered");
});

test("a client that connected while its session stood still is not known to answer before that one goes on", () => {
  const frozen: Fact = { kind: "died", client: "c", how: "frozen" };
  const paused = (isPaused: boolean): Fact => ({ kind: "paused", machine: "s1", isPaused });
  const ended = (resumedMs: number, endMs: number): string | undefined => {
    const judge = new Judge(drawPlan(new Dice(1)));
    const history: [number, Fact][] = [
      [1, { kind: "started", node: nodeId("s1.1"), role: "session", machine: "s1" }],
      [2, paused(true)],
      [3, { kind: "connected", isMute: false, ...CONNECTION }],
      [4, SUBSCRIBED],
      [resumedMs, paused(false)],
      [20_000, frozen],
      [endMs, { kind: "ended", ...CONNECTION }],
    ];
    for (const [atMs, fact] of history.toSorted(([a], [b]) => a - b)) judge.see(fact, atMs);
    return judge.finding?.rule;
  };
  const late = "5 a cut is not a death";
  assert.equal(ended(22_000, 22_000 + 46_000), undefined);
  assert.equal(ended(22_000, 22_000 + 48_000), late);
  assert.equal(ended(18_000, 20_000 + 46_000), undefined, "it had no time to answer");
  assert.equal(ended(16_000, 20_000 + 23_000), late);
});

test("a connection that its client has left for another one may be ended", () => {
  const left = (connection: number): Fact => ({
    kind: "lost",
    client: "c",
    side: "client",
    session: "s1.1",
    connection,
  });
  const ended = (connection: number): string | undefined => {
    const judge = new Judge(drawPlan(new Dice(1)));
    judge.see({ kind: "connected", isMute: false, ...CONNECTION }, 1);
    judge.see(SUBSCRIBED, 2);
    judge.see(left(1), 5_000);
    judge.see({ kind: "connected", isMute: false, ...CONNECTION, connection: 2 }, 5_500);
    judge.see({ kind: "ended", ...CONNECTION, connection }, 25_000);
    return judge.finding?.rule;
  };
  assert.equal(ended(1), undefined);
  assert.equal(ended(2), "5 a cut is not a death");
});

test("what a client says when it can't be heard any more tells nobody that it is there", () => {
  const hushed = (isHushed: boolean): Fact => ({ kind: "hushed", client: "c", isHushed });
  const ended = (endMs: number, ...before: readonly (readonly [number, Fact])[]): string | undefined => {
    const judge = new Judge(drawPlan(new Dice(1)));
    judge.see({ kind: "connected", isMute: false, ...CONNECTION }, 1);
    for (const [atMs, fact] of before) judge.see(fact, atMs);
    judge.see({ kind: "ended", ...CONNECTION }, endMs);
    return judge.finding?.rule;
  };
  assert.equal(ended(20_010, [9_800, hushed(true)], [10_300, SUBSCRIBED]), undefined);
  assert.equal(ended(20_010, [9_700, SUBSCRIBED], [9_800, hushed(true)]), "5 a cut is not a death");
  const heard = [
    [9_800, hushed(true)],
    [10_300, SUBSCRIBED],
    [11_000, hushed(false)],
    [12_000, hushed(true)],
  ] as const;
  assert.equal(ended(20_010, ...heard), "5 a cut is not a death");
});

test("what a client said before it was frozen may be on its way for long", () => {
  const frozen: Fact = { kind: "died", client: "c", how: "frozen" };
  const late = (lateMs: number): Fact => ({ kind: "late", client: "c", lateMs });
  const ended = (endMs: number, ...before: readonly (readonly [number, Fact])[]): string | undefined => {
    const judge = new Judge(drawPlan(new Dice(1)));
    const known: readonly (readonly [number, Fact])[] = [
      [1, { kind: "connected", isMute: false, ...CONNECTION }],
      [2, SUBSCRIBED],
    ];
    for (const [atMs, fact] of [...known, ...before]) judge.see(fact, atMs);
    judge.see({ kind: "ended", ...CONNECTION }, endMs);
    return judge.finding?.rule;
  };
  const undue = "5 a cut is not a death";
  assert.equal(ended(10_000 + 24_900, [9_000, late(3_000)], [10_000, frozen]), undefined);
  assert.equal(ended(10_000 + 25_100, [9_000, late(3_000)], [10_000, frozen]), undue);
  assert.equal(ended(9_900 + 24_900, [8_000, late(3_000)], [9_900, late(0)], [10_000, frozen]), undefined);
  assert.equal(ended(10_000 + 22_100, [5_000, late(3_000)], [6_000, late(0)], [10_000, frozen]), undue);
  const again: Fact = { kind: "connected", isMute: false, ...CONNECTION, connection: 2 };
  assert.equal(
    ended(10_000 + 22_100, [4_000, late(3_000)], [5_000, again], [10_000, frozen]),
    undue,
    "a new connection",
  );
});
