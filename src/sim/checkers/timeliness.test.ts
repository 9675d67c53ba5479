import assert from "node:assert/strict";
import { test } from "node:test";
import { nodeId } from "../../model/ids.ts";
import type { Fact } from "../facts.ts";
import {
  type At,
  accepted,
  acknowledged,
  brokenBy,
  connected,
  cut,
  D1,
  D2,
  lost,
  PLAN,
  published,
  pushed,
  READY,
  S,
  S1,
  S2,
  saved,
  serves,
  stopped,
  subscribed,
  tableOf,
} from "./testing/history.ts";
import { Timeliness } from "./timeliness.ts";

const LATE = "7 convergence";
const T = 100_000;
// Longer than the window, a repeated push and the way.
const LONG_MS = PLAN.config.pushWindowMaxMs + PLAN.config.pushTimeoutMs + 10_000;
const SHOWN = "c.1~2~c";

/** c, at S1, changes its publication at T; w, at S2, watches. */
function judged(...history: readonly At[]): string | undefined {
  const all: readonly At[] = [
    ...READY,
    [2, connected("c", S1)],
    [2, connected("w", S2)],
    [3, subscribed],
    [4, accepted(S2)],
    [3, published(1n)],
    [4, acknowledged(1n, S1)],
    [50, pushed(S2, 10n, true, "c.1~1~c")],
    [T, published(2n)],
    [T + 1, acknowledged(2n, S1)],
    ...history,
    [T + LONG_MS, { kind: "healed" }],
  ];
  const inOrder = all.toSorted(([a], [b]) => a - b);
  return brokenBy((evidence) => new Timeliness(evidence), inOrder);
}

test("an acknowledged change that a subscriber is not shown in time breaks the rule", () => {
  assert.equal(judged(), LATE);
  assert.equal(judged([T + 500, pushed(S2, 11n, true, SHOWN)]), undefined);
  assert.equal(judged([T + LONG_MS - 1, pushed(S2, 11n, true, SHOWN)]), LATE, "a scan has healed it");
});

test("a list with an instance that names a revision may be held until that can be read", () => {
  const named = { ...published(2n), revision: "r1" } as Fact;
  assert.equal(judged([T, named]), undefined);
});

test("what was taken back is gone in time", () => {
  const takenBack: At[] = [
    [T + 500, pushed(S2, 11n, true, SHOWN)],
    [T + 600, { kind: "unpublished", client: "c", service: S, registId: "c.1", version: 3n }],
    [T + 601, acknowledged(3n, S1)],
  ];
  assert.equal(judged(...takenBack), LATE);
  assert.equal(judged(...takenBack, [T + 700, pushed(S2, 12n, true)]), undefined);
});

test("nothing is promised in time while those through whom a change goes are troubled; others are no excuse", () => {
  assert.equal(judged([T - 10, cut("s2", "d1", true)]), undefined);
  assert.equal(judged([T - 10, cut("s2", "d1", true)], [T - 9, cut("s2", "d1", false)]), undefined);
  assert.equal(judged([T - 50_000, cut("s2", "d1", true)], [T - 49_000, cut("s2", "d1", false)]), LATE);
  assert.equal(judged([T - 10, cut("s2", "d2", true)]), LATE, "d2 leads nothing");
  assert.equal(judged([T - 10, { kind: "paused", machine: "s1", isPaused: true }]), undefined);
  assert.equal(judged([T - 10, saved(D2, 2n)]), undefined, "another leads since");
  assert.equal(judged([5_000, serves(D1, tableSlots())]), undefined, "the service is held back");
  const servesLate: At[] = [
    [5_000, serves(D1, tableSlots())],
    [T + 10, serves(D1)],
  ];
  assert.equal(judged(...servesLate), undefined, "it was held back until then");
  assert.equal(judged([5_000, serves(D1, tableSlots())], [6_000, serves(D1)], [T + 10, serves(D1)]), LATE);
  const unheard = takenOver.filter(([, fact]) => fact.kind !== "learned");
  assert.equal(judged(...unheard), undefined, "the sessions have not heard that d2 leads");
  assert.equal(judged(...takenOver), LATE, "they have, long ago");
  const heardNow = sessionsHear(D2, 2n).map(([, fact]): At => [T - 10, fact]);
  assert.equal(judged(...unheard, ...heardNow), undefined, "they have just heard it");
  const heardLong: At = [T - 50_001, { ...learnedBy(D1), kind: "learned" }];
  assert.equal(judged(...takenOver, heardLong, [T - 10, cut("s2", "d1", true)]), LATE, "d1 leads no more");
  assert.equal(judged(...takenOver, [T - 10, cut("s2", "d1", true)]), undefined, "d1 does not know that");
  assert.equal(judged([T - 10, stopped(D1)]), undefined, "nobody leads it");
});

