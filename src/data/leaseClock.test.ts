import assert from "node:assert/strict";
import { test } from "node:test";
import type { NodeId } from "../model/ids.ts";
import { LeaseClock } from "./leaseClock.ts";
import { OTHER, SESSION } from "./testing/harness.ts";

function scene() {
  const linked = new Set<NodeId>();
  const sessions = {
    members: undefined as ReadonlySet<NodeId> | undefined,
    isLinked: (session: NodeId) => linked.has(session),
  };
  const clock = new LeaseClock(sessions, { sessionLeaseMs: 30_000 });
  return { linked, sessions, clock };
}

test("it runs from a second after all members are linked, and stands still while one is not", () => {
  const { linked, sessions, clock } = scene();
  clock.wake(0);
  assert.deepEqual([clock.read(5_000), clock.atMs(1)], [0, Number.POSITIVE_INFINITY], "the members are not known");
  sessions.members = new Set([SESSION, OTHER]);
  linked.add(SESSION);
  clock.sessionsChanged(5_000);
  linked.add(OTHER);
  clock.sessionsChanged(6_000);
  assert.deepEqual([clock.read(6_500), clock.read(7_000), clock.read(9_000)], [0, 0, 2_000]);
  assert.equal(clock.atMs(2_500), 9_500);
  linked.delete(OTHER);
  clock.sessionsChanged(10_000);
  assert.deepEqual([clock.read(20_000), clock.nextMs()], [3_000, 40_000]);
  sessions.members = new Set([SESSION]);
  clock.sessionsChanged(20_000);
  assert.deepEqual([clock.read(21_000), clock.read(22_000), clock.nextMs()], [3_000, 4_000, Number.POSITIVE_INFINITY]);
});

test("sessions that can't be heard are waited for as long as a lease, each from its own loss", () => {
  const { sessions, clock } = scene();
  sessions.members = new Set([SESSION]);
  clock.sessionsChanged(0);
  sessions.members = new Set([SESSION, OTHER]);
  clock.sessionsChanged(10_000);
  assert.equal(clock.nextMs(), 30_000);
  clock.wake(30_000);
  assert.deepEqual([clock.nextMs(), clock.read(35_000)], [40_000, 0], "the first one is not looked at again");
  clock.wake(40_000);
  assert.deepEqual([clock.read(41_000), clock.read(43_000)], [0, 2_000]);
});

test("a pause of the process does not count, nor the second after it", () => {
  const { sessions, clock } = scene();
  sessions.members = new Set();
  clock.sessionsChanged(0);
  clock.resumed(60_000, 65_000);
  assert.deepEqual([clock.read(65_000), clock.read(66_000), clock.read(67_000)], [4_000, 4_000, 5_000]);
});
