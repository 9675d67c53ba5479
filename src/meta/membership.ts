// Who is in the cluster: the roles that send heartbeats, as this meta node hears them. Every meta node keeps this, also
// one that does not lead, so that whoever takes the lead knows at once who lives. None of it is stored.
//
// A member ends when its lease does, or when its last link has been closed for a moment. Links are closed by the death
// of a process, so that is noticed at once; the lease is for machines and networks that fall silent.

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
import { type Admission, Runs } from "./runs.ts";

export interface MembershipOptions {
  /** A member that was not heard for so long is no longer one. */
  readonly memberLeaseMs: number;
  /** Nor one whose last link was closed so long ago. */
  readonly memberGoneMs: number;
}

interface Entry {
  readonly member: Member;
  links: number;
  heardMs: number;
  /** When it was heard again after it had fallen silent, if it ever was. */
  resumedMs: number;
  /** What it said last; undefined while it is no member. */
  heartbeat: Heartbeat | undefined;
}

/** A data node that lives. */
export interface LivingNode {
  readonly isLeaving: boolean;
  readonly heardMs: number;
}

// Each member speaks once a second: if nobody has for so long, the network between is gone.
const SILENCE_MS = 3_000;
// A link that was lost is tried again within a second, and a try takes up to two.
const RELINK_MS = 5_000;
// The largest cluster that we plan for has 430 members. A node that comes when there are so many is not told to end:
// members that somebody has made up go when their leases end, and then there is room.
const MEMBERS_MAX = 2_000;
// Data nodes that are known to be gone; beyond it the oldest are forgotten, and would get a lease's time again.
const GONE_MAX = 10_000;
// Members that ended by falling silent; beyond it the oldest are forgotten, and are believed to be dead.
const SILENT_MAX = 10_000;

export class Membership {
  readonly #options: MembershipOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #leases = new Deadlines<string>();
  readonly #closings = new Deadlines<string>();
  readonly #runs = new Runs();
  readonly #gone = new Set<NodeId>();
  /** Members that ended because nothing more was heard of them, with the time at which each was last heard. */
  readonly #silent = new Map<string, { readonly member: Member; readonly heardMs: number }>();
  #listeningSinceMs = Number.NEGATIVE_INFINITY;
  #heardMs = Number.NEGATIVE_INFINITY;
  #listSerial = 0;
  #dataSerial = 0;
  /** The highest version that any data node has named, whether it still lives or not. */
  #newestVersion = NO_VERSION;
  /** Members that ended since they were last asked for. */
  #ended: Member[] = [];

  constructor(options: MembershipOptions) {
    this.#options = options;
  }

  /** Since when this node hears whatever is said to it. */
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

  /** No data node has named a higher version of a list: clients may have seen all up to this. */
  get newestVersion(): bigint {
    return this.#newestVersion;
  }

  /**
   * This process has just begun to hear, or was stopped or cut off for a while: what was said to it may still be on its
   * way, and links have to be made again.
   */
  wasDeaf(nowMs: number): void {
    this.#listeningSinceMs = nowMs;
    this.#heardMs = nowMs;
    this.#postponeEnds(nowMs);
  }

