import assert from "node:assert/strict";
import { test } from "node:test";
import type { Fact } from "../facts.ts";
import { QueryChecker } from "./queries.ts";
import { type At, brokenBy, cut, D1, READY, S, S1, S2, shows, stopped } from "./testing/history.ts";

const EARLIER = 1_000_000;

/** A question to s1, asked at 100 s, for a list above `since` within four seconds. */
function queried(since = 0n, question = 1): At {
  return [100_000, { kind: "queried", question, node: S1, machine: "s1", service: S, since, waitMs: 4_000 }];
}

function answered(version: bigint, { list = "", isNewer = true, question = 1 } = {}): Fact {
  return { kind: "queryAnswered", question, node: S1, service: S, version, isNewer, list };
}

/** The rule that is broken after d1 has named version 5, and long before that 4, both empty. */
const broken = (...history: readonly At[]) =>
  brokenBy(
    (evidence) => new QueryChecker(evidence),
    [...READY, [50_000, shows(D1, S1, 4n)], [60_000, shows(D1, S1, 5n)], ...history],
  );

const later = (atMs: number): At => [atMs, { kind: "fault", what: "time passes" }];

test("a question that is answered in its time, with a list that there is, breaks nothing", () => {
  assert.equal(broken(queried(), [100_010, answered(5n)], [110_000, { kind: "over", live: [] }]), undefined);
  assert.equal(broken(queried(5n), [104_000, answered(5n, { isNewer: false })], later(EARLIER)), undefined);
});

test("a question that is not answered in its time waits for ever, unless given up, or its session is gone", () => {
  assert.equal(broken(queried(), later(104_500)), undefined);
  assert.equal(broken(queried(), later(104_700)), "quiet: nothing waits for ever");
  assert.equal(broken(queried(), [101_000, { kind: "queryGivenUp", question: 1 }], later(EARLIER)), undefined);
  assert.equal(broken(queried(), [101_000, stopped(S1)], later(EARLIER)), undefined);
});

test("a session that stands still has no time", () => {
  const paused: At = [101_000, { kind: "paused", machine: "s1", isPaused: true }];
  assert.equal(broken(queried(), paused, later(EARLIER)), undefined);
});

test("at the end nobody waits, not even for a session that stood still", () => {
  const pauses: readonly At[] = [
    [101_000, { kind: "paused", machine: "s1", isPaused: true }],
    [102_000, { kind: "paused", machine: "s1", isPaused: false }],
  ];
  const over: At = [110_000, { kind: "over", live: [] }];
  assert.equal(broken(queried(), ...pauses, over), "7 convergence");
  assert.equal(broken(queried(), ...pauses, [103_000, answered(5n)], over), undefined);
});

test("no answer comes after another one, or after the question was given up", () => {
  const twice = broken(queried(), [100_010, answered(5n)], [100_020, answered(5n)]);
  assert.equal(twice, "bug");
});

test("a version is newer exactly if it is above the one that was named", () => {
  assert.equal(broken(queried(5n), [100_010, answered(5n)]), "3 a subscriber never goes back");
  assert.equal(broken(queried(4n), [100_010, answered(5n, { isNewer: false })]), "3 a subscriber never goes back");
});

test("a session does not go back", () => {
  const back = broken(queried(), [100_010, answered(5n)], queried(0n, 2), [100_020, answered(4n, { question: 2 })]);
  assert.equal(back, "3 a subscriber never goes back");
});

test("a list is that of its version", () => {
  assert.equal(broken(queried(), [100_010, answered(5n, { list: "Z/c.1~1~c" })]), "4 whole versions");
});

test("a change is told when it is here, and at the end every session has the newest list", () => {
  assert.equal(broken(queried(4n), [104_000, answered(5n)]), "7 convergence");
  const listed = (atMs: number): At => [atMs, { kind: "listed", node: S1, service: S, version: 5n }];
  assert.equal(broken(queried(4n), listed(103_000), [104_000, answered(5n)]), "7 convergence");
  assert.equal(broken(queried(4n), listed(103_990), [104_000, answered(5n)]), undefined, "it came at the very end");
  assert.equal(broken(queried(), [100_010, answered(4n)], [110_000, { kind: "over", live: [] }]), "7 convergence");
});

test("a version is not missed at the end if its leader gave it while it was cut off, and died then", () => {
  const given: At[] = [
    [70_000, cut("d1", "d2", true)],
    [71_000, shows(D1, S2, 6n, "c.1~1~c")],
  ];
  const answeredLater: At[] = [queried(), [100_010, answered(5n)], [110_000, { kind: "over", live: [] }]];
  const healed: At = [90_000, cut("d1", "d2", false)];
  assert.equal(broken(...given, [80_000, stopped(D1)], healed, ...answeredLater), undefined);
  assert.equal(broken(...given, healed, [98_000, stopped(D1)], ...answeredLater), "7 convergence");
  const older: At[] = [queried(), [100_010, answered(4n)], [110_000, { kind: "over", live: [] }]];
  assert.equal(broken(...given, [80_000, stopped(D1)], healed, ...older), "7 convergence", "another one was known");
});
