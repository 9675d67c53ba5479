// Operations that say how the cluster is: the health of all nodes, and what there is to know about one service.

import type { ServiceKey } from "../../model/ids.ts";
import type { NodeRole, OperatedNode } from "../operatedNode.ts";
import { operation } from "../operation.ts";
import { shownNames } from "../ruleRows.ts";
import { flag, integer, type Json, list, maybeText, object, oneOf, orNull, text, time } from "../schema.ts";

const ROLE_HEALTH = object({
  role: oneOf(["meta", "data", "session"], "The role."),
  isReady: flag("It works."),
  reason: maybeText("Why it does not work; null if it works."),
});

export const getHealth = operation({
  name: "health.get",
  method: "GET",
  path: "/health",
  about: "Shows the health of each node, with the reason why a role of it does not work.",
  parameters: {},
  command: { columns: ["node", "version", "roles", "clients", "slotsLed", "isLeading", "isStopping"] },
  isChange: false,
  permission: "read",
  canBePreviewed: false,
  answeredBy: { kind: "each", role: "any" },
  answer: object({
    isHealthy: flag("Each known node answers, and each of its roles works."),
    items: list(
      object({
        node: text("The node's id."),
        version: text("Its release."),
        startedAt: time("When its process started."),
        now: time("Its clock when it answered."),
        isStopping: flag("It hands over its work, to stop."),
        roles: list(ROLE_HEALTH, "Its roles."),
        clients: orNull(integer("With the role session: connected clients.")),
        slotsLed: orNull(integer("With the role data: the number of slots that it leads.")),
        isLeading: orNull(flag("With the role meta: it leads.")),
        open: list(text("A way in."), "What is open to the network at it; nothing for a node on loopback only."),
        isStoreReachable: orNull(flag("With the role meta: its store answers.")),
        slotsPausedSince: orNull(
          time("At the leading meta node: since when operators pause the arrangement of slots."),
        ),
      }),
      "The nodes that answer.",
    ),
    unreachable: list(
      object({ node: text("The node."), reason: text("Why it did not answer.") }),
      "Nodes that did not answer.",
    ),
  }),
  run(node) {
    const { session, data, meta } = node;
    return {
      node: node.id,
      version: node.version,
      startedAt: new Date(node.startedMs).toISOString(),
      now: new Date(node.nowMs()).toISOString(),
      isStopping: node.isStopping(),
      roles: [...node.notReady()].map(roleHealth),
      clients: session?.clients() ?? null,
      slotsLed: data?.slotsLed() ?? null,
      isLeading: meta?.isLeading() ?? null,
      open: node.open(),
      isStoreReachable: meta?.isStoreReachable() ?? null,
      slotsPausedSince: pausedSince(meta),
    };
  },
  gather({ parts, unreachable }) {
    const items = parts.map(({ body }) => body as unknown as NodeHealth);
    const isHealthy = unreachable.length === 0 && items.every(({ roles }) => roles.every(({ isReady }) => isReady));
    return { isHealthy, items: items as unknown as Json[], unreachable };
  },
});

function pausedSince(meta: OperatedNode["meta"]): Json {
  const pause = meta?.slotPause();
  return pause === undefined ? null : new Date(pause.sinceMs).toISOString();
}

interface NodeHealth {
  readonly roles: readonly { readonly isReady: boolean }[];
}

function roleHealth([role, reason]: readonly [NodeRole, string | undefined]): Json {
  return { role, isReady: reason === undefined, reason: reason ?? null };
}

interface Finding {
  readonly level: "ok" | "warning" | "error";
  readonly finding: string;
  readonly advice: string;
}

export const explainService = operation({
  name: "services.explain",
  method: "GET",
  path: "/explain",
  about:
    "Explains what subscribers of a service get, and why: its slot, its data node, whether its list is held, and " +
    "what operators' rules hide and hold.",
  parameters: { service: { type: "service", isRequired: true, about: "The service." } },
  command: { words: ["explain"], columns: ["level", "finding", "advice"] },
  isChange: false,
  permission: "read",
  canBePreviewed: false,
  answeredBy: { kind: "askedNode" },
  answer: object({
    service: text("The key of the service."),
    findings: list(
      object({
        level: oneOf(["ok", "warning", "error"], "How bad it is."),
        finding: text("What was found."),
        advice: text("What to do; empty if nothing."),
      }),
      "What was found, from the slot to the list.",
    ),
  }),
  async run(node, { service }) {
    const findings = [
      await slotFinding(node, service),
      await heldFinding(node, service),
      await hiddenFinding(node, service),
      await pushFinding(node, service),
      await listFinding(node, service),
    ];
    return { service, findings: findings.map((finding): Json => ({ ...finding })) };
  },
});

interface SlotRows {
  readonly items: readonly { id: number; leader: string; state: string; followers: string[]; inSync: string[] }[];
}