  #postponeEnds(nowMs: number): void {
    this.#leases.postpone(nowMs + this.#options.memberLeaseMs);
    this.#closings.postpone(nowMs + Math.max(this.#options.memberGoneMs, RELINK_MS));
  }

  /**
   * When several nodes fall silent at once it is this one that hears nobody, and not all of them that are dead. And who
   * is heard first after a silence in which none was left may be the first of many.
   */
  #isDeaf(nowMs: number): boolean {
    if (nowMs - this.#heardMs < SILENCE_MS) return false;
    const names = new Set<string>();
    for (const { member } of this.#members()) names.add(nodeNameOf(member.id));
    return names.size !== 1;
  }

  /**
   * A process is heard that had fallen silent for so long that it was none of the members any more: it lived all the
   * time, and what fell silent with it or after it may live too. Nobody is doubted by the same word twice: a member
   * that comes and goes was last heard after those who are dead.
   */
  #showsCut(key: string): boolean {
    const back = this.#silent.get(key);
    if (back === undefined) return false;
    this.#silent.delete(key);
    let isCut = false;
    for (const [other, { member, heardMs }] of this.#silent) {
      if (member.id === back.member.id || heardMs < back.heardMs - SILENCE_MS) continue;
      isCut = true;
      this.#silent.delete(other);
      this.#gone.delete(member.id);
    }
    return isCut;
  }

  linkUp(member: Member): void {
    const entry = this.#entries.get(keyOf(member));
    if (entry === undefined) this.#add(member, 1);
    else entry.links++;
    this.#closings.delete(keyOf(member));
  }

  linkDown(member: Member, nowMs: number): void {
    const key = keyOf(member);
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    entry.links = Math.max(0, entry.links - 1);
    if (entry.links > 0) return;
    if (entry.heartbeat === undefined) this.#remove(key, entry);
    else this.#closings.set(key, nowMs + this.#goneMs(entry, nowMs));
  }

  /**
   * A link that closes right after its silence was over was given up by a member that heard nothing either: what waited
   * on the way has come, the end behind it, and the next link is being made.
   */
  #goneMs({ resumedMs }: Entry, nowMs: number): number {
    const { memberGoneMs } = this.#options;
    return nowMs - resumedMs < RELINK_MS ? Math.max(memberGoneMs, RELINK_MS) : memberGoneMs;
  }

  /** Takes a heartbeat. Only `admitted` makes its sender a member. */
  heard(member: Member, heartbeat: Heartbeat, nowMs: number): Admission {
    const key = keyOf(member);
    // A run of a node that is known takes the place of another one.
    const isNew = !this.#leases.has(key) && this.#runs.current(nodeNameOf(member.id)) === undefined;
    if (isNew && this.#leases.size >= MEMBERS_MAX) return { kind: "waits" };
    const admission = this.#runs.admit(member.id, this.#signs, nowMs);
    if (admission.kind !== "admitted") return admission;
    if (admission.replaced !== undefined) this.#endRun(admission.replaced);
    const wasCutOff = this.#showsCut(key);
    if (wasCutOff || this.#isDeaf(nowMs)) this.wasDeaf(nowMs);
    this.#heardMs = nowMs;
    const entry = this.#entries.get(key) ?? this.#add(member, 0);
    const before = entry.heartbeat;
    const { newestVersion = NO_VERSION } = heartbeat;
    if (newestVersion > this.#newestVersion) this.#newestVersion = newestVersion;
    if (before !== undefined && nowMs - entry.heardMs >= SILENCE_MS) this.#resumed(entry, nowMs);
    entry.heardMs = nowMs;
    entry.heartbeat = heartbeat;
    this.#leases.set(key, nowMs + this.#options.memberLeaseMs);
    this.#closings.delete(key);
    this.#gone.delete(member.id);
    const isReachedAsBefore = hasSameAddresses(before?.clientAddresses, heartbeat.clientAddresses);
    if (before?.address !== heartbeat.address || !isReachedAsBefore) this.#listSerial++;
    if (member.role === "data" && before?.isLeaving !== heartbeat.isLeaving) this.#dataSerial++;
    return admission;
  }

  /** The cut from a member is over: those that fell silent with it or after it are still making their links. */
  #resumed(entry: Entry, nowMs: number): void {
    const sinceMs = entry.heardMs - SILENCE_MS;
    entry.resumedMs = nowMs;
    // Where it was this process that heard nobody, all have their time already.
    if (nowMs - this.#listeningSinceMs < SILENCE_MS) return;
    const untilMs = nowMs + Math.max(this.#options.memberGoneMs, RELINK_MS);
    for (const key of [...this.#closings.keys()]) {
      const heardMs = this.#entries.get(key)?.heardMs ?? nowMs;
      const isCutOff = heardMs >= sinceMs && nowMs - heardMs >= SILENCE_MS;
      if (isCutOff && (this.#closings.get(key) ?? untilMs) < untilMs) this.#closings.set(key, untilMs);
    }
  }

  /** Ends the membership of those whose lease is over, and of those that are gone. */
  tick(nowMs: number): void {
    if (this.nextMs() <= nowMs && this.#isDeaf(nowMs)) this.#postponeEnds(nowMs);
    for (const deadlines of [this.#leases, this.#closings]) {
      for (let key = deadlines.take(nowMs); key !== undefined; key = deadlines.take(nowMs)) {
        this.#rememberSilent(key);
        this.#end(key);
      }
    }
  }

  /** The member is to be none any more, though it speaks. */
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

  /** Those of whom nothing is left, neither lease nor link, since this was last asked. */
  takeEnded(): readonly Member[] {
    if (this.#ended.length === 0) return NOBODY;
    const ended = this.#ended;
    this.#ended = [];
    return ended;
  }

  list(): MemberAddress[] {
    return [...this.#members()].map(({ member, heartbeat }) => {
      const { address, clientAddresses } = heartbeat;
      return { ...member, address, ...(clientAddresses === undefined ? {} : { clientAddresses }) };
    });
  }

  /** How many clients the sessions have that say so. */
  clientCounts(): ClientCount[] {
    return [...this.#members()].flatMap(({ member: { id: session }, heartbeat: { clients } }) =>
      clients === undefined ? [] : [{ session, clients }],
    );
  }

  /** Every member with what it said last. */
  *heartbeats(): Generator<readonly [Member, Heartbeat]> {
    for (const { member, heartbeat } of this.#members()) yield [member, heartbeat];
  }

  /**
   * Data nodes that live; those that `isBlocked` says are to leave, whatever they want. None while this node is deaf:
   * whom it remembers may have died since, and others have come in their place.
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

  #add(member: Member, links: number): Entry {
    const never = { heardMs: Number.NEGATIVE_INFINITY, resumedMs: Number.NEGATIVE_INFINITY };
    const entry: Entry = { member, links, ...never, heartbeat: undefined };
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

  #rememberSilent(key: string): void {
    const entry = this.#entries.get(key);
    if (entry?.heartbeat === undefined) return;
    this.#silent.delete(key);
    this.#silent.set(key, { member: entry.member, heardMs: entry.heardMs });
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

/** Names a member in maps. */
export function keyOf({ role, id }: Member): string {
  return `${role} ${id}`;
}
