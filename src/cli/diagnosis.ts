// The judgement of `roster doctor`: what is well, what is not, and what to do, from the answers of a few operations.
// It knows nothing that these do not say.

import type { Json } from "../admin/schema.ts";

export type Level = "ok" | "warning" | "error";

export interface Finding {
  readonly level: Level;
  /** The part of the cluster. */
  readonly about:
    | "nodes"
    | "meta"
    | "store"
    | "slots"
    | "held lists"
    | "rules"
    | "releases"
    | "clocks"
    | "sessions"
    | "protection";
  readonly finding: string;
  /** The remedy; empty if nothing is to be done. */
  readonly advice: string;
}

/** An answer, or the reason why there is none. */
export type Asked<T> = { readonly answer: T } | { readonly reason: string };

export interface NodeHealth {
  readonly node: string;
  readonly version: string;
  /** Missing in the answer of an earlier release. */
  readonly now?: string;
  readonly isStopping: boolean;
  readonly roles: readonly { readonly role: string; readonly isReady: boolean; readonly reason: string | null }[];
  readonly isLeading: boolean | null;
  readonly isStoreReachable: boolean | null;
  /** Missing in the answer of an earlier release. */
  readonly open?: readonly string[];
}

interface Unreachable {
  readonly node: string;
  readonly reason: string;
}

export interface Facts {
  readonly health: Asked<{ readonly items: readonly NodeHealth[]; readonly unreachable: readonly Unreachable[] }>;
  readonly nodes: Asked<{ readonly items: readonly NodeRow[]; readonly leader: string | null }>;
  readonly slots: Asked<{ readonly items: readonly SlotRow[]; readonly paused?: SlotPause | null }>;
  readonly held: Asked<{
    readonly items: readonly { readonly service: string }[];
    readonly unreachable: readonly Json[];
  }>;
  /** Those that have an effect now. */
  readonly rules: Asked<{ readonly items: readonly RuleRow[]; readonly behind: readonly string[] }>;
  /** The clock of this machine before health was asked, and after. */
  readonly askedMs: number;
  readonly answeredMs: number;
}

/** A pause of the arrangement of slots; missing in the answer of an earlier release. */
interface SlotPause {
  readonly since: string;
  readonly by: string;
  readonly reason: string;
}

export interface NodeRow {
  readonly id: string | null;
  readonly role: string | null;
  readonly state: string;
  readonly address: string | null;
}

export interface SlotRow {
  readonly id: number;
  readonly leader: string;
  readonly followers: readonly string[];
  readonly inSync: readonly string[];
  readonly state: string;
}

export interface RuleRow {
  readonly id: string;
  readonly effect: string;
  readonly concerns: string;
  readonly setBy: string;
  readonly until: string | null;
}

/** All findings, part by part. */
export function diagnose(facts: Facts): readonly Finding[] {
  return [
    ...nodeFindings(facts),
    ...metaFindings(facts),
    ...storeFindings(facts),
    ...slotFindings(facts),
    ...heldFindings(facts),
    ...ruleFindings(facts),
    ...releaseFindings(facts),
    ...clockFindings(facts),
    ...protectionFindings(facts),
  ];
}

/** The worst of them. */
export function worstOf(findings: readonly Finding[]): Level {
  if (findings.some(({ level }) => level === "error")) return "error";
  return findings.some(({ level }) => level === "warning") ? "warning" : "ok";
}

/** Names, of many only the first. */
function named(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(", ");
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown;
}

