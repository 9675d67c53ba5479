import assert from "node:assert/strict";
import { test } from "node:test";
import { textOf } from "../../base/text.ts";
import { brandDataInfoId, clientId, type NodeId, nodeId } from "../../model/ids.ts";
import { packPayload } from "../../model/payload.ts";
import { drawPlan } from "../drawPlan.ts";
import type { Fact } from "../facts.ts";
import type { Plan } from "../plan.ts";
import { Dice } from "../random.ts";
import { Commits } from "./commits.ts";
import { Convergence } from "./convergence.ts";
import { Nodes } from "./nodes.ts";
import { Registrations } from "./registrations.ts";

const S = brandDataInfoId("s#@#I#@#G");
const [D1, D2, S1, S2] = [nodeId("d1.1"), nodeId("d2.2"), nodeId("s1.3"), nodeId("s2.4")];
const PLAN: Plan = {
  ...drawPlan(new Dice(1)),
  topology: "cluster",
  nodes: ["d1", "d2", "s1", "s2"].map((machine) => ({
    machine,
    roles: [machine.startsWith("d") ? "data" : "session"],
  })),
};

type At = readonly [atMs: number, fact: Fact];

const started = (node: NodeId, machine: string): Fact => ({
  ...{ kind: "started", node, machine },
  role: machine.startsWith("d") ? "data" : "session",
});
const shows = (from: NodeId, to: NodeId, version: bigint, ...tokens: string[]): Fact => {
  const publications = tokens.map((token) => ({
    ...{ dataInfoId: S, registId: token.split("~")[0] ?? "", version: 1n, registeredMs: 0 },
    owner: { session: S1, client: clientId("c") },
    ...{ zone: "Z1", appName: "", attributes: new Map(), payload: packPayload([textOf(token)]) },
  }));
  const datum = { dataInfoId: S, version, origin: 1n, publications };
  return { kind: "told", from, to, message: { kind: "snapshot", datum } };
};
const scans = (from: NodeId, to: NodeId, version: bigint): Fact => {
  const message = { kind: "scan", versions: [[S, { version, origin: 1n }]] } as const;
  return { kind: "asked", from, to, message, isLost: false };
};
const pushed = (session: NodeId, version: bigint, isTaken: boolean, ...tokens: string[]): Fact => ({
  ...{ kind: "pushed", client: "w", service: S, registId: "w.1", version, session, isTaken },
  ...{ scope: "dataCenter", zone: "Z1", entries: tokens.map((token) => `Z1/${token}`) },
});
const cut = (isCut: boolean): Fact => ({ kind: "cut", id: 1, ways: [{ from: "d1", to: "d2" }], isCut });
const dies = (node: NodeId, role: "data" | "session"): Fact => ({ kind: "stopped", node, role });

/** What is said of a world in which w watches, and c publishes at the end what it does at the beginning. */
function judged(...history: readonly At[]): string | undefined {
  const evidence = { plan: PLAN, commits: new Commits(), registrations: new Registrations(), nodes: new Nodes(PLAN) };
  const convergence = new Convergence(evidence);
  const facts: readonly At[] = [
    [0, started(D1, "d1")],
    [0, started(D2, "d2")],
    [0, started(S1, "s1")],
    [0, started(S2, "s2")],
    [1, { kind: "subscribed", client: "w", service: S, registId: "w.1", scope: "dataCenter", zone: "Z1" }],
    [1, { kind: "published", client: "c", service: S, registId: "c.1", version: 1n, token: "c.1~1~c", zone: "Z1" }],
    [2, shows(D1, S1, 10n, "c.1~1~c")],
    [3, pushed(S1, 10n, true, "c.1~1~c")],
    ...history,
    [100_000, { kind: "over", live: [] }],
  ];
  let rule: string | undefined;
  for (const [atMs, fact] of facts) {
    for (const part of [evidence.commits, evidence.registrations, evidence.nodes]) part.see(fact, atMs);
    rule ??= convergence.see(fact)?.rule;
  }
  return rule;
}

/** D1 is cut off from D2 and shows a list without c, which is at S2 by then; w comes to S2, which has the old list. */
const shownByOneCutOff: readonly At[] = [
  [1_000, cut(true)],
  [2_000, shows(D1, S1, 20n)],
  [2_001, pushed(S1, 20n, true)],
];
const comesOver = (...tokens: string[]): At[] => [
  [50_000, shows(D2, S2, 10n, ...tokens)],
  [50_001, pushed(S2, 10n, false, ...tokens)],
  [60_000, scans(S2, D2, 10n)],
];

test("a version that only a dead leader and a subscriber know is forgiven, if the session shows what is true", () => {
  const died: At[] = [
    [10_000, dies(D1, "data")],
    [20_000, cut(false)],
  ];
  assert.equal(judged(...shownByOneCutOff, ...died, ...comesOver("c.1~1~c")), undefined);
  const other: At[] = [
    [3, shows(D2, S2, 11n)],
    [60_001, scans(S2, D2, 11n)],
  ];
  assert.equal(judged(...shownByOneCutOff, ...died, ...comesOver("c.1~1~c"), ...other), "7 convergence");
});

test("a leader that lived when its cut was over, or was not cut off, could tell what it had given", () => {
  const lives: At[] = [
    [10_000, cut(false)],
    [30_000, dies(D1, "data")],
  ];
  assert.equal(judged(...shownByOneCutOff, ...lives, ...comesOver("c.1~1~c")), "7 convergence");
  const wasHeard = shownByOneCutOff.slice(1);
  assert.equal(judged(...wasHeard, [10_000, dies(D1, "data")], ...comesOver("c.1~1~c")), "7 convergence");
});

test("what a replaced leader told a session that died with it is nothing that anybody was shown", () => {
  const takenBack: Fact = { kind: "unpublished", client: "c", service: S, registId: "c.1", version: 2n };
  const gone: At[] = [
    [1_000, takenBack],
    [1_001, shows(D2, S2, 11n)],
    [1_002, pushed(S2, 11n, true)],
    [2_000, shows(D1, S1, 30n, "c.1~1~c")],
    [2_001, dies(S1, "session")],
  ];
  assert.equal(judged(...gone), undefined);
  assert.equal(judged(...gone, [3_000, pushed(S2, 30n, true, "c.1~1~c")]), "G11 order of one client");
});
