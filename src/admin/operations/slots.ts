// Operations on slots, and on the lists that are held in them.

import { fail } from "../../base/errors.ts";
import type { Heartbeat, Member } from "../../cluster/messages/membership.ts";
import type { NodeId } from "../../model/ids.ts";
import { type SlotOwner, slotOf } from "../../model/slot.ts";
import { isoTime } from "../isoTime.ts";
import type { HeldService, OperatedData, OperatedNode, SlotPauseRow } from "../operatedNode.ts";
import { operation } from "../operation.ts";
import { setterOf } from "../ruleRows.ts";
import { integer, type Json, list, long, object, oneOf, orNull, text, time } from "../schema.ts";
import { DONE, LEADER_FIELDS, metaOf } from "./nodes.ts";

const STATES = ["serving", "held", "gathering", "silent"] as const;

const PAUSE = object({
  since: time("When the pause began."),
  by: text("The operator who set it."),
  reason: text("Why; empty if no reason was given."),
});

function pauseShown(pause: SlotPauseRow | undefined): Json {
  return pause === undefined ? null : { since: isoTime(pause.sinceMs), by: pause.setBy, reason: pause.reason };
}

export const listSlots = operation({
  name: "slots.list",
  method: "GET",
  path: "/slots",
  about: "Lists which data node leads and follows each slot, and the state of each slot.",
  parameters: {
    service: { type: "service", about: "Only the slot of this service." },
    state: { type: "choice", oneOf: STATES, about: "Only slots in this state." },
  },
  command: {
    words: ["get slots", "slots"],
    columns: ["id", "leader", "leaderEpoch", "followers", "state"],
  },
  isChange: false,
  permission: "read",
  canBePreviewed: false,
  answeredBy: { kind: "meta" },
  answer: object({
    items: list(
      object({
        id: integer("The slot's number."),
        leader: text("The data node that answers for it."),
        leaderEpoch: long("Grows with every change of leader."),
        followers: list(text("A data node."), "The data nodes that copy it."),
        inSync: list(text("A data node."), "The followers whose copy is whole."),
        state: oneOf(
          STATES,
          "serving; held: it serves, and a list is held since a restart; gathering: the leader has not heard all " +
            "sessions yet; silent: the leader has not reported it.",
        ),
      }),
      "The slots, by number.",
    ),
    epoch: long("The slot table's epoch: grows with every change."),
    paused: orNull(PAUSE),
    ...LEADER_FIELDS,
  }),
  run(node, { service, state }) {
    const meta = metaOf(node);
    const table = meta.slotTable();
    const slots = table?.slots ?? [];
    const reports = new Map([...meta.members()].map(([member, heartbeat]) => reportOf(member, heartbeat)));
    const only = service === undefined || slots.length === 0 ? undefined : slotOf(service, slots.length);
    const items = slots
      .map((owner, id) => slotRow({ id, owner, reports }))
      .filter((row) => (only === undefined || row.id === only) && (state === undefined || row.state === state));
    const paused = pauseShown(meta.slotPause());
    return { items, epoch: String(table?.epoch ?? 0n), paused, leader: meta.leader() ?? null };
  },
});

interface Report {
  readonly serving: ReadonlySet<number>;
  readonly held: ReadonlySet<number>;
  readonly inSync: ReadonlySet<number>;
}

function reportOf({ id, role }: Member, { slots }: Heartbeat): [NodeId, Report | undefined] {
  // A node that is session and data has two heartbeats; this name is that of no node.
  const key = role === "data" ? id : (`${id} ${role}` as NodeId);
  if (slots === undefined) return [key, undefined];
  return [key, { serving: new Set(slots.serving), held: new Set(slots.held), inSync: new Set(slots.inSync) }];
}

function slotRow({ id, owner, reports }: SlotSource) {
  const { leader, leaderEpoch, followers } = owner;
  const report = reports.get(leader);
  const inSync = followers.filter((follower) => reports.get(follower)?.inSync.has(id) === true);
  const state = report === undefined ? "silent" : stateOf(id, report);
  return { id, leader, leaderEpoch: String(leaderEpoch), followers, inSync, state };
}

interface SlotSource {
  readonly id: number;
  readonly owner: SlotOwner;
  readonly reports: ReadonlyMap<NodeId, Report | undefined>;
}

function stateOf(slot: number, { serving, held }: Report): (typeof STATES)[number] {
  if (held.has(slot)) return "held";
  return serving.has(slot) ? "serving" : "gathering";
}

const HELD = object({
  service: text("The key of the service."),
  reason: text("Why its list is held."),
  heldSince: time("When the hold began."),
  releasedAt: time("When the list is shown as it is, at the latest."),
  lost: integer("The number of publishers that would go."),
  publishers: integer("The number of publishers before."),
  node: text("The data node that holds it."),
});

/** The role data of a node. Throws ROLE_NEEDED. */
function dataOf({ data }: OperatedNode): OperatedData {
  if (data === undefined) throw fail("ROLE_NEEDED", { role: "data" });
  return data;
}

