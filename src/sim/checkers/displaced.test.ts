import assert from "node:assert/strict";
import { test } from "node:test";
import { type NodeId, nodeId } from "../../model/ids.ts";
import type { Fact } from "../facts.ts";
import {
  type At,
  acknowledged,
  brokenBy,
  connected,
  cut,
  D1,
  D2,
  published,
  pushed,
  READY,
  S1,
  S2,
  saved,
  started,
} from "./testing/history.ts";
import { UndueRemoval } from "./undueRemoval.ts";

const COPY = nodeId("s1.9");
const META: Fact = { kind: "started", node: nodeId("m1.8"), role: "meta", machine: "m1" };

function lists(serial: number, ...sessions: readonly NodeId[]): Fact {
  const list = sessions.map((id) => ({ id, role: "session" as const, address: `${id}:1` }));
  const members = { epoch: 1n, serial, list };
  return { kind: "learned", node: D1, role: "data", message: { kind: "members", members } };
}

const LISTED: At = [10, lists(1, S1, S2)];
const APART: At = [10_000, cut("m1", "s1", true)];
const COPIED: At = [12_000, { kind: "started", node: COPY, role: "session", machine: "s1c1" }];
const DISPLACED: At = [13_000, lists(2, COPY, S2)];
const LOST: At = [14_000, saved(D2, 2n)];

/** The rule that is broken when c, which is at S1, is missing in w's list at `atMs`. */
const broken = (atMs: number, ...history: At[]) =>
  brokenBy(
    (evidence) => new UndueRemoval(evidence),
    [
      ...READY,
      [2, META],
      [3, connected("c", S1)],
      [4, published(1n)],
      [5, acknowledged(1n, S1)],
      [6, pushed(S2, 10n, true, "c.1~1~c")],
      ...history,
      [atMs, pushed(S2, 20n, true)],
    ],
  );

test("what a session has whose place a copy has taken is missing under a leader without a copy for a while", () => {
  const all = [LISTED, APART, COPIED, DISPLACED, LOST];
  assert.equal(broken(15_000, ...all), undefined);
  const back: At = [15_000, lists(3, S1, S2)];
  const seen = (atMs: number): At => [atMs, pushed(S2, 15n, true, "c.1~1~c")];
  assert.equal(broken(21_000, ...all, back, seen(20_000)), undefined, "it makes its links");
  assert.equal(broken(24_000, ...all, back, seen(23_000)), "6 no empty by accident");
});

test("each part of that is needed", () => {
  const undue = (...history: At[]) => assert.equal(broken(15_000, ...history), "6 no empty by accident");
  undue(LISTED, COPIED, DISPLACED, LOST);
  undue(LISTED, APART, DISPLACED, LOST);
  undue(LISTED, APART, COPIED, [13_000, lists(2, S2)], LOST);
  undue(LISTED, APART, COPIED, [13_000, lists(2, COPY, S1, S2)], LOST);
  undue(LISTED, APART, [12_000, started(COPY)], DISPLACED, LOST);
  undue(LISTED, APART, [11_000, cut("m1", "s1", false)], COPIED, DISPLACED, LOST);
  undue([10, lists(3, S1, S2)], APART, COPIED, DISPLACED, LOST);
  undue(LISTED, APART, COPIED, DISPLACED);
});

test("another meta node that can hear the session does not let a copy take its place", () => {
  const other: At = [2, { kind: "started", node: nodeId("m2.7"), role: "meta", machine: "m2" }];
  assert.equal(broken(15_000, LISTED, other, APART, COPIED, DISPLACED, LOST), "6 no empty by accident");
});