function nodeFindings({ health, nodes }: Facts): Finding[] {
  if ("reason" in health) {
    const advice = "look at the log of the asked node, or name another one with --url";
    return [{ level: "error", about: "nodes", finding: `their health is not known: ${health.reason}`, advice }];
  }
  const { items, unreachable } = health.answer;
  const bad = items.flatMap(({ node, roles, isStopping }) => {
    if (isStopping) return [stopping(node)];
    return roles.filter(({ isReady }) => !isReady).map(({ role, reason }) => notReady(node, role, reason));
  });
  const away = unreachable.map(
    ({ node, reason }): Finding => ({
      level: "error",
      about: "nodes",
      finding: `${node} does not answer: ${reason}`,
      advice: "start its process again if it has ended; else look at its log, and at the network between the nodes",
    }),
  );
  const blocked = "answer" in nodes ? nodes.answer.items.filter(({ state }) => state === "blocked") : [];
  const findings = [...away, ...bad, ...[...new Set(blocked.map(({ id }) => id ?? ""))].map(blockedNode)];
  if (away.length + bad.length > 0) return findings;
  const finding = `all ${items.length} answer, and all their roles work`;
  return [{ level: "ok", about: "nodes", finding, advice: "" }, ...findings];
}

function stopping(node: string): Finding {
  const finding = `${node} hands over its work, to stop`;
  return { level: "warning", about: "nodes", finding, advice: "start it again when it has ended and is needed" };
}

function notReady(node: string, role: string, reason: string | null): Finding {
  const finding = `the role ${role} of ${node} does not work: ${reason ?? "it gives no reason"}`;
  return {
    level: "error",
    about: "nodes",
    finding,
    advice: "most reasons pass within a minute of a start; then its log",
  };
}

function blockedNode(id: string): Finding {
  const finding = `${id} is blocked by an operator: it takes no part`;
  return { level: "warning", about: "nodes", finding, advice: `to unblock it: roster unblock ${id.split(".")[0]}` };
}

function metaFindings({ nodes }: Facts): Finding[] {
  if ("reason" in nodes) {
    const advice =
      "a node with the role meta must run; while there is none the cluster continues with the last slot table";
    return [{ level: "error", about: "meta", finding: `no meta node answers: ${nodes.reason}`, advice }];
  }
  const { items, leader } = nodes.answer;
  const away = items.filter(({ role, state }) => role === "meta" && state === "unreachable");
  const unreachable = away.map(
    ({ address }): Finding => ({
      level: "warning",
      about: "meta",
      finding: `the meta node at ${address} can't be reached by the others`,
      advice: "start it, or take its address out of meta-addresses; with another loss there may be none to lead",
    }),
  );
  if (leader !== null) return [{ level: "ok", about: "meta", finding: `${leader} leads`, advice: "" }, ...unreachable];
  const finding = "no meta node leads: lists are still pushed, but no slot moves and no value can be set";
  return [
    { level: "error", about: "meta", finding, advice: "look at the store, and at the logs of the meta nodes" },
    ...unreachable,
  ];
}

function storeFindings({ health }: Facts): Finding[] {
  if ("reason" in health) return [];
  const metas = health.answer.items.filter(({ isStoreReachable }) => isStoreReachable !== null);
  const cut = metas.filter(({ isStoreReachable }) => isStoreReachable === false).map(({ node }) => node);
  if (cut.length > 0) {
    const finding = `the store does not answer ${named(cut)}`;
    return [{ level: "error", about: "store", finding, advice: "look at the database of store-url, and its disk" }];
  }
  if (metas.length === 0) return [];
  return [{ level: "ok", about: "store", finding: "it answers each meta node", advice: "" }];
}

const SLOT_ADVICE: Readonly<Record<string, string>> = {
  gathering: "the leader waits for the reports of all sessions; look for a session that does not answer",
  held: "after a restart lists wait up to restart-hold-ms for their publishers",
  silent: "the leader sends no heartbeats; look at its log, and at the network to the meta nodes",
};

