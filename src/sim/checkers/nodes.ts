// The history of the nodes, as far as it is visible from outside: the living runs, the times at which a session could
// not do its part, the last saved table, and the times at which the last copy of a slot may have been lost.

import { compareMembers, type Heartbeat, type Members } from "../../cluster/messages/membership.ts";
import { type NodeId, nodeId, nodeNameOf, type ServiceKey } from "../../model/ids.ts";
import { type SlotTable, slotOf } from "../../model/slot.ts";
import type { Fact, Role } from "../facts.ts";
import type { Plan } from "../plan.ts";
import { Apart, RELINK_MS, type Span } from "./apart.ts";
import { Displaced } from "./displaced.ts";
import { SlowedOut } from "./slowedOut.ts";

export interface KnownRun {
  readonly id: NodeId;
  readonly role: Role;
  readonly machine: string;
  readonly startMs: number;
  stopMs: number;
  /** The time since which it says that it is about to stop, because it was told to. */
  leavingMs: number;
  /** Sessions: the first time that it was linked to all leaders that it knows of. */
  readyMs: number;
}

interface Restart {
  readonly stopMs: number;
  readonly startMs: number;
}

/** A slot has a leader that may know nothing of its earlier contents. */
export interface Loss {
  readonly atMs: number;
  /** The time since which the slot had no living leader. */
  readonly deadMs: number;
  /** It had a copy; only the last changes may be missing. */
  readonly hasCopy: boolean;
  /** The epoch under which it leads. */
  readonly leaderEpoch: bigint;
  /** It is a later run of a node that had everything and was stopped then: it holds services until this time. */
  readonly held: { readonly untilMs: number; readonly stopMs: number } | undefined;
}

// A session that has just been linked for the first time sends its registrations at once.
const START_SETTLE_MS = 500;
// Nodes that stood apart know of each other again after this.
const SPLIT_SETTLE_MS = 10_000;

export class Nodes {
  readonly #plan: Plan;
  readonly #runs = new Map<string, KnownRun>();
  readonly #outsides = new Map<string, Span[]>();
  // Sessions that can be reached again and are not yet in the newest list of members, by machine.
  readonly #returning = new Map<string, NodeId>();
  #members: Members | undefined;
  // The times at which each session's links to data nodes were made.
  readonly #links = new Map<NodeId, Map<NodeId, number>>();
  // The times at which each data node noticed the ends of its links to sessions; Infinity while a link stands.
  readonly #linkEnds = new Map<NodeId, Map<NodeId, number>>();
  readonly #tables = new Map<NodeId, SlotTable>();
  // The time since which each session has used the leader of its table, by session and slot.
  readonly #goneBy = new Map<NodeId, Map<number, { readonly leaderEpoch: bigint; readonly sinceMs: number }>>();
  readonly #heartbeats = new Map<string, Heartbeat>();
  // By data node and slot.
  readonly #servesSinceMs = new Map<NodeId, ReadonlyMap<number, number>>();
  readonly #losses = new Map<number, Loss[]>();
  readonly #slots = new Map<ServiceKey, number>();
  readonly #stopMs = new Map<string, number>();
  // Every table that was saved, by its epoch.
  readonly #saved = new Map<bigint, SlotTable>();
  #table: SlotTable | undefined;
  #lastSaved: SlotTable | undefined;
  #before: SlotTable | undefined;
  readonly #apart = new Apart();
  readonly #displaced = new Displaced();
  readonly #slowedOut = new SlowedOut();
  // The leaders of each slot, by the saved tables.
  readonly #leads = new Map<number, { readonly leader: NodeId; readonly epoch: bigint; ceasedMs: number }[]>();
  /** Restarts of data nodes, including those on a copy of their data directory. */
  readonly dataRestarts: Restart[] = [];
  /** The last time that anything was wrong between nodes, or with one. */
  troubleMs = Number.NEGATIVE_INFINITY;
  /** No living node remembered which versions were given. */
  hasBlackedOut = false;
  /** The last time that the store lost commits. */
  failedOverMs = Number.NEGATIVE_INFINITY;

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  /** The slot table in the store: the last saved one, unless a fail-over has lost it. */
  get table(): SlotTable | undefined {
    return this.#table;
  }

