import assert from "node:assert/strict";
import { test } from "node:test";
import { nodeId } from "../../model/ids.ts";
import type { Fact } from "../facts.ts";
import { DeadClients } from "./deadClients.ts";
import {
  type At,
  acknowledged,
  brokenBy,
  connected,
  cut,
  D1,
  D2,
  leaving,
  lost,
  PLAN,
  published,
  READY,
  S,
  S1,
  S2,
  saved,
  scans,
  shows,
  stopped,
} from "./testing/history.ts";

const GHOST = "5 a cut is not a death";
const { sessionLeaseMs: LEASE_MS, clientReturnGraceMs: GRACE_MS } = PLAN.config;
// Removals and notices that were lost with their links are found within this.
const REPAIR_MS = 40_000;
const { lossProtectionPercent, lossProtectionMaxMs } = PLAN.config;
// The last publishers of a session that is gone may be held for so long.
const PROTECTION_MS = lossProtectionPercent < 100 ? lossProtectionMaxMs : 0;
const T = 100_000;

const killed: Fact = { kind: "died", client: "c", how: "killed" };
const members = (...sessions: (typeof S1)[]): Fact => {
  const list = sessions.map((id) => ({ id, role: "session" as const, address: "" }));
  const message = { kind: "members", members: { epoch: 1n, serial: 1, list } } as const;
  return { kind: "learned", node: D1, role: "data", message };
};

/** c dies at T, and S2 reports at `seenMs` that it shows it. */
function ghostSeen(seenMs: number, ...history: readonly At[]): string | undefined {
  const all: readonly At[] = [
    ...READY,
    [2, connected("c", S1)],
    [3, published(1n)],
    [4, acknowledged(1n, S1)],
    [5, members(S1, S2)],
    [10, shows(D1, S2, 10n, "c.1~1~c")],
    [T, killed],
    ...history,
    [seenMs, scans(S2, D1, 10n)],
  ];
  const inOrder = all.toSorted(([a], [b]) => a - b);
  return brokenBy((evidence) => new DeadClients(evidence), inOrder);
}

const leaves: At = [T + 10, lost("c", S1)];
// Somewhere else.
const elsewhere: At = [T + 10, { kind: "linkLost", session: S2, data: nodeId("d2.2") }];

test("in a cluster a session does not show a dead client for longer than its grace, and what repairs take", () => {
  assert.equal(ghostSeen(T + GRACE_MS + 500, leaves), undefined);
  const toldMs = T + GRACE_MS + 2_000;
  assert.equal(ghostSeen(toldMs + 1, leaves, [toldMs, shows(D1, S2, 10n, "c.1~1~c")]), GHOST, "all is calm");
  assert.equal(ghostSeen(T + GRACE_MS + 2_000, leaves, elsewhere), undefined);
  assert.equal(ghostSeen(T + GRACE_MS + REPAIR_MS, leaves, elsewhere), GHOST);
});

test("a client that was asked whether it is there right before its connection was lost has longer to return", () => {
  const seen = (ms: number, askedMs: number, session = S1): string | undefined => {
    const entry = { serviceKey: S, registId: "c.1", version: 1n, registeredMs: 0 };
    const asked: Fact = {
      kind: "told",
      from: D1,
      to: session,
      message: { kind: "challenged", registrations: [entry] },
    };
    const atMs = T + 10 + GRACE_MS + ms;
    return ghostSeen(atMs + 1, leaves, [askedMs, asked], [atMs, shows(D1, S2, 10n, "c.1~1~c")]);
  };
  assert.equal(seen(2_000, T - 1_000), undefined);
  assert.equal(seen(3_000, T - 1_000), GHOST);
  assert.equal(seen(2_000, T - 3_000), GHOST, "that was long before");
  assert.equal(seen(2_000, T + 11), GHOST, "it had gone already");
  assert.equal(seen(2_000, T - 1_000, S2), GHOST, "another session was to ask");
});

test("a session that was cut off from the leader has time for what it has missed, another one's cut gives none", () => {
  const lateMs = T + GRACE_MS + REPAIR_MS;
  const cutOff = (other: string): At[] => [
    [T + 5, cut("s2", other, true)],
    [lateMs - 100, cut("s2", other, false)],
  ];
  assert.equal(ghostSeen(lateMs, leaves, ...cutOff("d1")), undefined);
  assert.equal(ghostSeen(lateMs + LEASE_MS + 2 * REPAIR_MS + PROTECTION_MS, leaves, ...cutOff("d1")), GHOST);
  assert.equal(ghostSeen(lateMs, leaves, ...cutOff("d2")), GHOST);
  const heldMs = lateMs + LEASE_MS + PROTECTION_MS;
  assert.equal(ghostSeen(heldMs, leaves, ...cutOff("d1")), undefined, "the loss may be held then");
});