export const listHeld = operation({
  name: "held.list",
  method: "GET",
  path: "/held",
  about: "Lists the services whose lists are held because too many publishers would go at once, and why.",
  parameters: { service: { type: "service", about: "Only this service." } },
  command: {
    words: ["get held", "held"],
    columns: ["service", "lost", "publishers", "heldSince", "releasedAt", "node", "reason"],
  },
  isChange: false,
  permission: "read",
  canBePreviewed: false,
  answeredBy: { kind: "each", role: "data" },
  answer: object({
    items: list(HELD, "The held services, node by node."),
    unreachable: list(
      object({ node: text("The node."), reason: text("Why it did not answer.") }),
      "Nodes that did not answer: what they hold is missing.",
    ),
  }),
  run(node, { service }) {
    const held = dataOf(node).heldLosses();
    const wanted = held.filter(({ serviceKey }) => service === undefined || serviceKey === service);
    return { items: wanted.map((each) => heldRow(each, node)) };
  },
  gather({ parts, unreachable }) {
    const items = parts.flatMap(({ body }) => (body as { readonly items: readonly Json[] }).items);
    return { items, unreachable };
  },
});

function heldRow({ serviceKey, sinceMs, untilMs, lost, publishers }: HeldService, { id, nowMs }: OperatedNode): Json {
  return {
    service: serviceKey,
    reason: `${lost} of ${publishers} publishers would be lost at once with their session nodes`,
    heldSince: isoTime(sinceMs),
    releasedAt: isoTime(Math.max(untilMs, nowMs())),
    lost,
    publishers,
    node: id,
  };
}

export const releaseHeld = operation({
  name: "held.release",
  method: "POST",
  path: "/held/release",
  about: "Shows a held list as it is now: subscribers see the publishers go.",
  parameters: { service: { type: "service", isRequired: true, about: "The service whose list is held." } },
  command: { words: ["release"] },
  isChange: true,
  permission: "operate",
  canBePreviewed: true,
  answeredBy: { kind: "slotLeader", parameter: "service" },
  answer: DONE,
  run(node, { service }, isPreview) {
    const data = dataOf(node);
    const held = data.heldLosses().find(({ serviceKey }) => serviceKey === service);
    if (held === undefined) {
      const expected = "a service whose list is held; `roster get held` lists them";
      throw fail("FIELD_INVALID", { field: "service", value: service, expected });
    }
    const loss = `${held.lost} of ${held.publishers} publishers`;
    if (isPreview) return { isDone: false, message: `${loss} of ${service} would go` };
    data.releaseHeld(service);
    return { isDone: true, message: `${service} is shown as it is: ${loss} went` };
  },
});

const OPERATOR_CHARS_MAX = 100;
const REASON_CHARS_MAX = 500;

export const pauseSlots = operation({
  name: "slots.pause",
  method: "POST",
  path: "/slots/pause",
  about:
    "Pauses the arrangement of slots: none is moved or copied until it is resumed, except those of nodes that are " +
    "gone or leave.",
  parameters: {
    by: {
      type: "text",
      charsMax: OPERATOR_CHARS_MAX,
      default: "",
      about: "Who pauses it, for other operators; without it, whoever asks.",
    },
    reason: { type: "text", charsMax: REASON_CHARS_MAX, default: "", about: "Why, for other operators." },
  },
  command: { words: ["slots pause"], positional: [] },
  isChange: true,
  permission: "operate",
  canBePreviewed: true,
  answeredBy: { kind: "leader" },
  answer: DONE,
  async run(node, { by, reason }, isPreview) {
    const meta = metaOf(node);
    const before = meta.slotPause();
    const since = before === undefined ? "" : `; ${pauseInWords(before)}`;
    if (isPreview) return { isDone: false, message: `the arrangement of slots would be paused${since}` };
    await meta.pauseSlots({ setBy: setterOf(by, node.caller), reason });
    return { isDone: true, message: `the arrangement of slots is paused${since}; to resume it: roster slots resume` };
  },
});

export const resumeSlots = operation({
  name: "slots.resume",
  method: "POST",
  path: "/slots/resume",
  about: "Ends the pause of the arrangement of slots.",
  parameters: {},
  command: { words: ["slots resume"] },
  isChange: true,
  permission: "operate",
  canBePreviewed: true,
  answeredBy: { kind: "leader" },
  answer: DONE,
  async run(node, _, isPreview) {
    const meta = metaOf(node);
    const before = meta.slotPause();
    if (before === undefined) return { isDone: !isPreview, message: "the arrangement of slots is not paused" };
    if (isPreview) return { isDone: false, message: `slots would be arranged again; ${pauseInWords(before)}` };
    await meta.pauseSlots(undefined);
    return { isDone: true, message: `slots are arranged again; ${pauseInWords(before)}` };
  },
});

function pauseInWords({ setBy, reason, sinceMs }: SlotPauseRow): string {
  const why = reason === "" ? "" : ` (${reason})`;
  return `it was paused at ${isoTime(sinceMs)} by ${setBy}${why}`;
}

export const rebalanceSlots = operation({
  name: "slots.rebalance",
  method: "POST",
  path: "/slots/rebalance",
  about: "Arranges slots now, also while that is paused: once, with as many moves as may be under way at a time.",
  parameters: {},
  command: { words: ["slots rebalance"] },
  isChange: true,
  permission: "operate",
  canBePreviewed: false,
  answeredBy: { kind: "leader" },
  answer: DONE,
  async run(node) {
    const meta = metaOf(node);
    const before = meta.slotTable()?.epoch ?? 0n;
    await meta.arrangeSlots();
    const epoch = meta.slotTable()?.epoch ?? 0n;
    if (epoch === before) return { isDone: true, message: `nothing is to change: slot table ${epoch} is right` };
    return { isDone: true, message: `slots are arranged: slot table ${epoch} is in force, after ${before}` };
  },
});