  /** The living runs of the role. */
  living(role: Role): KnownRun[] {
    return [...this.#runs.values()].filter((run) => run.role === role && run.stopMs === Number.POSITIVE_INFINITY);
  }

  run(role: Role, id: string): KnownRun | undefined {
    return this.#runs.get(`${role} ${id}`);
  }

  /** The last heartbeat of a run. */
  heartbeat(role: Role, id: string): Heartbeat | undefined {
    return this.#heartbeats.get(`${role} ${id}`);
  }

  /** The times in which the session and the service's leaders since then could not hear each other. */
  unheard(session: string, service: ServiceKey, sinceMs: number): Span[] {
    return this.#ofRun(session, () => this.apart(service, [session], sinceMs));
  }

  /** The times in which the session and this data node could not hear each other, whether it leads or not. */
  unheardBy(data: NodeId, session: string): Span[] {
    const [one, other] = [this.run("data", data), this.run("session", session)];
    return one === undefined || other === undefined ? [] : this.#apart.spans([one.machine, other.machine]);
  }

  /** The times in which the session may not have been a member of the cluster. */
  outside(session: string): Span[] {
    return this.#ofRun(session, ({ machine }) => this.#outsides.get(machine) ?? []);
  }

  /** The times in which it was no member because messages were slow. */
  slowedOut(session: string): readonly Span[] {
    return this.#slowedOut.spans(session);
  }

  /** The times in which another process was a member in its place. */
  displaced(session: string): readonly Span[] {
    return this.#displaced.spans(session);
  }

  /** Whether a node may not have been a member at that time, or not have heard yet what it missed. */
  isOutside(role: Role, id: string, atMs: number): boolean {
    const spans = this.#outsides.get(this.run(role, id)?.machine ?? "") ?? [];
    return spans.some(({ fromMs, untilMs, settleMs }) => fromMs <= atMs && atMs <= untilMs + settleMs);
  }

  /** The times in which the session stood still, by their beginning. */
  pauses(session: string): Span[] {
    const run = this.run("session", session);
    return run === undefined ? [] : this.#apart.pauses(run.machine);
  }

  #ofRun(session: string, spansOf: (run: KnownRun) => readonly Span[]): Span[] {
    const run = this.run("session", session);
    if (run === undefined) return [];
    const starting = { fromMs: run.startMs, untilMs: run.readyMs, settleMs: START_SETTLE_MS };
    const others = spansOf(run).filter(({ untilMs, fromMs }) => untilMs >= run.startMs && fromMs <= run.stopMs);
    return [starting, ...others];
  }

  /**
   * The times in which those sessions, and the service's leaders since then, could not hear each other, or one of them
   * stood still.
   */
  apart(service: ServiceKey, sessions: readonly string[], sinceMs: number): Span[] {
    return this.#apart.spans(this.#concerned(service, sessions, sinceMs));
  }

  /** Whether that was so at any time since, or may still have had effects. */
  isSplitSince(service: ServiceKey, sessions: readonly string[], sinceMs: number): boolean {
    return this.apart(service, sessions, sinceMs).some(({ untilMs }) => untilMs >= sinceMs - SPLIT_SETTLE_MS);
  }

  /** Whether the data node stood apart from others at that time, and ended before they had heard each other again. */
  diedApart(node: NodeId, atMs: number): boolean {
    const run = this.run("data", node);
    if (run === undefined) return false;
    const others = this.#plan.nodes.map(({ machine }) => machine);
    return others.some((other) =>
      this.#apart
        .spans([run.machine, other])
        .some(({ fromMs, untilMs, settleMs }) => fromMs <= atMs && atMs <= untilMs && run.stopMs <= untilMs + settleMs),
    );
  }

