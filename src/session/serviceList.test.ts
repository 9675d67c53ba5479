import assert from "node:assert/strict";
import { test } from "node:test";
import type { DatumChange, DatumDelta } from "../model/datum.ts";
import { versionAt } from "../model/version.ts";
import { ServiceList } from "./serviceList.ts";
import { NOW_MS, ORDERS, publication, snapshotOf } from "./testing/parts.ts";

const DAY_MS = 24 * 3_600_000;

const listOf = (atMs: number, origin: bigint) => snapshotOf(versionAt(atMs), { origin, publications: [] });

/** Whether the second list is taken after the first. */
function isTaken(first: ReturnType<typeof listOf>, second: ReturnType<typeof listOf>): boolean {
  const list = new ServiceList(ORDERS);
  assert.ok(list.replace(first, NOW_MS));
  return list.replace(second, NOW_MS);
}

/** A list of this version with these registrations. */
function listWith(version: bigint, registIds: readonly string[], origin = 1n): ServiceList {
  const list = new ServiceList(ORDERS);
  const publications = registIds.map((registId) => publication({ registId }));
  assert.ok(list.replace(snapshotOf(version, { origin, publications }), NOW_MS));
  return list;
}

function deltaTo(version: bigint, from: bigint, changes: readonly DatumChange[], origin = 1n): DatumDelta {
  return { serviceKey: ORDERS, base: { version: from, origin: 1n }, version, origin, changes };
}

const REMOVED: DatumChange = { kind: "removed", registId: "p1", stamp: { version: 1n, registeredMs: NOW_MS } };
const registIdsOf = (list: ServiceList) => [...(list.view?.publications.keys() ?? [])];

test("a list that is not newer is not taken, whoever gave it", () => {
  assert.ok(!isTaken(listOf(NOW_MS, 1n), listOf(NOW_MS, 2n)));
  assert.ok(!isTaken(listOf(NOW_MS + DAY_MS, 1n), listOf(NOW_MS, 2n)));
  assert.ok(isTaken(listOf(NOW_MS, 2n), listOf(NOW_MS + 1, 1n)));
});

test("a list of the version that is here is not taken again, and nothing of it shows", () => {
  const list = listWith(10n, ["p1"]);
  assert.equal(list.replace(snapshotOf(10n, { publications: [publication({ registId: "p2" })] }), NOW_MS), false);
  assert.deepEqual(registIdsOf(list), ["p1"]);
});

test("after a leader whose clock was days ahead the next one's list is taken, though its version is lower", () => {
  assert.ok(isTaken(listOf(NOW_MS + 30 * DAY_MS, 1n), listOf(NOW_MS, 2n)));
  assert.ok(!isTaken(listOf(NOW_MS + 30 * DAY_MS, 2n), listOf(NOW_MS, 1n)), "not that of one before");
  assert.ok(!isTaken(listOf(NOW_MS + 30 * DAY_MS, 1n), listOf(NOW_MS, 1n)), "nor an earlier one of its own");
  assert.ok(!isTaken(listOf(NOW_MS + 30 * DAY_MS, 1n), listOf(NOW_MS + 20 * DAY_MS, 2n)), "this clock is behind");
});

test("there is nothing to push before the first list has come, and then all of it", () => {
  const list = new ServiceList(ORDERS);
  assert.deepEqual([list.version, list.view], [0n, undefined]);
  list.replace(snapshotOf(10n, { origin: 3n }), NOW_MS);
  assert.deepEqual(list.state, { version: 10n, origin: 3n });
  assert.deepEqual(list.snapshot, snapshotOf(10n, { origin: 3n }));
  assert.equal(list.view?.version, 10n);
});

test("a whole list replaces what was there", () => {
  const list = listWith(10n, ["p1", "p2"]);
  list.replace(snapshotOf(11n, { publications: [publication({ registId: "p3" })] }), NOW_MS);
  assert.deepEqual(registIdsOf(list), ["p3"]);
});

test("a delta adds, replaces and takes away, on exactly the version that it begins at", () => {
  const list = listWith(10n, ["p1", "p2"]);
  const changes: DatumChange[] = [
    { kind: "put", publication: publication({ registId: "p3" }) },
    { kind: "put", publication: publication({ registId: "p2", zone: "Y" }) },
    REMOVED,
  ];
  assert.equal(list.apply(deltaTo(12n, 10n, changes, 2n)), "applied");
  assert.deepEqual(registIdsOf(list), ["p2", "p3"]);
  assert.equal(list.view?.publications.get("p2")?.zone, "Y");
  assert.deepEqual(list.state, { version: 12n, origin: 2n });
});

test("a delta on another version, or on one of that number by another leader, is not applied", () => {
  const changes: DatumChange[] = [REMOVED];
  for (const list of [listWith(9n, ["p1"]), listWith(10n, ["p1"], 2n)]) {
    assert.equal(list.apply(deltaTo(12n, 10n, changes)), "behind");
    assert.deepEqual(registIdsOf(list), ["p1"]);
  }
});

test("a delta to what is known already, or to less, changes nothing", () => {
  const list = listWith(10n, ["p1"]);
  const changes: DatumChange[] = [REMOVED];
  assert.deepEqual([list.apply(deltaTo(10n, 9n, changes)), list.apply(deltaTo(9n, 8n, changes))], ["known", "known"]);
  assert.deepEqual(registIdsOf(list), ["p1"]);
});

test("what a gateway has made of a list goes with it, and each version is a view of its own", () => {
  const list = listWith(10n, ["p1"]);
  const first = list.view;
  let drops = 0;
  if (first !== undefined) first.kept = { drop: () => drops++ };
  list.apply(deltaTo(11n, 10n, []));
  assert.equal(drops, 1);
  assert.notEqual(list.view, first);
  if (list.view !== undefined) list.view.kept = { drop: () => drops++ };
  list.release();
  assert.equal(drops, 2);
});
