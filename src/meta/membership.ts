// The members of the cluster: the roles that send heartbeats, as this meta node hears them. Every meta node keeps this
// list, even one that does not lead, so that a new leader knows at once which members live. None of it is stored.
//
// A membership ends with its lease, or a moment after its last link was closed. The death of a process closes its
// links, so it is noticed at once; the lease is for machines and networks that fall silent.

import { Deadlines } from "../base/deadlines.ts";
import {
  type ClientCount,
  type Heartbeat,
  hasSameAddresses,
  type Member,
  type MemberAddress,
} from "../cluster/messages/membership.ts";
import { type NodeId, nodeNameOf } from "../model/ids.ts";
import { NO_VERSION } from "../model/version.ts";
import { type RunAdmission, Runs } from "./runs.ts";

/** Settings, each a key of the configuration; all times in milliseconds. */
export interface MembershipOptions {
  /** A member that was not heard for this long is no longer a member. */
  readonly memberLeaseMs: number;
  /** The same for one whose last link was closed this long ago. */
  readonly memberGoneMs: number;
}

interface Entry {
  readonly member: Member;
  links: number;
  heardMs: number;
  /** The time at which it was heard again after a silence, if there was one. */
  resumedMs: number;
  /** The time at which its last link was closed; undefined while it has one. */
  closedMs: number | undefined;
  /** Its last heartbeat; undefined while it is not a member. */
  heartbeat: Heartbeat | undefined;
}

/** The end of a membership by a lost link or a lease. */
interface Silence {
  readonly member: Member;
  readonly heardMs: number;
  /** It said nothing for a while before its link was closed. A process that is killed closes its links at once. */
  readonly fellSilent: boolean;
}

/** A data node that lives. */
export interface LivingNode {
  readonly isLeaving: boolean;
  readonly heardMs: number;
}

// Each member sends once a second: if no member was heard for this long, the network between is gone.
const SILENCE_MS = 3_000;
// A wait for members that fell silent takes half of this; the rest is for decisions, however fast a rack comes back.
const WAITS_APART_MS = 2 * SILENCE_MS;
// A lost link is tried again within a second, and a try takes up to two.
const RELINK_MS = 5_000;
// The largest cluster that we plan for has 430 members. A node that comes when there are this many is not told to end:
// made-up members go when their leases end, and then there is room.
const MEMBERS_MAX = 2_000;
// Data nodes known to be gone; beyond this number the oldest are forgotten, and would get a lease's time again.
const GONE_MAX = 10_000;
// Members that ended by falling silent; beyond this number the oldest are forgotten, and are taken for dead.
const SILENT_MAX = 10_000;

export class Membership {
  readonly #options: MembershipOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #leases = new Deadlines<string>();
  readonly #closings = new Deadlines<string>();
  readonly #runs = new Runs();
  readonly #gone = new Set<NodeId>();
  /** Members that ended by silence, by role and name of the node: at most one run of a node is waited for. */
  readonly #silent = new Map<string, Silence>();
  #listeningSinceMs = Number.NEGATIVE_INFINITY;
  #heardMs = Number.NEGATIVE_INFINITY;
  #listSerial = 0;
  #dataSerial = 0;
  /** The highest version that any data node has named, living or not. */
  #newestVersion = NO_VERSION;
  /** Members that ended since the last query for them. */
  #ended: Member[] = [];

  constructor(options: MembershipOptions) {
    this.#options = options;
  }

  /** The time since which this node hears everything sent to it. */
  get listeningSinceMs(): number {
    return this.#listeningSinceMs;
  }

  /** Grows when the list of members changes. */
  get listSerial(): number {
    return this.#listSerial;
  }

  /** Grows when a data node comes or goes, or wants to leave. */
  get dataSerial(): number {
    return this.#dataSerial;
  }

  /** The highest list version named by any data node: clients may have seen all up to this. */
  get newestVersion(): bigint {
    return this.#newestVersion;
  }

  /**
   * This process has just begun to hear, or was stopped or cut off for a while: messages to it may still be on their
   * way, and links have to be made again.
   */
  listenAnew(nowMs: number): void {
    this.#listeningSinceMs = nowMs;
    this.#heardMs = nowMs;
    this.#postponeEnds(nowMs);
  }

