// Facts for the checkers' tests: one service, data nodes d1 and d2, sessions s1 and s2, and a client c that publishes.

import { textOf } from "../../../base/text.ts";
import type { Members } from "../../../cluster/messages/membership.ts";
import { brandServiceKey, clientId, type NodeId, nodeId } from "../../../model/ids.ts";
import { packBoxes } from "../../../model/payload.ts";
import type { SlotTable } from "../../../model/slot.ts";
import { drawPlan } from "../../drawPlan.ts";
import type { Fact } from "../../facts.ts";
import type { Plan } from "../../plan.ts";
import { Dice } from "../../random.ts";
import type { Checker, Evidence } from "../checker.ts";
import { SeenCommits } from "../commits.ts";
import { Nodes } from "../nodes.ts";
import { Registrations } from "../registrations.ts";
import { SeenRules } from "../seenRules.ts";

export type At = readonly [atMs: number, fact: Fact];

export const S = brandServiceKey("s#@#I#@#G");
export const [D1, D2, S1, S2] = [nodeId("d1.1"), nodeId("d2.2"), nodeId("s1.3"), nodeId("s2.4")] as const;
export const PLAN: Plan = {
  ...drawPlan(new Dice(1)),
  topology: "cluster",
  nodes: ["d1", "d2", "s1", "s2"].map((machine) => ({ machine, roles: [roleOf(machine)] })),
};

/** The rule that a history breaks, by one checker's verdict. */
export function brokenBy(make: (evidence: Evidence) => Checker, history: readonly At[]): string | undefined {
  const evidence = {
    plan: PLAN,
    commits: new SeenCommits(),
    registrations: new Registrations(),
    nodes: new Nodes(PLAN),
    rules: new SeenRules(),
  };
  const checker = make(evidence);
  let rule: string | undefined;
  for (const [atMs, fact] of history) {
    const { commits, registrations, nodes, rules } = evidence;
    for (const part of [commits, registrations, nodes, rules]) part.see(fact, atMs);
    rule ??= checker.see(fact, atMs)?.rule;
  }
  return rule;
}

function roleOf(machine: string): "data" | "session" {
  return machine.startsWith("d") ? "data" : "session";
}

export function started(node: NodeId): Fact {
  const machine = node.split(".")[0] ?? "";
  return { kind: "started", node, machine, role: roleOf(machine) };
}

export function stopped(node: NodeId): Fact {
  return { kind: "stopped", node, role: roleOf(node) };
}

export const cut = (from: string, to: string, isCut: boolean): Fact => ({
  ...{ kind: "cut", id: 1, isCut },
  ways: [{ from, to }],
});

export function saved(leader: NodeId, epoch: bigint): Fact {
  return { kind: "saved", ...by, table: tableOf(leader, epoch), before: epoch === 1n ? undefined : tableOf(D1, 1n) };
}

const by = { by: nodeId("m1.9"), what: "slot table", askedMs: 0, leaseEpoch: 1n };

export function tableOf(leader: NodeId, epoch: bigint): SlotTable {
  const owner = { leader, leaderEpoch: epoch, followers: [] };
  return { epoch, slots: Array.from({ length: PLAN.meta.slotCount }, () => owner) };
}

/** A data node's report that it serves. */
export function serves(leader: NodeId, held: readonly number[] = []): Fact {
  const members: Members = { epoch: 1n, serial: 1, list: [] };
  const serving = tableOf(leader, 1n).slots.map((_, slot) => slot);
  const slots = { serving, held, inSync: [] };
  const message = { kind: "heartbeat", role: "data", address: "", tableEpoch: 1n, members, isLeaving: false } as const;
  return { kind: "heartbeat", from: leader, message: { ...message, slots } };
}

/** A session's report that it was told to stop. */
export function leaving(session: NodeId): Fact {
  const message = { kind: "heartbeat", role: "session", address: "", tableEpoch: 1n, isLeaving: true } as const;
  return { kind: "heartbeat", from: session, message: { ...message, members: { epoch: 1n, serial: 1 } } };
}

export function shows(from: NodeId, to: NodeId, version: bigint, ...tokens: string[]): Fact {
  const publications = tokens.map((token) => ({
    ...{ serviceKey: S, registId: token.split("~")[0] ?? "", version: 1n, registeredMs: 0 },
    owner: { session: S1, client: clientId("c") },
    ...{ zone: "Z1", appName: "", attributes: new Map(), payload: packBoxes([textOf(token)]) },
  }));
  const datum = { serviceKey: S, version, origin: 1n, publications };
  return { kind: "told", from, to, message: { kind: "snapshot", datum } };
}

export function scans(from: NodeId, to: NodeId, version: bigint): Fact {
  const message = { kind: "scan", versions: [[S, { version, origin: 1n }]] } as const;
  return { kind: "asked", from, to, message, isLost: false };
}

/** To the subscriber w. */
export function pushed(session: NodeId, version: bigint, isTaken: boolean, ...tokens: string[]): Fact {
  return {
    ...{ kind: "pushed", client: "w", service: S, registId: "w.1", version, session, isTaken },
    ...{ scope: "dataCenter", zone: "Z1", entries: tokens.map((token) => `Z1/${token}`) },
  };
}

export const subscribed: Fact = {
  ...{ kind: "subscribed", client: "w", service: S, registId: "w.1", scope: "dataCenter", zone: "Z1" },
};

export const accepted = (session: NodeId, connection = 1): Fact => ({
  ...{ kind: "accepted", client: "w", service: S, registId: "w.1", session, connection },
});

export const published = (version: bigint): Fact => ({
  ...{ kind: "published", client: "c", service: S, registId: "c.1", version, token: `c.1~${version}~c`, zone: "Z1" },
});

export const acknowledged = (version: bigint, session: NodeId, connection = 1): Fact => ({
  ...{ kind: "acknowledged", client: "c", service: S, registId: "c.1", version, session, connection },
});

export const connected = (client: string, session: NodeId, connection = 1): Fact => ({
  ...{ kind: "connected", client, session, connection, isMute: false },
});

export const lost = (client: string, session: NodeId, connection = 1): Fact => ({
  ...{ kind: "lost", client, side: "server", session, connection },
});

/** D1 leads all slots, and both sessions are linked to it. */
export const READY: readonly At[] = [
  [0, saved(D1, 1n)],
  ...[D1, D2, S1, S2].map((node) => [0, started(node)] as const),
  ...[S1, S2].flatMap((node): At[] => [
    [1, { kind: "linkMade", session: node, data: D1 }],
    [1, { kind: "learned", node, role: "session", message: tableMessage(D1) }],
  ]),
  [1, serves(D1)],
];

function tableMessage(leader: NodeId) {
  return { kind: "slotTable", table: tableOf(leader, 1n), versionFloor: 0n } as const;
}
