import assert from "node:assert/strict";
import { test } from "node:test";
import { brandServiceKey, type NodeId, type ServiceKey } from "../model/ids.ts";
import { EndedSessions } from "./endedSessions.ts";
import { OTHER, SESSION, START_MS } from "./testing/harness.ts";
import { given, leads, others, slotsAfter, tableOf } from "./testing/parts.ts";

/** A node whose slot has this many services, each of which loses this many registrations with a session. */
function scene(services: number, lost: number) {
  const slots = slotsAfter([leads]);
  const slot = slots.ledSlot(0);
  assert.ok(slot !== undefined);
  for (let at = 0; at < services; at++) slot.contents.add(brandServiceKey(`s${at}#@#I#@#G`), given(1n));
  const back = new Set<NodeId>();
  const ended: [NodeId, ServiceKey][] = [];
  const sessions = new EndedSessions({ slots, sessions: { isAbsent: (session) => !back.has(session) } });
  const work = () =>
    sessions.work(({ session }, { serviceKey }) => {
      ended.push([session, serviceKey]);
      return lost;
    });
  const add = (session: NodeId) => sessions.add({ slot, session, isOwner: true, offered: new Set() });
  return { slots, sessions, work, back, ended, add };
}

test("a step looks at four thousand services, or takes four hundred and forty-five that lose one registration", () => {
  for (const [lost, services] of [
    [0, 4_000],
    [1, 445],
  ] as const) {
    const { sessions, work, ended, add } = scene(services + 1, lost);
    add(SESSION);
    work();
    assert.deepEqual([ended.length, sessions.isDone], [services, false]);
    work();
    assert.deepEqual([ended.length, sessions.isDone], [services + 1, true]);
  }
});

test("one session after the other is worked off, in one step if they have room", () => {
  const { sessions, work, ended, add } = scene(3, 0);
  assert.ok(sessions.isDone);
  add(SESSION);
  add(OTHER);
  work();
  assert.deepEqual(
    ended.map(([session]) => session),
    [SESSION, SESSION, SESSION, OTHER, OTHER, OTHER],
  );
  assert.ok(sessions.isDone);
});

test("a session that is back before all is done keeps the rest", () => {
  const { sessions, work, ended, add, back } = scene(4_001, 0);
  add(SESSION);
  work();
  back.add(SESSION);
  work();
  assert.deepEqual([ended.length, sessions.isDone], [4_000, true]);
});

test("a slot that is led elsewhere, or anew, is left alone", () => {
  for (const owner of [others, leads]) {
    const { sessions, work, ended, add, slots } = scene(2, 0);
    add(SESSION);
    slots.adopt(tableOf(2n, owner), START_MS);
    work();
    assert.deepEqual([ended, sessions.isDone], [[], true]);
  }
});