  #concerned(service: ServiceKey, sessions: readonly string[], sinceMs: number): Set<string> {
    const leads = this.#leads.get(this.#slotOf(service)) ?? [];
    // A leader that has not heard of its successor goes on.
    const leaders = leads.filter(
      ({ leader, ceasedMs }, at) =>
        at === leads.length - 1 || Math.min(ceasedMs, this.run("data", leader)?.stopMs ?? ceasedMs) >= sinceMs,
    );
    const machines = [
      ...sessions.map((session) => this.run("session", session)?.machine),
      ...leaders.map(({ leader }) => this.run("data", leader)?.machine),
    ];
    return new Set(machines.filter((machine) => machine !== undefined));
  }

  /** The service's leader by the table in the store. */
  leaderOf(service: ServiceKey): NodeId | undefined {
    return this.#table?.slots[this.#slotOf(service)]?.leader;
  }

  /**
   * The time since which its leader, if it lives, has reported that it serves the service's slot and holds none of it.
   */
  servesSinceMs(service: ServiceKey): number {
    const leader = this.leaderOf(service);
    const isAlive = leader !== undefined && this.run("data", leader)?.stopMs === Number.POSITIVE_INFINITY;
    const sinceMs = isAlive ? this.#servesSinceMs.get(leader)?.get(this.#slotOf(service)) : undefined;
    return sinceMs ?? Number.POSITIVE_INFINITY;
  }

  /** The time since which the session has used the service's present leader; Infinity if it has not heard of it. */
  heardOfLeaderMs(session: string, service: ServiceKey): number {
    const slot = this.#slotOf(service);
    const known = this.#goneBy.get(nodeId(session))?.get(slot);
    const isOfNow = known !== undefined && known.leaderEpoch === this.#table?.slots[slot]?.leaderEpoch;
    return isOfNow ? known.sinceMs : Number.POSITIVE_INFINITY;
  }

  /**
   * Whether the session may be about to report its registrations to the service's present leader: it has used that one,
   * and had its link, for a moment only. `ledMs`: the time since which that one leads.
   */
  hasJustReachedLeader(
    session: string,
    service: ServiceKey,
    { ledMs, nowMs }: { ledMs: number; nowMs: number },
  ): boolean {
    const leader = this.leaderOf(service);
    const linkedMs = leader === undefined ? undefined : this.#links.get(nodeId(session))?.get(leader);
    const reachedMs = Math.max(linkedMs ?? Number.POSITIVE_INFINITY, this.heardOfLeaderMs(session, service));
    return nowMs <= (reachedMs === Number.POSITIVE_INFINITY ? ledMs : reachedMs) + START_SETTLE_MS;
  }

  /** The time at which the service's leader noticed the end of its link to the session; Infinity while it has one. */
  linkEndMs(session: string, service: ServiceKey): number {
    const leader = this.leaderOf(service);
    const ends = leader === undefined ? undefined : this.#linkEnds.get(leader);
    return ends?.get(nodeId(session)) ?? Number.NEGATIVE_INFINITY;
  }

  lossesOf(service: ServiceKey): readonly Loss[] {
    return this.#losses.get(this.#slotOf(service)) ?? [];
  }

  #slotOf(service: ServiceKey): number {
    const slot = this.#slots.get(service) ?? slotOf(service, this.#plan.meta.slotCount);
    this.#slots.set(service, slot);
    return slot;
  }

  /** The time at which a leader of this epoch ceased to be the service's leader; Infinity for the present one. */
  replacedMs(service: ServiceKey, leaderEpoch: bigint): number {
    return this.lossesOf(service).find((loss) => loss.leaderEpoch > leaderEpoch)?.atMs ?? Number.POSITIVE_INFINITY;
  }

  see(fact: Fact, nowMs: number): void {
    const wasApart = this.#apart.isAny;
    this.#apart.see(fact, nowMs);
    if (wasApart || this.#apart.isAny) this.troubleMs = nowMs;
    switch (fact.kind) {
      case "started":
        return this.#started(fact, nowMs);
      case "stopped":
        return this.#stopped(fact, nowMs);
      case "outside":
        return this.#outside(fact, nowMs);
      case "linkMade":
        return this.#linked(fact, nowMs);
      case "sessionLink": {
        const ends = this.#linkEnds.get(fact.data) ?? new Map<NodeId, number>();
        this.#linkEnds.set(fact.data, ends.set(fact.session, fact.isUp ? Number.POSITIVE_INFINITY : nowMs));
        return;
      }
      case "linkLost":
        this.#links.get(fact.session)?.delete(fact.data);
        this.#slowedOut.linkLost(fact.session, nowMs);
        this.troubleMs = nowMs;
        return;
      case "learned":
        return this.#learned(fact, nowMs);
      case "heartbeat":
        return this.#noteHeartbeat(fact, nowMs);
      case "saved":
        if (fact.table !== undefined) this.#tableSaved(fact.table, fact.before, nowMs);
        return;
      case "failedOver":
        this.failedOverMs = nowMs;
        this.#table = fact.table;
        this.#noteLeads();
        return;
      default:
    }
  }

  #noteLeads(): void {
    const table = this.#table;
    for (const [slot, { leader }] of table?.slots.entries() ?? []) {
      const leads = this.#leads.get(slot) ?? [];
      this.#leads.set(slot, leads);
      if (table === undefined || leads.at(-1)?.leader === leader) continue;
      leads.push({ leader, epoch: table.epoch, ceasedMs: Number.POSITIVE_INFINITY });
    }
  }

  #noteCeased(node: NodeId, table: SlotTable, nowMs: number): void {
    for (const [slot, leads] of this.#leads) {
      if (table.slots[slot]?.leader === node) continue;
      for (const lead of leads) {
        if (lead.leader === node && lead.epoch <= table.epoch) lead.ceasedMs = Math.min(lead.ceasedMs, nowMs);
      }
    }
  }

  #started({ node, role, machine }: Fact & { kind: "started" }, nowMs: number): void {
    const never = Number.POSITIVE_INFINITY;
    const open = { stopMs: never, leavingMs: never, readyMs: never };
    this.#runs.set(`${role} ${node}`, { id: node, role, machine, startMs: nowMs, ...open });
    this.troubleMs = nowMs;
    if (role !== "data") return;
    // A process on a copy of a data directory knows the content of its original's disk at that moment.
    const isCopy = [...this.#runs.values()].some(
      (run) => run.role === role && run.machine !== machine && nodeNameOf(run.id) === nodeNameOf(node),
    );
    const stopMs = this.#stopMs.get(machine) ?? (isCopy ? nowMs : undefined);
    if (stopMs !== undefined) this.dataRestarts.push({ stopMs, startMs: nowMs });
  }

  #stopped({ node, role }: Fact & { kind: "stopped" }, nowMs: number): void {
    const run = this.run(role, node);
    if (run === undefined) return;
    run.stopMs = nowMs;
    this.troubleMs = nowMs;
    if (this.#returning.get(run.machine) === node) this.#returned(run.machine, nowMs);
    if (this.living("data").length === 0 && this.living("session").length === 0) this.hasBlackedOut = true;
    if (role === "data") this.#stopMs.set(run.machine, nowMs);
  }

  #noteHeartbeat({ from, message }: Fact & { kind: "heartbeat" }, nowMs: number): void {
    this.#heartbeats.set(`${message.role} ${from}`, message);
    if (message.role === "data") this.#noteServing(from, message, nowMs);
    const run = this.run(message.role, from);
    if (run !== undefined && message.isLeaving) run.leavingMs = Math.min(run.leavingMs, nowMs);
  }

  #noteServing(leader: NodeId, { slots }: Heartbeat, nowMs: number): void {
    const before = this.#servesSinceMs.get(leader);
    const shown = slots?.serving.filter((slot) => !slots.held.includes(slot)) ?? [];
    this.#servesSinceMs.set(leader, new Map(shown.map((slot) => [slot, before?.get(slot) ?? nowMs])));
  }

  #linked({ session, data }: Fact & { kind: "linkMade" }, nowMs: number): void {
    const links = this.#links.get(session) ?? new Map<NodeId, number>();
    this.#links.set(session, links.set(data, nowMs));
    this.troubleMs = nowMs;
    this.#lookReady(session, nowMs);
  }

  #learned({ node, role, message }: Fact & { kind: "learned" }, nowMs: number): void {
    if (message.kind === "members") this.#noteMembers(message.members, nowMs);
    if (message.kind === "members" && role === "data") {
      const isUnheard = ({ machine }: { machine: string }, atMs: number) => this.#isUnheardByMeta(machine, atMs);
      this.#displaced.learned(message.members, { sessions: this.living("session"), isUnheard, nowMs });
    }
    if (message.kind !== "slotTable") return;
    if (role === "data") this.#noteCeased(node, message.table, nowMs);
    if (role !== "session") return;
    const known = this.#tables.get(node);
    if (known !== undefined && known.epoch >= message.table.epoch) return;
    this.#tables.set(node, message.table);
    this.#noteGoneBy(node, message.table, nowMs);
    this.#lookReady(node, nowMs);
  }

  /** A session that was counted out stays so until it is a member again, whatever it can reach. */
  #outside({ machine, isOutside }: Fact & { kind: "outside" }, nowMs: number): void {
    const session = this.living("session").find((run) => run.machine === machine)?.id;
    const wasReturning = this.#returning.delete(machine);
    if (isOutside && wasReturning) return;
    if (!isOutside && session !== undefined && !this.#isListed(session)) this.#returning.set(machine, session);
    else mark(this.#outsides, machine, { is: isOutside, nowMs });
  }

  #isListed(session: NodeId): boolean {
    return this.#members?.list.some(({ role, id }) => role === "session" && id === session) ?? true;
  }

  #noteMembers(members: Members, nowMs: number): void {
    if (this.#members !== undefined && compareMembers(members, this.#members) <= 0) return;
    const [before, listed] = [idsOf(this.#members), idsOf(members)];
    const sessions = this.living("session").map(({ id }) => id);
    this.#slowedOut.learned({ sessions, before, listed, slowSpans: this.#apart.slow(), nowMs });
    this.#members = members;
    for (const [machine, session] of this.#returning) if (this.#isListed(session)) this.#returned(machine, nowMs);
  }

  #returned(machine: string, nowMs: number): void {
    this.#returning.delete(machine);
    mark(this.#outsides, machine, { is: false, nowMs });
  }

  #noteGoneBy(session: NodeId, { slots }: SlotTable, nowMs: number): void {
    const goneBy = this.#goneBy.get(session) ?? new Map();
    this.#goneBy.set(session, goneBy);
    for (const [slot, { leaderEpoch }] of slots.entries()) {
      if (goneBy.get(slot)?.leaderEpoch !== leaderEpoch) goneBy.set(slot, { leaderEpoch, sinceMs: nowMs });
    }
  }

  #isUnheardByMeta(machine: string, atMs: number): boolean {
    return this.living("meta").every((meta) =>
      this.#apart.spans([meta.machine, machine]).some(({ fromMs, untilMs }) => fromMs <= atMs && atMs <= untilMs),
    );
  }

  #lookReady(session: NodeId, nowMs: number): void {
    const run = this.run("session", session);
    const table = this.#tables.get(session);
    if (run === undefined || table === undefined || run.readyMs <= nowMs) return;
    const links = this.#links.get(session);
    if (table.slots.every(({ leader }) => links?.has(leader) === true)) run.readyMs = nowMs;
  }

  /** Whether the table that was just replaced is not the last saved one: the store had lost that one. */
  isForgotten(before: SlotTable): boolean {
    return this.#before === before;
  }

  /** Whether a report shows that the node holds the slot whole, under the leader that `table` names. */
  isCopy({ tableEpoch, slots }: Heartbeat, node: NodeId, { slot, table }: { slot: number; table: SlotTable }): boolean {
    if (slots?.inSync.includes(slot) !== true) return false;
    const [then, now] = [this.#saved.get(tableEpoch)?.slots[slot], table.slots[slot]];
    return then?.leaderEpoch === now?.leaderEpoch && now?.followers.includes(node) === true;
  }

  #tableSaved(table: SlotTable, before: SlotTable | undefined, nowMs: number): void {
    this.#before = isSameTable(before, this.#lastSaved) ? undefined : before;
    this.#lastSaved = table;
    this.#table = table;
    this.#noteLeads();
    this.#saved.set(table.epoch, table);
    for (const [slot, { leader, leaderEpoch }] of table.slots.entries()) {
      const owner = before?.slots[slot];
      if (owner === undefined || owner.leaderEpoch === leaderEpoch) continue;
      const report = this.heartbeat("data", leader);
      const hasCopy =
        before !== undefined && report !== undefined && this.isCopy(report, leader, { slot, table: before });
      const held = hasCopy || before === undefined ? undefined : this.#heldBy(leader, slot, before);
      const deadMs = Math.min(nowMs, this.run("data", owner.leader)?.stopMs ?? nowMs);
      this.#losses.set(slot, [...(this.#losses.get(slot) ?? []), { atMs: nowMs, deadMs, hasCopy, leaderEpoch, held }]);
    }
  }

  /**
   * The memory of a new leader's disk, if it led the slot, or followed it with a whole copy, in its last run.
   */
  #heldBy(leader: NodeId, slot: number, before: SlotTable): Loss["held"] {
    const owner = before.slots[slot];
    const isRunOf = (other: NodeId): boolean => other !== leader && nodeNameOf(other) === nodeNameOf(leader);
    const last = owner === undefined ? undefined : [owner.leader, ...owner.followers].find(isRunOf);
    if (last === undefined) return undefined;
    const report = this.heartbeat("data", last);
    const hadAll =
      report !== undefined &&
      (last === owner?.leader
        ? report.slots?.serving.includes(slot) === true && report.tableEpoch >= owner.leaderEpoch
        : this.isCopy(report, last, { slot, table: before }));
    const [run, lastRun] = [this.run("data", leader), this.run("data", last)];
    if (!hadAll || run === undefined || lastRun === undefined) return undefined;
    const { restartHoldMs } = this.#plan.config;
    return { untilMs: run.startMs + restartHoldMs * (1 - this.#plan.clocks.drift), stopMs: lastRun.stopMs };
  }
}

/** Whether both are one state of the table; a store gives a copy of its own each time. */
function isSameTable(one: SlotTable | undefined, other: SlotTable | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  if (one.epoch !== other.epoch || one.slots.length !== other.slots.length) return false;
  return one.slots.every(({ leader, leaderEpoch }, slot) => {
    const same = other.slots[slot];
    return same?.leader === leader && same.leaderEpoch === leaderEpoch;
  });
}

function idsOf(members: Members | undefined): ReadonlySet<string> {
  return new Set(members?.list.map(({ id }) => id));
}

/** Something begins or ends on a machine. */
function mark(spans: Map<string, Span[]>, machine: string, { is, nowMs }: { is: boolean; nowMs: number }): void {
  const ofMachine = spans.get(machine) ?? [];
  spans.set(machine, ofMachine);
  const open = ofMachine.at(-1);
  if (is) ofMachine.push({ fromMs: nowMs, untilMs: Number.POSITIVE_INFINITY, settleMs: RELINK_MS });
  else if (open !== undefined) open.untilMs = nowMs;
}
