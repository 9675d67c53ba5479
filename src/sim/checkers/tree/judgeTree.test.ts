import assert from "node:assert/strict";
import { test } from "node:test";
import { judgeTree } from "./judgeTree.ts";
import type { TreeEvent } from "./treeEvent.ts";

const own = { register: "r", client: "a", connection: 1, isSynced: false, expected: -1 } as const;
const write = (version: number, [fromMs, toMs]: readonly [number, number], given: Partial<TreeEvent> = {}) =>
  ({ ...own, kind: "write", outcome: "done", value: `v${version}`, version, fromMs, toMs, ...given }) as TreeEvent;
const read = (version: number, [fromMs, toMs]: readonly [number, number], given: Partial<TreeEvent> = {}) =>
  ({ ...own, kind: "read", value: version === 0 ? "" : `v${version}`, version, fromMs, toMs, ...given }) as TreeEvent;
const created = (sequence: number, fromMs: number, toMs: number): TreeEvent => ({
  ...{ kind: "created", client: "a", sequence, fromMs, toMs },
});
const held = (client: string, fromMs: number, toMs: number): TreeEvent => ({ kind: "held", client, fromMs, toMs });

const RIGHT: readonly TreeEvent[] = [
  read(0, [0, 1]),
  write(1, [1, 4]),
  write(2, [2, 3], { client: "b" }),
  read(2, [5, 6], { isSynced: true }),
  // One that lost its answer was made after all.
  write(3, [6, 9], { outcome: "lost" }),
  read(3, [8, 9]),
  read(2, [8, 9], { client: "b" }),
  write(4, [10, 11], { expected: 3 }),
  write(9, [11, 12], { outcome: "refused", expected: 2 }),
  created(1, 0, 5),
  created(2, 1, 2),
  held("a", 0, 5),
  held("b", 5, 6),
];

test("a history as it should be", () => {
  assert.deepEqual(judgeTree(RIGHT), []);
});

const WRONG: readonly [what: string, added: readonly TreeEvent[], says: RegExp][] = [
  ["two writes of one version", [write(4, [12, 13], { value: "x" })], /two writes are version 4/],
  ["a condition that was not held", [write(7, [12, 13], { expected: 4 })], /a write of 4 made version 7/],
  ["a write in the past", [write(5, [20, 21]), write(6, [12, 13])], /6 was answered before 5 was asked for/],
  ["a value that was not written", [read(5, [12, 13])], /v5 was read, and never written/],
  ["another value than was written", [read(4, [12, 13], { value: "x" })], /version 4 is v4 and x/],
  ["a lost write that is made twice", [read(5, [12, 13], { value: "v3" })], /v3 is version 3 and 5/],
  ["a refused write that is there", [read(5, [12, 13], { value: "v9" })], /v9 was read, and never written/],
  ["a reader that goes back", [read(1, [12, 13])], /a#1 read version 1 after 3/],
  ["a sync that misses a write", [read(3, [12, 13], { client: "b", isSynced: true })], /after a sync, 4 was there/],
  ["a number that is given twice", [created(2, 6, 7)], /number 2 was given twice/],
  ["a number that goes back", [created(4, 6, 7), created(3, 8, 9)], /4 was answered before 3 was asked for|3 was/],
  ["a lock that two hold", [held("c", 5.5, 7)], /c got it while b held it/],
];

for (const [what, added, says] of WRONG) {
  test(`found: ${what}`, () => assert.match(judgeTree([...RIGHT, ...added]).join("\n"), says));
}
