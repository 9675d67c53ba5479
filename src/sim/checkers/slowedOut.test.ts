import assert from "node:assert/strict";
import { test } from "node:test";
import type { NodeId } from "../../model/ids.ts";
import type { Fact } from "../facts.ts";
import {
  type At,
  acknowledged,
  brokenBy,
  connected,
  D1,
  D2,
  PLAN,
  published,
  pushed,
  READY,
  S1,
  S2,
} from "./testing/history.ts";
import { UndueRemoval } from "./undueRemoval.ts";

function lists(serial: number, ...sessions: readonly NodeId[]): Fact {
  const list = sessions.map((id) => ({ id, role: "session" as const, address: `${id}:1` }));
  const message = { kind: "members", members: { epoch: 1n, serial, list } } as const;
  return { kind: "learned", node: D1, role: "data", message };
}

const slowed = (isSlowed: boolean): Fact => ({ kind: "slowed", isSlowed });
const SLOW: At = [10_000, slowed(true)];
const LOST: At = [15_000, { kind: "linkLost", session: S1, data: D1 }];
const OUT: At = [16_000, lists(2, S2)];
const END_MS = 16_000 + PLAN.config.sessionLeaseMs;

/** The rule that is broken when c, which is at S1, is missing in w's list at `atMs`. */
const broken = (atMs: number, ...history: At[]) =>
  brokenBy(
    (evidence) => new UndueRemoval(evidence),
    [
      ...READY,
      [2, connected("c", S1)],
      [3, connected("w", S2)],
      [4, published(1n)],
      [5, acknowledged(1n, S1)],
      [6, pushed(S2, 10n, true, "c.1~1~c")],
      [7, lists(1, S1, S2)],
      ...history,
      [atMs, pushed(S2, 20n, true)],
    ],
  );

test("the clients of a session that slow messages have put out of the list are gone after its lease", () => {
  assert.equal(broken(END_MS, SLOW, LOST, OUT), undefined);
  assert.notEqual(broken(END_MS - 1_000, SLOW, LOST, OUT), undefined, "its lease is not over");
  assert.notEqual(broken(END_MS, SLOW, LOST), undefined, "it is a member");
  assert.notEqual(broken(END_MS, SLOW, OUT), undefined, "its links stand");
  assert.notEqual(broken(END_MS, LOST, OUT), undefined, "messages are fast");
  assert.notEqual(broken(END_MS, [1_000, slowed(true)], [2_000, slowed(false)], LOST, OUT), undefined, "for long");
  const back: At = [17_000, lists(3, S1, S2)];
  assert.notEqual(broken(END_MS + 10_000, SLOW, LOST, OUT, back), undefined, "it has been a member again");
});

test("the lost link of another session explains nothing", () => {
  const elsewhere: At = [15_000, { kind: "linkLost", session: S2, data: D2 }];
  assert.notEqual(broken(END_MS, SLOW, elsewhere, OUT), undefined);
});