function slotFindings({ slots }: Facts): Finding[] {
  if ("reason" in slots) {
    return [{ level: "error", about: "slots", finding: `they are not known: ${slots.reason}`, advice: "see meta" }];
  }
  const { items, paused = null } = slots.answer;
  if (items.length === 0) {
    const advice = "start data nodes, at least data-nodes-min of them";
    return [{ level: "error", about: "slots", finding: "there is no slot table: no data node has joined yet", advice }];
  }
  const states = [...new Set(items.map(({ state }) => state))].filter((state) => state !== "serving");
  const bad = states.map((state): Finding => {
    const these = items.filter((slot) => slot.state === state);
    const leaders = named([...new Set(these.map(({ leader }) => leader))]);
    const finding = `${these.length} of ${items.length} are ${state}, led by ${leaders}`;
    return { level: state === "held" ? "warning" : "error", about: "slots", finding, advice: SLOT_ADVICE[state] ?? "" };
  });
  const serving: Finding = { level: "ok", about: "slots", finding: `all ${items.length} are served`, advice: "" };
  return [
    ...(bad.length === 0 ? [serving] : bad),
    ...(paused === null ? [] : [pauseFinding(paused)]),
    ...copyFindings(items),
  ];
}

function pauseFinding({ since, by, reason }: SlotPause): Finding {
  const why = reason === "" ? "" : `: ${reason}`;
  const finding = `their arrangement is paused since ${since} by ${by}${why}: none is moved or copied`;
  return { level: "warning", about: "slots", finding, advice: "to resume it: roster slots resume" };
}

function copyFindings(slots: readonly SlotRow[]): Finding[] {
  const behind = slots.filter(({ followers, inSync }) => inSync.length < followers.length);
  const alone = slots.filter(({ followers }) => followers.length === 0);
  const isWholeRegistry = new Set(slots.map(({ leader }) => leader)).size === 1 && alone.length === slots.length;
  if (isWholeRegistry) {
    const finding = "one data node has everything: while it is away, nothing is published or found anew";
    return [{ level: "warning", about: "slots", finding, advice: "for more than a trial, start a second data node" }];
  }
  const findings: Finding[] = [];
  if (alone.length > 0) {
    const finding = `${alone.length} have no follower`;
    findings.push({
      level: "warning",
      about: "slots",
      finding,
      advice: "start another data node, or see slot-replicas",
    });
  }
  if (behind.length > 0) {
    const finding = `${behind.length} have a follower whose copy is not whole yet`;
    const advice = "it passes by itself within seconds; until then do not stop the leaders of these slots";
    findings.push({ level: "warning", about: "slots", finding, advice });
  }
  if (findings.length > 0) return findings;
  return [{ level: "ok", about: "slots", finding: "each has a whole copy on another data node", advice: "" }];
}

function heldFindings({ held }: Facts): Finding[] {
  if ("reason" in held) {
    const finding = `whether lists are held is not known: ${held.reason}`;
    return [{ level: "error", about: "held lists", finding, advice: "see slots" }];
  }
  const { items } = held.answer;
  if (items.length === 0) return [{ level: "ok", about: "held lists", finding: "no list is held", advice: "" }];
  const services = named(items.map(({ service }) => service));
  const finding = `${items.length} are kept as they were, since too many publishers went at once: ${services}`;
  const advice = "if these publishers are dead: roster release SERVICE; `roster get held` has the reasons and ends";
  return [{ level: "warning", about: "held lists", finding, advice }];
}

function ruleFindings({ rules }: Facts): Finding[] {
  if ("reason" in rules) {
    const finding = `they are not known: ${rules.reason}`;
    return [
      { level: "warning", about: "rules", finding, advice: "see meta; nodes continue with those that they have" },
    ];
  }
  const { items, behind } = rules.answer;
  const findings = [
    ...ruleFinding(items, "hidePublications", "keep publications out of all lists"),
    ...ruleFinding(items, "holdPushes", "hold pushes"),
  ];
  if (behind.length > 0) {
    const finding = `${named(behind)} did not confirm the newest rules yet`;
    const advice = "it takes a second; a node of an earlier release applies none: upgrade it";
    findings.push({ level: "warning", about: "rules", finding, advice });
  }
  const none: Finding = { level: "ok", about: "rules", finding: "none hides publications or holds pushes", advice: "" };
  return [...(findings.length > 0 ? findings : [none]), ...settingFinding(items)];
}

