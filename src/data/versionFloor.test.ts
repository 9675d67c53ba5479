import assert from "node:assert/strict";
import { test } from "node:test";
import { versionAt, versionSpan } from "../model/version.ts";
import { START_MS } from "./testing/harness.ts";
import { VersionFloor } from "./versionFloor.ts";

const DAY_MS = 24 * 3_600_000;

/** The versions of a node whose disk has this floor, and the saved floors. */
function scene(floor = 0n) {
  const saved: bigint[] = [];
  return { versions: new VersionFloor(floor, (next) => void saved.push(next)), saved };
}

test("every version is below the floor that is on disk, which is written ten seconds ahead, each five seconds", () => {
  const { versions, saved } = scene();
  const first = versions.next(START_MS, 1n);
  assert.deepEqual(saved, [first + versionSpan(10_000)]);
  versions.next(START_MS + 5_000, 1n);
  assert.equal(saved.length, 1);
  const later = versions.next(START_MS + 5_001, 1n);
  assert.deepEqual(saved.slice(1), [later + versionSpan(10_000)]);
});

test("the first version of a life is above the floor of the last one, and moves it", () => {
  const floor = versionAt(START_MS + 1_000);
  const { versions, saved } = scene(floor);
  assert.equal(versions.newest, floor);
  const first = versions.next(START_MS, 1n);
  assert.ok(first > floor);
  assert.equal(saved.length, 1);
});

test("a version that somebody has is gone above, in this life and the next", () => {
  const { versions, saved } = scene();
  versions.next(START_MS, 1n);
  const heard = versionAt(START_MS + 60_000);
  versions.raise(heard);
  assert.deepEqual([versions.newest, saved.at(-1)], [heard, heard + versionSpan(10_000)]);
  assert.ok(versions.next(START_MS, 1n) > heard);
  const count = saved.length;
  versions.raise(heard + 1n);
  assert.equal(saved.length, count, "below the floor nothing has to be saved");
});

test("a version up to a day ahead is believed, one beyond it is not", () => {
  const { versions } = scene();
  assert.equal(versions.isCredible(versionAt(START_MS + DAY_MS), START_MS), true);
  assert.equal(versions.isCredible(versionAt(START_MS + DAY_MS) + 1n, START_MS), false);
  assert.equal(versions.isCredible(versionAt(START_MS + DAY_MS) + 1n, START_MS + 1), true, "a moment later it is");
  assert.equal(versions.isCredible(-1n, START_MS), false);
  assert.equal(versions.isCredible(0n, START_MS), true);
});

test("what this node is above already is believed, however far it is", () => {
  const afar = versionAt(START_MS + 9 * DAY_MS);
  const { versions } = scene(afar);
  assert.deepEqual([versions.isCredible(afar, START_MS), versions.isCredible(afar + 1n, START_MS)], [true, false]);
});

test("meta's word is taken however far it is, and others are believed by as much more from then on", () => {
  const { versions } = scene();
  assert.equal(versions.raiseOfMeta(versionAt(START_MS + 3_600_000), START_MS), 0, "a clock an hour behind is none");
  const afar = versionAt(START_MS + 10 * DAY_MS);
  assert.equal(versions.raiseOfMeta(afar, START_MS), 10 * DAY_MS);
  assert.equal(versions.newest, afar);
  assert.equal(versions.isCredible(versionAt(START_MS + 11 * DAY_MS), START_MS), true);
  assert.equal(versions.isCredible(versionAt(START_MS + 11 * DAY_MS) + 1n, START_MS), false);
  assert.equal(versions.raiseOfMeta(versionAt(START_MS + 11 * DAY_MS), START_MS), 0, "it is known to be behind");
});
