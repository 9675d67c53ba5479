import assert from "node:assert/strict";
import { test } from "node:test";
import { type NodeId, nodeId } from "../model/ids.ts";
import { Sessions } from "./sessions.ts";

const A = nodeId("session-1.a");
const B = nodeId("session-2.a");
const DATA = nodeId("data-1.a");
const LEASE_MS = 30_000;

/** The sessions after a list from meta. */
function sessionsOf(...members: readonly NodeId[]) {
  const sessions = new Sessions({ sessionLeaseMs: LEASE_MS });
  let serial = 0;
  const joined = (nowMs: number, ...ids: readonly NodeId[]) => {
    const list = [
      ...ids.map((id) => ({ id, role: "session" as const, address: "" })),
      { id: DATA, role: "data" as const, address: "" },
    ];
    sessions.joined({ epoch: 1n, serial: serial++, list }, nowMs);
  };
  joined(0, ...members);
  return { sessions, joined };
}

test("before meta has told who there is nobody is absent", () => {
  const sessions = new Sessions({ sessionLeaseMs: LEASE_MS });
  assert.equal(sessions.members, undefined);
  assert.equal(sessions.isAbsent(A), false);
  sessions.watch(A, 0);
  assert.equal(sessions.takeEnded(1_000_000), undefined);
});

test("the members of other roles are no sessions", () => {
  assert.deepEqual([...(sessionsOf(A).sessions.members ?? [])], [A]);
});

test("a session is absent when it is no member and has no link", () => {
  const { sessions, joined } = sessionsOf(A);
  assert.deepEqual([sessions.isAbsent(A), sessions.isAbsent(B)], [false, true]);
  sessions.linked(B);
  assert.equal(sessions.isAbsent(B), false);
  joined(0);
  assert.equal(sessions.isAbsent(A), true);
});

test("the lease of a session begins when it becomes absent, whichever came last", () => {
  const { sessions, joined } = sessionsOf(A);
  sessions.linked(A);
  joined(1_000);
  assert.equal(sessions.nextMs(), Number.POSITIVE_INFINITY);
  sessions.unlinked(A, 2_000);
  assert.equal(sessions.nextMs(), 2_000 + LEASE_MS);
  assert.equal(sessions.takeEnded(2_000 + LEASE_MS - 1), undefined);
  assert.equal(sessions.takeEnded(2_000 + LEASE_MS), A);
  assert.equal(sessions.takeEnded(2_000 + LEASE_MS), undefined);
});

test("the lease of an absent session does not begin anew, whatever is heard of others", () => {
  const { sessions, joined } = sessionsOf(A, B);
  joined(1_000, B);
  sessions.watch(A, 20_000);
  sessions.unlinked(A, 25_000);
  joined(26_000, B);
  assert.equal(sessions.nextMs(), 1_000 + LEASE_MS);
});

test("a session that is back, as a member or with a link, has no lease any more", () => {
  for (const comesBack of ["member", "link"]) {
    const { sessions, joined } = sessionsOf(A);
    joined(0);
    if (comesBack === "member") joined(1, A);
    else sessions.linked(A);
    assert.equal(sessions.takeEnded(1_000_000), undefined);
  }
});

test("after this process stood still every lease has its whole time again", () => {
  const { sessions, joined } = sessionsOf(A);
  joined(0);
  sessions.resumed(50_000);
  assert.equal(sessions.takeEnded(50_000 + LEASE_MS - 1), undefined);
  assert.equal(sessions.takeEnded(50_000 + LEASE_MS), A);
});

test("members, those with a link, and those whose lease is not over may answer for publications", () => {
  const { sessions, joined } = sessionsOf(A);
  sessions.linked(B);
  joined(0);
  assert.deepEqual([...sessions.known()].sort(), [A, B]);
  sessions.takeEnded(LEASE_MS);
  assert.deepEqual([...sessions.known()], [B]);
  joined(LEASE_MS, A);
  assert.deepEqual([...sessions.known()].sort(), [A, B]);
});

test("a session may be given another time than its lease", () => {
  const { sessions, joined } = sessionsOf(A);
  joined(0);
  sessions.takeEnded(LEASE_MS);
  sessions.watch(A, LEASE_MS, 5_000);
  assert.equal(sessions.nextMs(), LEASE_MS + 5_000);
});
