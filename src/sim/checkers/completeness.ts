// Rule 6 for a new leader: before it answers for a slot, or reports that it serves it, it has heard the slot's
// registrations from every session that it knows to be a member, or has waited for the session's lease, and no longer
// than that. A session that is back after its lease, with a missing registration, makes the leader cease to answer
// until it was heard again.

import type { Heartbeat, Members } from "../../cluster/messages/membership.ts";
import { compareMembers } from "../../cluster/messages/membership.ts";
import {
  type DataToSession,
  type PublishItem,
  type SessionToData,
  serviceKeyOf,
} from "../../cluster/messages/sessionData.ts";
import type { NodeId, ServiceKey } from "../../model/ids.ts";
import { type SlotTable, slotOf } from "../../model/slot.ts";
import type { Fact } from "../facts.ts";
import type { Checker, Evidence, Finding } from "./checker.ts";

/** A slot under one leader. */
interface Led {
  readonly leaderEpoch: bigint;
  /** The time since which it has not been serving. */
  sinceMs: number;
  readonly heard: Set<NodeId>;
  /** Sessions that are back with registrations and must be heard first. */
  readonly awaited: Set<NodeId>;
  /** Registrations that were requested of a session and have not come yet. */
  readonly wanted: Map<NodeId, Set<string>>;
  isServing: boolean;
}

interface Suspicion {
  readonly leader: NodeId;
  readonly led: Led;
  readonly missing: NodeId;
  readonly finding: Finding;
  readonly atMs: number;
}

interface Leader {
  members: Members | undefined;
  table: SlotTable | undefined;
  readonly led: Map<number, Led>;
  readonly links: Set<NodeId>;
  /** The time since which sessions have been neither members nor linked. */
  readonly absentMs: Map<NodeId, number>;
  /** The time at which it last stood still. */
  pausedMs: number;
}

// A heartbeat follows at once when a slot is served, and the step that serves it may be the next heartbeat's.
const NOTICE_MS = 2_500;

export class CompletenessChecker implements Checker {
  readonly #evidence: Evidence;
  readonly #leaders = new Map<NodeId, Leader>();
  readonly #slots = new Map<ServiceKey, number>();
  // The batch that is under way from each session to each data node.
  readonly #batches = new Map<string, readonly PublishItem[]>();
  // A leader that seems to answer too early. It may tell the last session in the same step that it was heard.
  #suspicion: Suspicion | undefined;

  constructor(evidence: Evidence) {
    this.#evidence = evidence;
  }

  see(fact: Fact, nowMs: number): Finding | undefined {
    // A process that ends in the middle of a step does not report other sessions that it had heard.
    if (fact.kind === "stopped" && fact.node === this.#suspicion?.leader && nowMs === this.#suspicion.atMs) {
      this.#suspicion = undefined;
    }
    const suspicion = this.#suspicion;
    if (suspicion !== undefined && nowMs > suspicion.atMs) {
      this.#suspicion = undefined;
      if (!suspicion.led.heard.has(suspicion.missing)) return suspicion.finding;
    }
    return this.#look(fact, nowMs);
  }

