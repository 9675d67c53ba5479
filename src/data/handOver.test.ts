import assert from "node:assert/strict";
import { test } from "node:test";
import { nodeId } from "../model/ids.ts";
import { DataHandOver, isAlone } from "./handOver.ts";

const SELF = nodeId("d1.1");
const OTHER = nodeId("d2.1");

function tableOf(followers: readonly (typeof SELF)[]) {
  return { epoch: 1n, slots: [{ leader: SELF, leaderEpoch: 1n, followers }] };
}

test("a data node without others has nobody to hand its slots over to", () => {
  assert.equal(isAlone(undefined, SELF), true);
  assert.equal(isAlone(tableOf([]), SELF), true);
  assert.equal(isAlone(tableOf([OTHER]), SELF), false);
  assert.equal(isAlone(tableOf([]), OTHER), false);
});

test("a data node may end when it keeps no slot, to lead or to follow", () => {
  const handOver = new DataHandOver(30_000, 0);
  assert.equal(handOver.isOver({ slotsKept: 1, epoch: 1n, hasMeta: true }, 1_000), false);
  assert.equal(handOver.isOver({ slotsKept: 0, epoch: 1n, hasMeta: true }, 1_020), true);
});

test("a data node does not wait for meta nodes that stay away, but for one that restarts", () => {
  const handOver = new DataHandOver(30_000, 0);
  assert.equal(handOver.isOver({ slotsKept: 1, epoch: 1n, hasMeta: false }, 3_000), false);
  assert.equal(handOver.isOver({ slotsKept: 1, epoch: 1n, hasMeta: true }, 3_000), false);
  assert.equal(handOver.isOver({ slotsKept: 1, epoch: 1n, hasMeta: false }, 6_000), false);
  assert.equal(handOver.isOver({ slotsKept: 1, epoch: 1n, hasMeta: false }, 6_001), true);
});

test("a data node ends when its time is over, whatever it keeps", () => {
  const handOver = new DataHandOver(30_000, 5_000);
  for (let epoch = 1n; epoch < 30n; epoch++) {
    assert.equal(handOver.isOver({ slotsKept: 1, epoch, hasMeta: true }, 5_000 + 1_000 * Number(epoch)), false);
  }
  assert.equal(handOver.isOver({ slotsKept: 1, epoch: 30n, hasMeta: true }, 35_000), true);
});

test("a data node for which nothing moves does not wait for others that leave too", () => {
  const handOver = new DataHandOver(30_000, 0);
  assert.equal(handOver.isOver({ slotsKept: 2, epoch: 1n, hasMeta: true }, 20), false);
  assert.equal(handOver.isOver({ slotsKept: 1, epoch: 2n, hasMeta: true }, 2_000), false);
  assert.equal(handOver.isOver({ slotsKept: 1, epoch: 2n, hasMeta: true }, 11_999), false);
  assert.equal(handOver.isOver({ slotsKept: 1, epoch: 2n, hasMeta: true }, 12_000), true);
});
