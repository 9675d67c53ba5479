import assert from "node:assert/strict";
import { test } from "node:test";
import type { NodeId } from "../model/ids.ts";
import { Completeness } from "./completeness.ts";
import { Sessions } from "./sessions.ts";
import { OTHER, SESSION, START_MS } from "./testing/harness.ts";
import { leads, others, slotsAfter, tableOf } from "./testing/parts.ts";

const WAIT_MS = 30_000;

/** A node that has just begun to lead its only slot, in a cluster with these sessions; undefined: it does not know. */
function scene(members: readonly NodeId[] | undefined) {
  const slots = slotsAfter([leads]);
  const slot = slots.ledSlot(0);
  assert.ok(slot !== undefined);
  const sessions = new Sessions({ sessionLeaseMs: WAIT_MS });
  const joined = (...ids: readonly NodeId[]) => {
    const list = ids.map((id) => ({ id, role: "session" as const, address: "" }));
    sessions.joined({ epoch: 1n, serial: 1, list }, START_MS);
  };
  if (members !== undefined) joined(...members);
  const completeness = new Completeness({ slots, sessions }, { sessionLeaseMs: WAIT_MS });
  completeness.begun(slot);
  /** Whether the slot has begun (true) or ceased to serve since this was asked last, if either. */
  const changes = () => [...completeness.takeChanged()].map(({ isServing }) => isServing);
  return { slots, slot, sessions, joined, completeness, changes };
}

test("a slot is served when every session has been heard, and that is said once", () => {
  const { completeness, slot, changes } = scene([SESSION, OTHER]);
  completeness.heard(slot, SESSION, START_MS);
  assert.deepEqual([slot.isServing, completeness.isComplete, changes()], [false, false, []]);
  completeness.heard(slot, OTHER, START_MS);
  completeness.heard(slot, OTHER, START_MS);
  completeness.wake(START_MS);
  assert.deepEqual([slot.isServing, completeness.isComplete, changes()], [true, true, [true]]);
});

test("before the members are known no slot is served, however long it takes", () => {
  const { completeness, slot, joined } = scene(undefined);
  completeness.heard(slot, SESSION, START_MS);
  completeness.wake(START_MS + 10 * WAIT_MS);
  assert.equal(slot.isServing, false);
  joined(SESSION);
  completeness.sessionsChanged(START_MS);
  assert.equal(slot.isServing, true);
});

test("a session that is never heard is waited for so long, and then the slot is served all the same", () => {
  const { completeness, slot } = scene([SESSION]);
  completeness.wake(START_MS + WAIT_MS - 1);
  assert.equal(slot.isServing, false);
  completeness.wake(START_MS + WAIT_MS);
  assert.equal(slot.isServing, true);
});

test("a session is waited for from when the members are known, and not from when the lead began long before", () => {
  const { completeness, slot, joined } = scene(undefined);
  const knownMs = START_MS + 2 * WAIT_MS;
  completeness.sessionsChanged(START_MS);
  joined(SESSION);
  completeness.sessionsChanged(knownMs);
  completeness.sessionsChanged(knownMs + 5);
  assert.equal(slot.isServing, false);
  completeness.wake(knownMs + WAIT_MS - 1);
  assert.equal(slot.isServing, false);
  completeness.wake(knownMs + WAIT_MS);
  assert.equal(slot.isServing, true);
});

test("a slot ceases to be served while a session that came back still says what it has", () => {
  const { completeness, slot, changes } = scene([SESSION]);
  completeness.heard(slot, SESSION, START_MS);
  assert.deepEqual(changes(), [true]);
  completeness.waitFor(slot, OTHER, START_MS + 5);
  completeness.waitFor(slot, OTHER, START_MS + 9);
  assert.deepEqual([changes(), completeness.isComplete], [[false], false]);
  completeness.wake(START_MS + 5 + WAIT_MS - 1);
  assert.equal(slot.isServing, false);
  completeness.heard(slot, OTHER, START_MS + 10);
  assert.deepEqual(changes(), [true]);
});

test("a session that is awaited for too long, or is absent by now, is not waited for", () => {
  const late = scene([SESSION]);
  late.completeness.heard(late.slot, SESSION, START_MS);
  late.completeness.waitFor(late.slot, OTHER, START_MS);
  late.completeness.wake(START_MS + WAIT_MS);
  assert.deepEqual([late.slot.isServing, [...late.slot.awaited()]], [true, []]);
  const gone = scene([SESSION]);
  gone.sessions.linked(OTHER);
  gone.completeness.heard(gone.slot, SESSION, START_MS);
  gone.completeness.waitFor(gone.slot, OTHER, START_MS);
  gone.completeness.sessionsChanged(START_MS);
  assert.equal(gone.slot.isServing, false, "it has a link");
  gone.sessions.unlinked(OTHER, START_MS);
  gone.completeness.sessionsChanged(START_MS);
  assert.equal(gone.slot.isServing, true);
});

test("who has been heard has spoken, and is awaited no longer", () => {
  const { completeness, slot } = scene([SESSION, OTHER]);
  completeness.waitFor(slot, SESSION, START_MS);
  completeness.heard(slot, SESSION, START_MS);
  assert.deepEqual([slot.hasHeard(SESSION), [...slot.spoke], [...slot.awaited()]], [true, [SESSION], []]);
});

test("a slot that is led no more, or anew, is not waited for", () => {
  for (const owner of [others, leads]) {
    const { completeness, slots } = scene([SESSION]);
    slots.adopt(tableOf(2n, owner), START_MS);
    completeness.adopted();
    assert.equal(completeness.isComplete, true);
  }
  const { completeness, slots } = scene([SESSION]);
  slots.adopt(tableOf(2n, { ...leads, leaderEpoch: 1n }), START_MS);
  completeness.adopted();
  assert.equal(completeness.isComplete, false);
});
