// Work on every service of a node is done a part at a time: no step may hold up all other work.

import assert from "node:assert/strict";
import { test } from "node:test";
import { NO_DATUM_VERSION } from "../model/datum.ts";
import { brandServiceKey, type ServiceKey } from "../model/ids.ts";
import { OTHER, put, removed, SESSION, START_MS, serving, type TestData } from "./testing/harness.ts";

const LEASE_MS = 30_000;
const SERVICES = 3_000;
const serviceOf = (at: number): ServiceKey => brandServiceKey(`service-${at}#@#I#@#G`);

/** A publisher in each of many services, and a session that has subscribers of all. */
function large(): TestData {
  const node = serving({}, { lossProtectionPercent: 100 });
  for (let at = 0; at < SERVICES; at++) node.publish(put({ serviceKey: serviceOf(at) }));
  node.pass(10_000);
  return node;
}

/** The session with the publishers is gone, and its lease ends with the next millisecond. */
function lose(node: TestData): void {
  node.step({ kind: "sessionDown", session: SESSION });
  node.members(OTHER);
  node.pass(LEASE_MS - 1);
  for (let at = 0; at < SERVICES; at++) {
    node.tell({ kind: "fetch", serviceKey: serviceOf(at), have: NO_DATUM_VERSION }, OTHER);
  }
}

/** Wakes the node once, at its wake-up time; returns the effects. */
function wakeOnce(node: TestData): { notices: number; sizes: number; atMs: number } {
  node.sent = [];
  node.savedSizes.length = 0;
  node.nowMs = Math.max(node.nowMs, node.data.nextWakeMs());
  node.step({ kind: "woken" });
  return { notices: node.sent.length, sizes: node.savedSizes.length, atMs: node.nowMs };
}

test("what a lost session had goes in parts, at once after each other", () => {
  const node = large();
  lose(node);
  const wakes = Array.from({ length: 30 }, () => wakeOnce(node));
  const working = wakes.filter(({ notices }) => notices > 0);
  assert.ok(working.length >= 6 && Math.max(...working.map(({ notices }) => notices)) <= 600);
  assert.equal(
    working.reduce((sum, { notices }) => sum + notices, 0),
    SERVICES,
  );
  assert.equal(working.at(-1)?.atMs, working[0]?.atMs);
});

test("a session that is back before all that it had is gone keeps the rest", () => {
  const node = large();
  lose(node);
  let gone = 0;
  for (let wake = 0; wake < 5 && gone === 0; wake++) gone = wakeOnce(node).notices;
  node.step({ kind: "sessionUp", session: SESSION });
  node.sent = [];
  node.pass(10_000);
  assert.equal(node.sent.length, 0);
  assert.ok(gone > 0 && gone < 1_000);
});

test("sizes are saved a thousand at a time", () => {
  const node = large();
  for (let at = 0; at < SERVICES; at++) {
    node.publish(removed("left", { version: 1n, registeredMs: START_MS }, "r1", serviceOf(at)));
  }
  const saved: number[] = [];
  for (let wake = 0; wake < 40; wake++) saved.push(wakeOnce(node).sizes);
  assert.equal(
    saved.reduce((sum, sizes) => sum + sizes, 0),
    SERVICES,
  );
  assert.ok(Math.max(...saved) <= 1_000);
});

test("a node that stops saves all sizes", () => {
  const node = large();
  for (let at = 0; at < SERVICES; at++) {
    node.publish(removed("left", { version: 1n, registeredMs: START_MS }, "r1", serviceOf(at)));
  }
  node.savedSizes.length = 0;
  node.data.flush();
  assert.equal(node.savedSizes.length, SERVICES);
});
