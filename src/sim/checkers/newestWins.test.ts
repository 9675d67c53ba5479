import assert from "node:assert/strict";
import { test } from "node:test";
import { textOf } from "../../base/text.ts";
import { brandServiceKey, clientId, type NodeId, nodeId } from "../../model/ids.ts";
import { packBoxes } from "../../model/payload.ts";
import type { SlotTable } from "../../model/slot.ts";
import { drawPlan } from "../drawPlan.ts";
import type { Fact } from "../facts.ts";
import { Dice } from "../random.ts";
import { SeenCommits } from "./commits.ts";
import { NewestWins } from "./newestWins.ts";
import { Nodes } from "./nodes.ts";
import { Registrations } from "./registrations.ts";
import { SeenRules } from "./seenRules.ts";

const S = brandServiceKey("s#@#I#@#G");
const PLAN = { ...drawPlan(new Dice(1)), topology: "cluster" } as const;
const [OLD, NEXT, TAKER, READER] = ["d1.1", "d2.2", "s1.3", "s2.4"].map(nodeId) as [NodeId, NodeId, NodeId, NodeId];

const table = (epoch: bigint, leader: NodeId): SlotTable => {
  const slots = Array.from({ length: PLAN.meta.slotCount }, () => ({ leader, leaderEpoch: epoch, followers: [] }));
  return { epoch, slots };
};
const TABLES = [table(1n, OLD), table(2n, NEXT)] as const;
const MESSAGE = { kind: "slotTable", table: TABLES[0], versionFloor: 0n } as const;
const saved = (next: SlotTable, before?: SlotTable): Fact => {
  return { kind: "saved", by: nodeId("m1.9"), what: "slot table", askedMs: 0, leaseEpoch: 1n, table: next, before };
};
const told = (from: NodeId, origin: bigint, version: bigint, word: bigint | readonly [bigint, string]): Fact => {
  const [registered, client] = typeof word === "bigint" ? [word, "p"] : word;
  const publication = {
    ...{ serviceKey: S, registId: "p.1", version: registered, registeredMs: Number(registered), zone: "Z1" },
    ...{ owner: { session: TAKER, client: clientId("p") }, appName: "", attributes: new Map<string, string>() },
    payload: packBoxes([textOf(`p.1~${registered}~${client}`)]),
  };
  const datum = { serviceKey: S, version, origin, publications: [publication] };
  return { kind: "told", from, to: READER, message: { kind: "snapshot", datum } };
};
const pushed = (version: bigint, registered: bigint, session = READER, client = "p"): Fact => ({
  ...{ kind: "pushed", client: "w", service: S, registId: "w.1", version, session, scope: "dataCenter" },
  ...{ zone: "Z1", isTaken: true, entries: [`Z1/p.1~${registered}~${client}`] },
});
const acknowledged = (version: bigint): Fact => {
  return { kind: "acknowledged", client: "p", service: S, registId: "p.1", version, session: TAKER, connection: 1 };
};
const published: Fact = {
  ...{ kind: "published", client: "p", service: S, registId: "p.1", version: 1n, token: "p.1~1~p", zone: "Z1" },
};

/** The rule that is broken when a reader sees the next leader's list, after the old one's at `saidMs`. */
function broken({ saidMs, takerEndsMs }: { saidMs: number; takerEndsMs: number | undefined }): string | undefined {
  const history: (readonly [number, Fact])[] = [
    [0, { kind: "started", node: TAKER, role: "session", machine: "s1" }],
    [0, { kind: "linkMade", session: TAKER, data: OLD }],
    [0, { kind: "learned", node: TAKER, role: "session", message: MESSAGE }],
    [0, saved(TABLES[0])],
    [1, published],
    [10_000, saved(TABLES[1], TABLES[0])],
    [saidMs, acknowledged(2n)],
    [saidMs + 1, told(OLD, 1n, 200n, 2n)],
    [saidMs + 2, pushed(200n, 2n)],
    [60_000, told(NEXT, 2n, 300n, 1n)],
    [70_001, pushed(300n, 1n)],
  ];
  if (takerEndsMs !== undefined) history.push([takerEndsMs, { kind: "stopped", node: TAKER, role: "session" }]);
  return judged(history);
}

/** The rule that is broken when a reader goes to `session`, and sees further lists of the previous leader. */
function brokenBehind(session: NodeId, outside: readonly (readonly [number, boolean])[]): string | undefined {
  return judged([
    [0, { kind: "started", node: OLD, role: "data", machine: "d1" }],
    [0, { kind: "started", node: NEXT, role: "data", machine: "d2" }],
    [0, saved(TABLES[0])],
    ...outside.map(([atMs, isOutside]) => [atMs, { kind: "outside", machine: "d1", isOutside }] as const),
    [10_000, saved(TABLES[1], TABLES[0])],
    [20_000, told(NEXT, 2n, 200n, 2n)],
    [20_001, pushed(200n, 2n)],
    [40_000, told(OLD, 1n, 300n, 1n)],
    [40_001, pushed(300n, 1n, session)],
  ]);
}

function judged(history: (readonly [number, Fact])[]): string | undefined {
  const evidence = {
    plan: PLAN,
    commits: new SeenCommits(),
    registrations: new Registrations(),
    nodes: new Nodes(PLAN),
    rules: new SeenRules(),
  };
  const checker = new NewestWins(evidence);
  for (const [atMs, fact] of history.sort(([a], [b]) => a - b)) {
    for (const part of [evidence.commits, evidence.registrations, evidence.nodes]) part.see(fact, atMs);
    const finding = checker.see(fact, atMs);
    if (finding !== undefined) return finding.rule;
  }
  return undefined;
}