  #look(fact: Fact, nowMs: number): Finding | undefined {
    switch (fact.kind) {
      case "learned":
        if (fact.role === "data") this.#learned(this.#leader(fact.node), fact, nowMs);
        return undefined;
      case "sessionLink":
        this.#linked(fact, nowMs);
        return undefined;
      case "paused":
        for (const run of this.#evidence.nodes.living("data")) {
          if (run.machine === fact.machine) this.#leader(run.id).pausedMs = nowMs;
        }
        return undefined;
      case "asked":
        if (!fact.isLost) this.#asked(fact.from, fact.to, fact.message);
        return undefined;
      case "told":
        return this.#told(fact, nowMs);
      case "heartbeat":
        return this.#reported(fact, nowMs);
      default:
        return undefined;
    }
  }

  #learned(leader: Leader, { node, message }: Fact & { kind: "learned" }, nowMs: number): void {
    if (message.kind === "members") {
      const isLater = leader.members === undefined || compareMembers(message.members, leader.members) > 0;
      if (isLater) {
        // No session was waited for before the first list.
        if (leader.members === undefined) for (const led of leader.led.values()) led.sinceMs = nowMs;
        leader.members = message.members;
        this.#present(leader, nowMs);
      }
    }
    if (message.kind !== "slotTable") return;
    const { table } = message;
    if (leader.table !== undefined && leader.table.epoch >= table.epoch) return;
    leader.table = table;
    for (const [slot, owner] of table.slots.entries()) {
      const known = leader.led.get(slot);
      if (owner.leader !== node) leader.led.delete(slot);
      else if (known?.leaderEpoch !== owner.leaderEpoch) {
        const sets = { heard: new Set<NodeId>(), awaited: new Set<NodeId>() };
        const fresh = { ...sets, wanted: new Map<NodeId, Set<string>>(), isServing: false };
        leader.led.set(slot, { leaderEpoch: owner.leaderEpoch, sinceMs: nowMs, ...fresh });
      }
    }
  }

  #linked({ data, session, isUp }: Fact & { kind: "sessionLink" }, nowMs: number): void {
    const leader = this.#leader(data);
    if (isUp) leader.links.add(session);
    else leader.links.delete(session);
    this.#present(leader, nowMs);
  }

  /**
   * Notes the sessions that have gone and those that are back. A session's reports from before the end of its lease no
   * longer count; where the end of the lease is not certain, the leader may decide either way.
   */
  #present({ members, links, absentMs, led: slots, pausedMs }: Leader, nowMs: number): void {
    const { config, clocks } = this.#evidence.plan;
    const present = new Set(links);
    for (const { id, role } of members?.list ?? []) if (role === "session") present.add(id);
    for (const led of slots.values()) {
      for (const session of [...led.heard, ...led.awaited]) {
        if (!present.has(session) && !absentMs.has(session)) absentMs.set(session, nowMs);
        if (!present.has(session)) led.awaited.delete(session);
      }
    }
    for (const [session, sinceMs] of absentMs) {
      if (!present.has(session)) continue;
      absentMs.delete(session);
      const isForgotten = nowMs - sinceMs > config.sessionLeaseMs * (1 + 2 * clocks.drift) + NOTICE_MS;
      if (isForgotten && pausedMs < sinceMs) for (const led of slots.values()) led.heard.delete(session);
    }
  }

  #asked(from: NodeId, to: NodeId, message: SessionToData): void {
    if (message.kind === "publish") this.#batches.set(`${from} ${to}`, message.items);
  }

  #told({ from, to, message }: Fact & { kind: "told" }, nowMs: number): Finding | undefined {
    const leader = this.#leader(from);
    switch (message.kind) {
      case "synced":
        for (const slot of message.slots) heard(leader.led.get(slot), to);
        return undefined;
      case "differs":
        for (const slot of message.slots) this.#awaits(leader.led.get(slot), to, nowMs);
        return undefined;
      case "wanted":
        this.#wanted(leader, to, message);
        return undefined;
      case "taken":
        this.#taken(leader, to, this.#batches.get(`${to} ${from}`) ?? []);
        return undefined;
      case "snapshot":
        return this.#shown(from, message.datum.serviceKey, nowMs);
      case "delta":
        return this.#shown(from, message.delta.serviceKey, nowMs);
      case "changed":
      case "current":
        return this.#shown(from, message.serviceKey, nowMs);
      default:
        return undefined;
    }
  }

  #wanted(leader: Leader, session: NodeId, { slot, keys }: DataToSession & { kind: "wanted" }): void {
    const led = leader.led.get(slot);
    if (led === undefined) return;
    if (keys.length === 0) heard(led, session);
    else led.wanted.set(session, new Set(keys.map(([serviceKey, registId]) => `${serviceKey} ${registId}`)));
  }

  #taken(leader: Leader, session: NodeId, items: readonly PublishItem[]): void {
    for (const item of items) {
      const led = leader.led.get(this.#slotOf(serviceKeyOf(item)));
      const wanted = led?.wanted.get(session);
      if (led === undefined || wanted === undefined) continue;
      const { registId } = item.kind === "put" ? item.publication : item.removal;
      wanted.delete(`${serviceKeyOf(item)} ${registId}`);
      if (wanted.size === 0) heard(led, session);
    }
  }

  /**
   * It has a registration that the leader lacks, and had not been heard before: the slot is not served until it has
   * been.
   */
  #awaits(led: Led | undefined, session: NodeId, nowMs: number): void {
    if (led === undefined || led.heard.has(session)) return;
    led.awaited.add(session);
    if (!led.isServing) return;
    led.isServing = false;
    led.sinceMs = nowMs;
  }

  #shown(from: NodeId, service: ServiceKey, nowMs: number): Finding | undefined {
    return this.#serves(from, this.#slotOf(service), { service, nowMs });
  }

  #reported({ from, message }: Fact & { kind: "heartbeat" }, nowMs: number): Finding | undefined {
    for (const slot of message.slots?.serving ?? []) {
      const finding = this.#serves(from, slot, { service: undefined, nowMs });
      if (finding !== undefined) return finding;
    }
    return message.slots === undefined ? undefined : this.#idle(from, message, nowMs);
  }

  /** A slot that is not served although all possible sessions have had their time. */
  #idle(from: NodeId, { slots, tableEpoch }: Heartbeat, nowMs: number): Finding | undefined {
    const { members, table, led: all } = this.#leader(from);
    if (members === undefined || table?.epoch !== tableEpoch) return undefined;
    const { config, clocks } = this.#evidence.plan;
    const serving = new Set(slots?.serving);
    for (const [slot, led] of all) {
      if (serving.has(slot)) continue;
      if (led.isServing) {
        led.isServing = false;
        led.sinceMs = nowMs;
      }
      if (nowMs <= led.sinceMs + config.sessionLeaseMs * (1 + 2 * clocks.drift) + NOTICE_MS) continue;
      const text = `${from} does not serve slot ${slot} at ${nowMs}, which it has not since ${led.sinceMs}`;
      return { rule: "6 no empty by accident", service: undefined, text };
    }
    return undefined;
  }

  #serves(
    from: NodeId,
    slot: number,
    { service, nowMs }: { service: ServiceKey | undefined; nowMs: number },
  ): Finding | undefined {
    const { members, led: slots } = this.#leader(from);
    const led = slots.get(slot);
    const found = (text: string): Finding => ({ rule: "6 no empty by accident", service, text });
    if (led === undefined) return found(`${from} answers for slot ${slot}, which it does not lead`);
    if (led.isServing) return undefined;
    led.isServing = true;
    const [awaited] = led.awaited;
    const { config, clocks } = this.#evidence.plan;
    if (nowMs >= led.sinceMs + config.sessionLeaseMs * (1 - clocks.drift) - 1) {
      led.awaited.clear();
      return undefined;
    }
    if (members === undefined) return found(`${from} answers for slot ${slot} and knows no members`);
    const missing = awaited ?? members.list.find(({ role, id }) => role === "session" && !led.heard.has(id))?.id;
    if (missing === undefined) return undefined;
    const finding = found(`${from} answers for slot ${slot} and has not heard ${missing}`);
    this.#suspicion ??= { leader: from, led, missing, finding, atMs: nowMs };
    return undefined;
  }

  #leader(node: NodeId): Leader {
    const known = this.#leaders.get(node);
    if (known !== undefined) return known;
    const sessions = { links: new Set<NodeId>(), absentMs: new Map<NodeId, number>() };
    const leader: Leader = { members: undefined, table: undefined, led: new Map(), ...sessions, pausedMs: -1 };
    this.#leaders.set(node, leader);
    return leader;
  }

  #slotOf(service: ServiceKey): number {
    const slot = this.#slots.get(service) ?? slotOf(service, this.#evidence.plan.meta.slotCount);
    this.#slots.set(service, slot);
    return slot;
  }
}

function heard(led: Led | undefined, session: NodeId): void {
  led?.heard.add(session);
  led?.awaited.delete(session);
}