test("a subscriber that can't be heard, has just come or is gone is promised nothing in time", () => {
  const hushed = (isHushed: boolean): Fact => ({ kind: "hushed", client: "w", isHushed });
  assert.equal(judged([T - 10, hushed(true)]), undefined);
  assert.equal(judged([T - 50_000, hushed(true)], [T - 40_000, hushed(false)]), LATE);
  const back: At[] = [
    [T - 20_000, lost("w", S2)],
    [T - 10_000, connected("w", S2, 2)],
  ];
  assert.equal(judged(...back), undefined, "it has not said what it wants");
  assert.equal(judged(...back, [T - 10, accepted(S2, 2)]), undefined);
  assert.equal(judged(...back, [T - 9_900, accepted(S2, 2)]), LATE);
  assert.equal(judged([T + 10, { kind: "died", client: "w", how: "vanished" }]), undefined);
  assert.equal(judged([T + 10, lost("c", S1)]), undefined, "its publisher is gone");
});

test("a client that has gone on to another session, and died there, is promised by that one", () => {
  const moved: At[] = [
    [T + 100, connected("c", S2, 2)],
    [T + 101, acknowledged(2n, S2, 2)],
    [T + 500, pushed(S2, 11n, true, SHOWN)],
    [T + 600, { kind: "died", client: "c", how: "killed" }],
    [T + 601, lost("c", S2, 2)],
  ];
  assert.equal(judged(...moved, [T + 1_700, pushed(S2, 12n, true)]), undefined);
});

test("a client whose last session can't be heard when it is asked is promised nothing in time", () => {
  const s3 = nodeId("s3.5");
  const watched = (...history: At[]) =>
    judged(
      [0, { kind: "started", node: s3, machine: "s3", role: "session" }],
      [3, connected("c", s3, 0)],
      [3, acknowledged(1n, s3, 0)],
      [T - 500, lost("c", s3, 0)],
      ...history,
    );
  assert.equal(watched(), LATE);
  assert.equal(watched([T - 10, cut("s3", "d1", true)]), undefined);
  assert.equal(watched([T - 10, cut("s3", "d2", true)]), LATE, "d2 does not ask it");
  assert.equal(watched([T - 50_000, cut("s3", "d1", true)], [T - 40_000, cut("s3", "d1", false)]), LATE);
  assert.equal(judged([T - 10, cut("s3", "d1", true)]), LATE, "the client was never there");
});

test("a change is promised in time from when the leader notices that the client's last session is gone", () => {
  const s3 = nodeId("s3.5");
  const boundMs = LONG_MS - 8_000;
  const link = (data: typeof D1, isUp: boolean): Fact => ({ kind: "sessionLink", data, session: s3, isUp });
  const shown = (atMs: number, ...history: At[]) =>
    judged(
      [0, { kind: "started", node: s3, machine: "s3", role: "session" }],
      [1, link(D1, true)],
      [1, link(D2, true)],
      [3, connected("c", s3, 0)],
      [3, acknowledged(1n, s3, 0)],
      [T - 500, lost("c", s3, 0)],
      ...history,
      [atMs, pushed(S2, 11n, true, SHOWN)],
    );
  const gone: At = [T - 1_000, stopped(s3)];
  const noticed: At = [T + 4_000, link(D1, false)];
  assert.equal(shown(T + 4_000 + boundMs, gone, noticed), undefined);
  assert.equal(shown(T + 4_001 + boundMs, gone, noticed), LATE);
  assert.equal(shown(T + 4_000 + boundMs, noticed), LATE, "it is there, and could answer");
  const later: At = [T + 2 + boundMs, stopped(s3)];
  assert.equal(shown(T + 4_000 + boundMs, later, noticed), LATE, "it could have answered before it ended");
  assert.equal(shown(T + 2 + boundMs, gone, [T - 10, link(D1, false)]), LATE, "noticed before the client came");
  assert.equal(shown(T + 2 + boundMs, gone, [T - 10, link(D1, false)], [T + 4_000, link(D2, false)]), LATE);
});