/** Changed settings are no fault, but one that was changed in a hurry may be forgotten. */
function settingFinding(inForce: readonly RuleRow[]): Finding[] {
  const these = inForce.filter(({ effect }) => effect === "changeSettings");
  if (these.length === 0) return [];
  const finding = `${these.length} change settings: ${named(these.map(({ concerns }) => concerns))}`;
  const advice = "roster get settings --changed says who wants it and why; to undo one: roster setting unset NAME";
  return [{ level: "ok", about: "rules", finding, advice }];
}

function ruleFinding(inForce: readonly RuleRow[], effect: string, does: string): Finding[] {
  const these = inForce.filter((rule) => rule.effect === effect);
  if (these.length === 0) return [];
  const shown = these.map(({ id, concerns, setBy, until }) => {
    return `${id} (${concerns}), set by ${setBy}${until === null ? "" : `, until ${until}`}`;
  });
  const finding = `${these.length} ${does}: ${named(shown)}`;
  const advice = "roster get rules has the reasons; to end one: roster rule remove ID, or roster online ADDRESS";
  return [{ level: "warning", about: "rules", finding, advice }];
}

function releaseFindings({ health }: Facts): Finding[] {
  if ("reason" in health) return [];
  const byVersion = new Map<string, string[]>();
  for (const { node, version } of health.answer.items) {
    byVersion.set(version, [...(byVersion.get(version) ?? []), node]);
  }
  const [only] = byVersion.keys();
  if (byVersion.size <= 1) {
    return [{ level: "ok", about: "releases", finding: `all nodes run ${only ?? "no release"}`, advice: "" }];
  }
  const parts = [...byVersion].map(([version, nodes]) => `${version} on ${named(nodes)}`);
  const advice = "if no upgrade is under way, finish it: two releases are meant to run together for hours only";
  return [{ level: "warning", about: "releases", finding: `nodes differ: ${parts.join("; ")}`, advice }];
}

// Stamps of registrations come from these clocks. Networks and a busy machine make up to some 100 ms of difference.
const CLOCK_MS_MAX = 1_000;

function clockFindings({ health, askedMs, answeredMs }: Facts): Finding[] {
  if ("reason" in health) return [];
  // A clock counts as right if it shows any time between the question and the answer.
  const off = health.answer.items.flatMap(({ node, now }) => {
    const ms = now === undefined ? Number.NaN : Date.parse(now);
    const differenceMs = Math.max(askedMs - ms, ms - answeredMs, 0);
    return differenceMs > CLOCK_MS_MAX ? [{ node, differenceMs: ms < askedMs ? -differenceMs : differenceMs }] : [];
  });
  if (off.length === 0) {
    return [{ level: "ok", about: "clocks", finding: "all nodes agree with this machine within a second", advice: "" }];
  }
  const shown = off.map(({ node, differenceMs }) => {
    const way = differenceMs > 0 ? "ahead of" : "behind";
    return `${node} is ${(Math.abs(differenceMs) / 1_000).toFixed(1)} s ${way} this machine`;
  });
  const advice = "set the clocks by NTP and restart the nodes, which read them at the start: the later stamp wins";
  return [{ level: "warning", about: "clocks", finding: named(shown), advice }];
}

function protectionFindings({ health }: Facts): Finding[] {
  if ("reason" in health) return [];
  const nodesByDoor = new Map<string, string[]>();
  for (const { node, open = [] } of health.answer.items) {
    for (const door of new Set(open)) nodesByDoor.set(door, [...(nodesByDoor.get(door) ?? []), node]);
  }
  if (nodesByDoor.size === 0) {
    const finding = "all nodes listen on loopback only, or need TLS and a proof";
    return [{ level: "ok", about: "protection", finding, advice: "" }];
  }
  return [...nodesByDoor].map(([door, nodes]): Finding => {
    const advice = "close it as docs/guide/secure.md says, or see to it that the network is trusted";
    return { level: "warning", about: "protection", finding: `${door}, at ${named(nodes)}`, advice };
  });
}