  /**
   * Members may have been cut off from this node, which was not deaf: a link that closed without a silence was that of
   * a killed member. The nodes of a rack that come back may begin wait after wait, and none of them keeps it.
   */
  #waitForSilent(nowMs: number): void {
    this.#listeningSinceMs = nowMs;
    this.#postponeEnds(nowMs, (key) => {
      const entry = this.#entries.get(key);
      return entry !== undefined && fellSilent(entry, nowMs);
    });
  }

  #postponeEnds(nowMs: number, mayClosing?: (key: string) => boolean): void {
    this.#leases.postpone(nowMs + this.#options.memberLeaseMs);
    this.#closings.postpone(nowMs + Math.max(this.#options.memberGoneMs, RELINK_MS), mayClosing);
  }

  /**
   * When several nodes fall silent at once, this node is deaf, rather than all of them dead. A node heard first after a
   * silence of all may be the first of many.
   */
  #isDeaf(nowMs: number): boolean {
    if (nowMs - this.#heardMs < SILENCE_MS) return false;
    const names = new Set<string>();
    for (const { member } of this.#members()) names.add(nodeNameOf(member.id));
    return names.size !== 1;
  }

  /**
   * A member is heard after a silence so long that its membership ended. If it is the same process, it lived all the
   * time, and processes that fell silent with it or later may live too. Returns whether there are any. The same message
   * never raises this doubt twice: a member that comes and goes was last heard after the dead ones.
   */
  #noteReturn(member: Member, nowMs: number): boolean {
    const place = placeOf(member);
    const back = this.#silent.get(place);
    if (back === undefined) return false;
    this.#silent.delete(place);
    if (member.id !== back.member.id) return this.#mayBeBack(back, nowMs);
    let isCut = false;
    for (const [other, silence] of this.#silent) {
      if (!isWithOrAfter(silence, back)) continue;
      isCut = true;
      this.#silent.delete(other);
      this.#gone.delete(silence.member.id);
    }
    return isCut;
  }

  /**
   * A later run is heard of a node that fell silent: it may be a process that no cut concerned, or the first that a cut
   * no longer concerns. Members that fell silent too are waited for. They stay remembered, since it may have been the
   * former. No wait begins soon after another one, or no list would be sent and no slot moved while many restart.
   */
  #mayBeBack(back: Silence, nowMs: number): boolean {
    if (!back.fellSilent || nowMs - this.#listeningSinceMs < WAITS_APART_MS) return false;
    let isCut = false;
    for (const silence of this.#silent.values()) {
      if (!silence.fellSilent || !isWithOrAfter(silence, back)) continue;
      isCut = true;
      this.#gone.delete(silence.member.id);
    }
    return isCut;
  }

  linkUp(member: Member): void {
    const entry = this.#entries.get(keyOf(member)) ?? this.#add(member);
    entry.links++;
    entry.closedMs = undefined;
    this.#closings.delete(keyOf(member));
  }

  linkDown(member: Member, nowMs: number): void {
    const key = keyOf(member);
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    entry.links = Math.max(0, entry.links - 1);
    if (entry.links > 0) return;
    entry.closedMs = nowMs;
    if (entry.heartbeat === undefined) this.#remove(key, entry);
    else this.#closings.set(key, nowMs + this.#goneMs(entry, nowMs));
  }

  /**
   * A link that closes right after its silence ended was given up by a member that heard nothing either: the delayed
   * messages have arrived, then the end of the link, and the next link is being made.
   */
  #goneMs({ resumedMs }: Entry, nowMs: number): number {
    const { memberGoneMs } = this.#options;
    return nowMs - resumedMs < RELINK_MS ? Math.max(memberGoneMs, RELINK_MS) : memberGoneMs;
  }

  /** Takes a heartbeat. Only `admitted` makes its sender a member. */
  heard(member: Member, heartbeat: Heartbeat, nowMs: number): RunAdmission {
    const key = keyOf(member);
    // A run of a known node takes the place of another one.
    const isNew = !this.#leases.has(key) && this.#runs.current(nodeNameOf(member.id)) === undefined;
    if (isNew && this.#leases.size >= MEMBERS_MAX) return { kind: "waits" };
    const admission = this.#runs.admit(member.id, this.#signs, nowMs);
    if (admission.kind !== "admitted") return admission;
    if (admission.replaced !== undefined) this.#endRun(admission.replaced);
    const wasCutOff = this.#noteReturn(member, nowMs);
    if (this.#isDeaf(nowMs)) this.listenAnew(nowMs);
    else if (wasCutOff) this.#waitForSilent(nowMs);
    this.#heardMs = nowMs;
    const entry = this.#entries.get(key) ?? this.#add(member);
    const before = entry.heartbeat;
    const { newestVersion = NO_VERSION } = heartbeat;
    if (newestVersion > this.#newestVersion) this.#newestVersion = newestVersion;
    if (before !== undefined && nowMs - entry.heardMs >= SILENCE_MS) this.#resumed(entry, nowMs);
    entry.heardMs = nowMs;
    entry.heartbeat = heartbeat;
    this.#leases.set(key, nowMs + this.#options.memberLeaseMs);
    this.#closings.delete(key);
    this.#gone.delete(member.id);
    const isReachedAsBefore =
      before?.zone === heartbeat.zone && hasSameAddresses(before?.clientAddresses, heartbeat.clientAddresses);
    if (before?.address !== heartbeat.address || !isReachedAsBefore) this.#listSerial++;
    if (member.role === "data" && before?.isLeaving !== heartbeat.isLeaving) this.#dataSerial++;
    return admission;
  }

  /** The cut from a member is over: members that fell silent with it or after it are still making their links. */
  #resumed(entry: Entry, nowMs: number): void {
    const sinceMs = entry.heardMs - SILENCE_MS;
    entry.resumedMs = nowMs;
    // If this process itself was deaf, all members have their time already.
    if (nowMs - this.#listeningSinceMs < SILENCE_MS) return;
    const untilMs = nowMs + Math.max(this.#options.memberGoneMs, RELINK_MS);
    for (const key of [...this.#closings.keys()]) {
      const heardMs = this.#entries.get(key)?.heardMs ?? nowMs;
      const isCutOff = heardMs >= sinceMs && nowMs - heardMs >= SILENCE_MS;
      if (isCutOff && (this.#closings.get(key) ?? untilMs) < untilMs) this.#closings.set(key, untilMs);
    }
  }

  /** Ends the membership of members whose lease is over, and of those that are gone. */
  tick(nowMs: number): void {
    if (this.nextMs() <= nowMs && this.#isDeaf(nowMs)) this.#postponeEnds(nowMs);
    for (const deadlines of [this.#leases, this.#closings]) {
      for (let key = deadlines.take(nowMs); key !== undefined; key = deadlines.take(nowMs)) {
        this.#rememberSilent(key, nowMs);
        this.#end(key);
      }
    }
  }

  /** Ends the membership of a member that still sends. */
  dismiss(member: Member): void {
    this.#end(keyOf(member));
  }

  nextMs(): number {
    return Math.min(this.#leases.nextMs(), this.#closings.nextMs());
  }

  /** It is a member, or has a link by which it may become one. */
  isKnown(member: Member): boolean {
    return this.#entries.has(keyOf(member));
  }

  /** Members that have neither lease nor link left since the last call. */
  takeEnded(): readonly Member[] {
    if (this.#ended.length === 0) return NOBODY;
    const ended = this.#ended;
    this.#ended = [];
    return ended;
  }

  list(): MemberAddress[] {
    return [...this.#members()].map(({ member, heartbeat }) => {
      const { address, clientAddresses, zone } = heartbeat;
      const known = { ...(clientAddresses !== undefined && { clientAddresses }), ...(zone !== undefined && { zone }) };
      return { ...member, address, ...known };
    });
  }

  /** The number of clients of each session that reports one. */
  clientCounts(): ClientCount[] {
    return [...this.#members()].flatMap(({ member: { id: session }, heartbeat: { clients } }) =>
      clients === undefined ? [] : [{ session, clients }],
    );
  }

  /** Every member with its last heartbeat. */
  *heartbeats(): Generator<readonly [Member, Heartbeat]> {
    for (const { member, heartbeat } of this.#members()) yield [member, heartbeat];
  }

  /**
   * The living data nodes; those for which `isBlocked` holds count as leaving, whatever they want. None while this node
   * is deaf: nodes that it remembers may have died since, and others may have come in their place.
   */
  dataNodes(isBlocked: (name: string) => boolean, nowMs: number): Map<NodeId, LivingNode> {
    const nodes = new Map<NodeId, LivingNode>();
    if (this.#isDeaf(nowMs)) return nodes;
    for (const { member, heartbeat, heardMs } of this.#members()) {
      if (member.role !== "data") continue;
      nodes.set(member.id, { isLeaving: heartbeat.isLeaving || isBlocked(nodeNameOf(member.id)), heardMs });
    }
    return nodes;
  }

  /** Nothing is known of the data node, neither that it lives nor that it is gone. */
  isUnknown(node: NodeId): boolean {
    const run = this.#runs.current(nodeNameOf(node));
    return !this.#gone.has(node) && (run === undefined || run === node);
  }

  readonly #signs = {
    // A process that could not hear must not take the others for silent.
    heardMs: (run: NodeId): number =>
      Math.max(this.#listeningSinceMs, ...this.#roles(run).map(({ heardMs }) => heardMs)),
    hasLink: (run: NodeId): boolean => this.#roles(run).some(({ links }) => links > 0),
  };

  #roles(run: NodeId): Entry[] {
    return ROLES.flatMap((role) => this.#entries.get(keyOf({ id: run, role })) ?? []);
  }

  *#members(): Generator<Entry & { readonly heartbeat: Heartbeat }> {
    for (const entry of this.#entries.values()) if (isMember(entry)) yield entry;
  }

  #add(member: Member): Entry {
    const never = { heardMs: Number.NEGATIVE_INFINITY, resumedMs: Number.NEGATIVE_INFINITY };
    const entry: Entry = { member, links: 0, ...never, closedMs: undefined, heartbeat: undefined };
    this.#entries.set(keyOf(member), entry);
    return entry;
  }

  #endRun(run: NodeId): void {
    for (const { member } of this.#roles(run)) this.#end(keyOf(member));
  }

  #end(key: string): void {
    const entry = this.#entries.get(key);
    this.#leases.delete(key);
    this.#closings.delete(key);
    if (entry?.heartbeat === undefined) return;
    entry.heartbeat = undefined;
    this.#listSerial++;
    const { id, role } = entry.member;
    if (role === "data") {
      this.#dataSerial++;
      this.#rememberGone(id);
    }
    if (!this.#roles(id).some(isMember)) this.#runs.ended(id);
    if (entry.links === 0) this.#remove(key, entry);
  }

  #rememberSilent(key: string, nowMs: number): void {
    const entry = this.#entries.get(key);
    if (entry?.heartbeat === undefined) return;
    const { member, heardMs } = entry;
    const place = placeOf(member);
    this.#silent.delete(place);
    this.#silent.set(place, { member, heardMs, fellSilent: fellSilent(entry, nowMs) });
    if (this.#silent.size <= SILENT_MAX) return;
    for (const oldest of this.#silent.keys()) {
      this.#silent.delete(oldest);
      return;
    }
  }

  #remove(key: string, { member }: Entry): void {
    this.#entries.delete(key);
    this.#ended.push(member);
  }

  #rememberGone(node: NodeId): void {
    this.#gone.add(node);
    if (this.#gone.size <= GONE_MAX) return;
    for (const oldest of this.#gone) {
      this.#gone.delete(oldest);
      return;
    }
  }
}

const ROLES = ["data", "session"] as const;
const NOBODY: readonly Member[] = [];

function isMember(entry: Entry): entry is Entry & { heartbeat: Heartbeat } {
  return entry.heartbeat !== undefined;
}

/** The member said nothing for a while before its last link was closed, or has said nothing for as long. */
function fellSilent({ heardMs, closedMs }: Entry, nowMs: number): boolean {
  return (closedMs ?? nowMs) - heardMs >= SILENCE_MS;
}

/** Names a member in maps. */
export function keyOf({ role, id }: Member): string {
  return `${role} ${id}`;
}

/** The member fell silent in the same cut as the other one, or in a later one; of one process that says nothing. */
function isWithOrAfter({ member, heardMs }: Silence, back: Silence): boolean {
  return member.id !== back.member.id && heardMs >= back.heardMs - SILENCE_MS;
}

/** Names a member in maps, whatever its run. */
function placeOf({ role, id }: Member): string {
  return `${role} ${nodeNameOf(id)}`;
}