test("a client that never answers and whose last connection seems to stand is promised nothing in time", () => {
  const moves = (isMute: boolean, ...left: At[]): At[] => [[3, { ...connected("c", S2, 0), isMute } as Fact], ...left];
  assert.equal(judged(...moves(true)), undefined);
  assert.equal(judged(...moves(true, [T + 500, lost("c", S2, 0)])), undefined, "it seemed to stand");
  assert.equal(judged(...moves(true, [T - 500, lost("c", S2, 0)])), LATE);
  assert.equal(judged(...moves(false)), LATE, "one that answers questions is asked at once");
});

test("the time for which a narrow line to the subscriber carries lists does not count", () => {
  const line = (isSlow: boolean, connection = 1): Fact => ({ kind: "line", client: "w", connection, isSlow });
  // The first list is under way for 3 s, the second one for 60 s.
  const slow: At[] = [
    [T - 1_000, line(true)],
    [T + 3_000, line(false)],
    [T + 3_010, line(true)],
    [T + 63_010, line(false)],
  ];
  const boundMs = LONG_MS - 8_000;
  assert.equal(judged(...slow, [T + 63_010, pushed(S2, 11n, true, SHOWN)]), undefined);
  assert.equal(judged(...slow, [T + 63_000 + boundMs, pushed(S2, 11n, true, SHOWN)]), undefined);
  assert.equal(judged(...slow, [T + 63_002 + boundMs, pushed(S2, 11n, true, SHOWN)]), LATE, "the line was free");
  assert.equal(judged([T - 1_000, line(true)], [T - 500, line(false)]), LATE, "it was free before");
  assert.equal(judged([T - 1_000, line(true, 2)]), LATE, "another connection");
});

test("an answer of the subscriber that is late may be under way, and the next list after it", () => {
  const late = (lateMs: number): Fact => ({ kind: "late", client: "w", lateMs });
  const boundMs = LONG_MS - 8_000;
  const shown = (lateMs: number, ...history: At[]) =>
    judged(...history, [T + 1 + boundMs + lateMs, pushed(S2, 11n, true, SHOWN)]);
  assert.equal(shown(4_000, [T - 9_000, late(4_000)]), undefined);
  assert.equal(shown(4_001, [T - 9_000, late(4_000)]), LATE);
  const over: At[] = [
    [T - 9_000, late(4_000)],
    [T - 999, late(0)],
  ];
  assert.equal(shown(3_000, ...over), undefined, "an answer from before");
  assert.equal(shown(3_001, ...over), LATE);
  assert.equal(shown(1, [T + 1 + boundMs, late(4_000)]), undefined);
  assert.equal(shown(1, [T + 2 + boundMs, late(4_000)]), LATE, "late after it was due");
});

// Long before, another node was given the slot.
const takenOver: readonly At[] = [[T - 60_000, saved(D2, 2n)], [T - 60_000, serves(D2)], ...sessionsHear(D2, 2n)];

function sessionsHear(leader: typeof D1, epoch: bigint): At[] {
  const message = { kind: "slotTable", table: tableOf(leader, epoch), versionFloor: 0n } as const;
  return [S1, S2].map((node) => [T - 60_000, { kind: "learned", node, role: "session", message }]);
}

function learnedBy(node: typeof D1): Omit<Fact & { kind: "learned" }, "kind"> {
  return { node, role: "data", message: { kind: "slotTable", table: tableOf(D2, 2n), versionFloor: 0n } };
}

function tableSlots(): number[] {
  return Array.from({ length: PLAN.meta.slotCount }, (_, slot) => slot);
}