test("what a leader said after it was replaced, of a session that is dead, need not be known to the next one", () => {
  assert.equal(broken({ saidMs: 20_000, takerEndsMs: 30_000 }), undefined);
});

test("a leader that was not replaced yet, and a session that lives, are no excuse for an older registration", () => {
  assert.equal(broken({ saidMs: 5_000, takerEndsMs: 30_000 }), "1 newest wins");
  assert.equal(broken({ saidMs: 20_000, takerEndsMs: 80_000 }), "1 newest wins");
  assert.equal(broken({ saidMs: 20_000, takerEndsMs: 65_000 }), "1 newest wins", "it lived when the list was made");
});

test("who goes over to a leader that meta could not tell of the next one may see what that one knows", () => {
  assert.equal(brokenBehind(TAKER, [[5_000, true]]), undefined);
});

test("who stays at a session, or goes to a leader that could have heard of the next, is shown nothing older", () => {
  assert.equal(brokenBehind(READER, [[5_000, true]]), "1 newest wins");
  assert.equal(brokenBehind(TAKER, []), "1 newest wins");
  const over = [
    [5_000, true],
    [25_000, false],
  ] as const;
  assert.equal(brokenBehind(TAKER, over), "1 newest wins", "it was well again for long");
});

test("a leader that meta could not tell of the next one may go back to what that one has, when it follows it", () => {
  const seen = (saidMs: number, origin: bigint, outside: readonly (readonly [number, boolean])[]) =>
    judged([
      [0, { kind: "started", node: OLD, role: "data", machine: "d1" }],
      [0, { kind: "started", node: NEXT, role: "data", machine: "d2" }],
      [0, saved(TABLES[0])],
      ...outside.map(([atMs, isOutside]) => [atMs, { kind: "outside", machine: "d1", isOutside }] as const),
      [10_000, saved(TABLES[1], TABLES[0])],
      [saidMs, told(OLD, 1n, 200n, 2n)],
      [60_000, told(OLD, origin, 300n, 1n)],
    ]);
  const cutOff = [
    [8_000, true],
    [50_000, false],
  ] as const;
  assert.equal(seen(20_000, 2n, cutOff), undefined);
  assert.equal(seen(20_000, 2n, []), "1 newest wins", "it could have heard of the next one");
  assert.equal(seen(20_000, 1n, cutOff), "1 newest wins", "it goes back by itself");
  assert.equal(seen(9_000, 2n, cutOff), "1 newest wins", "it still led then");
});

test("each client has versions of its own: after a stranger's the owner's come, and nothing older of either", () => {
  const begun = [
    [0, saved(TABLES[0])],
    [1, published],
  ] as const;
  const after = (...history: (readonly [number, Fact])[]) => judged([...begun, ...history]);
  const stranger = [
    [10_000, told(OLD, 1n, 200n, [9n, "x"])],
    [10_001, pushed(200n, 9n, READER, "x")],
  ] as const;
  const owner = [
    [20_000, told(OLD, 1n, 300n, 2n)],
    [20_001, pushed(300n, 2n)],
  ] as const;
  assert.equal(after(...stranger, ...owner), undefined);
  assert.equal(after(...stranger, ...owner, [50_000, told(OLD, 1n, 400n, 1n)]), "1 newest wins");
  assert.equal(after(...stranger, ...owner, [50_000, pushed(400n, 1n)]), "1 newest wins");
  assert.equal(after(...stranger, ...owner, [50_000, told(OLD, 1n, 400n, [8n, "x"])]), "1 newest wins");
});

test("what may come back after a loss may stay, until it goes again", () => {
  const begun = [
    [0, saved(TABLES[0])],
    [1, published],
    [2_000, told(OLD, 1n, 150n, 2n)],
    [10_000, saved(TABLES[1], TABLES[0])],
    [11_000, told(OLD, 1n, 200n, 1n)],
    [60_000, told(OLD, 1n, 300n, 1n)],
  ] as const;
  assert.equal(judged([...begun]), undefined);
  assert.equal(
    judged([...begun, [70_000, told(OLD, 1n, 400n, 2n)], [71_000, told(OLD, 1n, 500n, 1n)]]),
    "1 newest wins",
  );
});

/** The rule that is broken when the first version returns after TAKER stood still for `pausedMs`. */
function brokenAfterPause(pausedMs: number, { laterMs = 1_000, isLeft = true } = {}): string | undefined {
  const endMs = 10_000 + pausedMs;
  const [left]: (readonly [number, Fact])[] = [
    [20_000, { kind: "lost", client: "p", session: TAKER, side: "client", connection: 1 }],
  ];
  return judged([
    [0, { kind: "started", node: TAKER, role: "session", machine: "s1" }],
    [0, saved(TABLES[0])],
    [1, { kind: "connected", client: "p", session: TAKER, connection: 1, isMute: false }],
    [1, published],
    [10_000, { kind: "paused", machine: "s1", isPaused: true }],
    ...(isLeft && left !== undefined ? [left] : []),
    [30_000, told(OLD, 1n, 200n, 2n)],
    [30_001, pushed(200n, 2n)],
    [endMs, { kind: "paused", machine: "s1", isPaused: false }],
    [endMs + laterMs, pushed(300n, 1n)],
  ]);
}

test("a session that stood still for longer than removals are kept may report what a left connection had said", () => {
  const { tombstoneMs } = PLAN.config;
  assert.equal(brokenAfterPause(tombstoneMs + 1), undefined);
  assert.equal(brokenAfterPause(tombstoneMs), "1 newest wins", "the removal is remembered");
  assert.equal(brokenAfterPause(tombstoneMs + 1, { laterMs: 25_000 }), "1 newest wins", "it has counted it out");
  assert.equal(brokenAfterPause(tombstoneMs + 1, { isLeft: false }), "1 newest wins", "the client is still there");
});