async function slotFinding(node: OperatedNode, service: ServiceKey): Promise<Finding> {
  const { status, body } = await node.ask("slots.list", { service });
  const slot = status === 200 ? (body as unknown as SlotRows).items[0] : undefined;
  if (slot === undefined) {
    const finding = `the slot table can't be read: ${messageOf(body)}`;
    return { level: "error", finding, advice: "look at `roster doctor`: a meta node must lead" };
  }
  const copies = `${slot.inSync.length} of ${slot.followers.length} followers have a whole copy`;
  const finding = `slot ${slot.id} is led by ${slot.leader} and is ${slot.state}; ${copies}`;
  switch (slot.state) {
    case "serving":
      return { level: "ok", finding, advice: "" };
    case "held":
      return { level: "warning", finding, advice: "after a restart lists wait up to restart-hold-ms for publishers" };
    case "gathering":
      return {
        level: "warning",
        finding,
        advice: "the leader waits for the reports of all sessions; look for one that is unreachable",
      };
    default:
      return { level: "error", finding, advice: "the leader sends no heartbeats; look at its log" };
  }
}

async function heldFinding(node: OperatedNode, service: ServiceKey): Promise<Finding> {
  const { status, body } = await node.ask("held.list", { service });
  if (status !== 200) return { level: "error", finding: messageOf(body), advice: "look at `roster doctor`" };
  const { items, unreachable } = body as unknown as { items: { reason: string }[]; unreachable: { node: string }[] };
  const [held] = items;
  if (held !== undefined) {
    const advice = `if they are dead: roster release '${service}'`;
    return { level: "warning", finding: `the list is held: ${held.reason}`, advice };
  }
  if (unreachable.length > 0) {
    const finding = `whether the list is held is not known: ${unreachable.map(({ node: away }) => away).join(", ")}`;
    return { level: "warning", finding, advice: "these data nodes do not answer; look at their logs" };
  }
  return { level: "ok", finding: "the list is not held", advice: "" };
}

// More can't be counted rule by rule in one answer, and do not matter for the explanation.
const COUNTED_MAX = 1_000;

async function hiddenFinding(node: OperatedNode, service: ServiceKey): Promise<Finding> {
  const { status, body } = await node.ask("hidden.describe", { service, limit: COUNTED_MAX });
  if (status !== 200) {
    const finding = `whether publishers are hidden is not known: ${messageOf(body)}`;
    return { level: "warning", finding, advice: "look at `roster doctor`" };
  }
  const { items, total } = body as unknown as { items: { hiddenBy: readonly string[] }[]; total: number };
  if (total === 0) return { level: "ok", finding: "no publisher is hidden", advice: "" };
  const counts = new Map<string, number>();
  for (const rule of items.flatMap(({ hiddenBy }) => hiddenBy)) counts.set(rule, (counts.get(rule) ?? 0) + 1);
  const by = [...counts].map(([rule, count]) => `${count} by ${rule === BLOCKED ? `their own ${BLOCKED}` : rule}`);
  const finding = `${total} publishers are hidden, and in no list: ${shownNames(by)}`;
  const [rule] = [...counts.keys()].filter((each) => each !== BLOCKED);
  const advice =
    rule === undefined ? "their programs do not want to be called" : `who and why: roster describe rule ${rule}`;
  return { level: "warning", finding, advice };
}

const BLOCKED = "!Blocked";

interface HoldRow {
  readonly id: string;
  readonly concerns: string;
  readonly setBy: string;
}

async function pushFinding(node: OperatedNode, service: ServiceKey): Promise<Finding> {
  const inForce = { effect: "holdPushes", inForce: true };
  const { status, body } = await node.ask("rules.list", { ...inForce, service, limit: COUNTED_MAX });
  if (status !== 200) {
    const finding = `whether rules hold pushes is not known: ${messageOf(body)}`;
    return { level: "warning", finding, advice: "look at `roster doctor`: a meta node must lead" };
  }
  const holds = (body as unknown as { items: readonly HoldRow[] }).items;
  const [first] = holds;
  if (first === undefined) return { level: "ok", finding: "no rule holds pushes", advice: "" };
  const by = holds.map(({ id, concerns, setBy }) => `${id} (${concerns}), set by ${setBy}`);
  const finding = `pushes are held by ${shownNames(by)}`;
  return { level: "warning", finding, advice: `why: roster describe rule ${first.id}; roster switch show` };
}

async function listFinding(node: OperatedNode, service: ServiceKey): Promise<Finding> {
  const { status, body } = await node.ask("services.describe", { service, limit: 1 });
  if (status === 200) {
    const { total, hidden, version } = body as unknown as { total: number; hidden: number | null; version: string };
    const finding = `the list has ${total - (hidden ?? 0)} publishers, at version ${version}`;
    return { level: "ok", finding, advice: "" };
  }
  if (status === 404) {
    const advice = "look for its name in `roster get services`; publishers and subscribers need the same group";
    return { level: "warning", finding: "no client publishes it", advice };
  }
  return { level: "error", finding: `the list can't be read: ${messageOf(body)}`, advice: "look at `roster doctor`" };
}

function messageOf(body: Json): string {
  const { error } = body as unknown as { error?: { message: string } };
  return error?.message ?? "no answer";
}