test("whoever dies with its session has that one's lease from when the leader knows of it", () => {
  const goneMs = T + 20_000;
  const dies: At[] = [
    [T + 10, stopped(S1)],
    [goneMs, members(S2)],
  ];
  assert.equal(ghostSeen(goneMs + LEASE_MS, ...dies), undefined);
  assert.equal(ghostSeen(goneMs + LEASE_MS + REPAIR_MS, ...dies), GHOST);
});

test("a leader that took over since a session died gives its clients the lease anew, though they die only then", () => {
  const diedMs = T - 2 * LEASE_MS;
  const history: readonly At[] = [
    [diedMs, stopped(S1)],
    [diedMs + 10, members(S2)],
  ];
  const seen = (ms: number, ...more: readonly At[]): string | undefined => {
    const leader = more.length === 0 ? D1 : D2;
    return ghostSeen(T + ms + 1, ...history, ...more, [T + ms, shows(leader, S2, 10n, "c.1~1~c")]);
  };
  const takesOver: readonly At[] = [[T - 10_000, saved(D2, 2n)]];
  assert.equal(seen(2_000), GHOST);
  assert.equal(seen(2_000, ...takesOver), undefined);
  assert.equal(seen(LEASE_MS + REPAIR_MS, ...takesOver), GHOST);
  assert.equal(seen(2_000, [diedMs - 10_000, saved(D2, 2n)]), GHOST, "it took over before that");
});

test("a client whose session was about to stop when it lost the client has that session's lease from its end", () => {
  const toldMs = T + GRACE_MS + 2_000;
  const told: At = [toldMs, shows(D1, S2, 10n, "c.1~1~c")];
  const seen = (...history: At[]): string | undefined => ghostSeen(toldMs + 1, leaves, told, ...history);
  assert.equal(seen([T + 9, leaving(S1)]), undefined);
  assert.equal(seen([T + 11, leaving(S1)]), GHOST, "it was told to stop after that");
  assert.equal(seen([T + 9, leaving(S2)]), GHOST, "another session was told to stop");
  const endMs = T + 20_000;
  const ends: At[] = [
    [T + 9, leaving(S1)],
    [endMs, stopped(S1)],
    [endMs, members(S2)],
  ];
  assert.equal(ghostSeen(endMs + LEASE_MS, leaves, ...ends), undefined);
  assert.equal(ghostSeen(endMs + LEASE_MS + REPAIR_MS, leaves, ...ends), GHOST);
});

test("a client that has gone on from a session that is about to stop has the grace at the next one", () => {
  const toldMs = T + GRACE_MS + 2_000;
  const seen = (...back: At[]): string | undefined =>
    ghostSeen(
      toldMs + 1,
      [T - 9_000, leaving(S1)],
      [T - 8_000, lost("c", S1)],
      [T - 7_500, connected("c", S2, 2)],
      ...back,
      [T + 10, lost("c", S2, 2)],
      [toldMs, shows(D1, S2, 10n, "c.1~1~c")],
    );
  assert.equal(seen(), undefined, "it has not registered there");
  assert.equal(seen([T - 7_000, acknowledged(1n, S2, 2)]), GHOST);
});

test("while nobody leads the service nobody is told; the next leader has its time when it begins", () => {
  const nextMs = T + 200_000;
  const seen = (atMs: number, diedMs: number): string | undefined =>
    ghostSeen(
      nextMs + 2 * REPAIR_MS + LEASE_MS + 100_000,
      leaves,
      [diedMs, stopped(D1)],
      [nextMs, saved(D2, 2n)],
      [atMs, scans(S2, D2, 10n)],
    );
  assert.equal(seen(nextMs + 5_000, T + 5), undefined);
  assert.equal(seen(nextMs + 2 * REPAIR_MS + LEASE_MS, T + 5), GHOST);
  assert.equal(seen(nextMs + 5_000, nextMs - 10), GHOST, "its leader lived for long enough");
});
