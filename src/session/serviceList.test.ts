import assert from "node:assert/strict";
import { test } from "node:test";
import { brandDataInfoId } from "../model/ids.ts";
import { versionAt } from "../model/version.ts";
import { ServiceList } from "./serviceList.ts";

const ORDERS = brandDataInfoId("orders#@#I#@#G");
const NOW_MS = 1_700_000_000_000;
const DAY_MS = 24 * 3_600_000;

const listOf = (atMs: number, origin: bigint) => {
  return { dataInfoId: ORDERS, version: versionAt(atMs), origin, publications: [] };
};

/** Whether the second list is taken after the first. */
function isTaken(first: ReturnType<typeof listOf>, second: ReturnType<typeof listOf>): boolean {
  const list = new ServiceList(ORDERS);
  assert.ok(list.replace(first, NOW_MS));
  return list.replace(second, NOW_MS);
}

test("a list that is not newer is not taken, whoever gave it", () => {
  assert.ok(!isTaken(listOf(NOW_MS, 1n), listOf(NOW_MS, 2n)));
  assert.ok(!isTaken(listOf(NOW_MS + DAY_MS, 1n), listOf(NOW_MS, 2n)));
  assert.ok(isTaken(listOf(NOW_MS, 2n), listOf(NOW_MS + 1, 1n)));
});

test("after a leader whose clock was days ahead the next one's list is taken, though its version is lower", () => {
  assert.ok(isTaken(listOf(NOW_MS + 30 * DAY_MS, 1n), listOf(NOW_MS, 2n)));
  assert.ok(!isTaken(listOf(NOW_MS + 30 * DAY_MS, 2n), listOf(NOW_MS, 1n)), "not that of one before");
  assert.ok(!isTaken(listOf(NOW_MS + 30 * DAY_MS, 1n), listOf(NOW_MS + 20 * DAY_MS, 2n)), "this clock is behind");
});
