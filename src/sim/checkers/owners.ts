// A registration belongs to its client: no subscriber is shown one that another client has replaced, unless clients
// share a registId on purpose. undueRemoval.ts checks that the other client does not take it away.
//
// One case is not a fault. A session that is cut off from the leader continues to take registrations, and the leader
// does not know of them. A stranger that the leader hears first has such a registration until the stranger goes: to the
// leader it is the holder, and the owner is a client that asks for a held registration (ARCHITECTURE.md, weak points).
// A registration that the leader heard and let go counts as unheard: the session that answered for it reported its end,
// or could not be heard for its lease, or ended so long ago. The same holds for a registration heard only by a leader
// that was lost without a copy: the next leader hears the sessions in any order, and the stranger's may be the first.
// And a leader that was replaced and can't be told goes on for its half of the cluster: what the sessions of the other
// half have taken since it led is free to it, though the next leader has heard it, and to no other leader. Nor has the
// next one heard what sessions tell a replaced leader, as long as meta can't tell them of the next.

import type { PublishItem, Superseded } from "../../cluster/messages/sessionData.ts";
import type { NodeId } from "../../model/ids.ts";
import type { Stamp } from "../../model/publication.ts";
import type { Fact } from "../facts.ts";
import type { Span } from "./apart.ts";
import type { Checker, Evidence, Finding } from "./checker.ts";
import { clientOf, type Sighting, tokenOf } from "./commits.ts";
import type { Acknowledgement, KnownRegistration } from "./registrations.ts";

/** A session's report on a registration: that it is there, or that the one of this version has ended. */
interface Word {
  readonly owner: KnownRegistration;
  readonly endOf: bigint | undefined;
}

/** The session from which a leader has an owner's registration, and since when. */
interface Heard {
  readonly owner: KnownRegistration;
  readonly session: string;
  readonly atMs: number;
  /** A list lacked it before the session's lease can have been over: it was not let go for that. */
  isMissing: boolean;
}

export class Owners implements Checker {
  readonly #evidence: Evidence;
  // The session from which a leader last heard an owner's registration, as shown by its answer to a batch.
  readonly #heard = new Map<string, Heard>();
  // The time since which a leader has let a registration go.
  readonly #letGoMs = new Map<string, number>();
  // The last time at which each session told a leader that the owner's registration is over there, by registration and
  // session.
  readonly #endedMs = new Map<string, number>();
  // The same, told to a leader that had not been replaced.
  readonly #endedAtLeaderMs = new Map<string, number>();
  // The reports in each unanswered batch: a batch may be lost with its link.
  readonly #underWay = new Map<string, readonly Word[]>();
  // Registrations of strangers that were sent to leaders: the client by registration and stamp.
  readonly #strangers = new Map<string, string>();
  // The stranger that has a registration because a leader heard it first, by registration.
  readonly #holders = new Map<string, string>();
  readonly #leaseMs: number;

  constructor(evidence: Evidence) {
    this.#evidence = evidence;
    const { config, clocks } = evidence.plan;
    // A node's clock may run fast.
    this.#leaseMs = config.sessionLeaseMs * (1 - clocks.drift);
  }

  see(fact: Fact, nowMs: number): Finding | undefined {
    if (fact.kind === "asked") this.#noteUnderWay(fact);
    if (fact.kind !== "told") return undefined;
    this.#noteHeard(fact, nowMs);
    const { commits, registrations } = this.#evidence;
    const { last: sighting } = commits;
    if (sighting === undefined || !sighting.isNew) return undefined;
    if (sighting.isNewest) this.#noteGone(sighting, nowMs);
    const { service, version, origin, content } = sighting.commit;
    for (const { registId, token } of content.values()) {
      const [owner, twin] = registrations.twins(service, registId);
      if (owner === undefined || twin !== undefined) continue;
      if (this.#judgeHolder(owner, clientOf(token), nowMs) === "right") continue;
      if (this.#isOtherHalfs(owner, { leader: fact.from, leaderEpoch: origin, nowMs })) continue;
      const text = `${registId} is ${owner.client}'s, v${version} shows ${token}`;
      return { rule: "owner: a registration is its client's", service, text };
    }
    return undefined;
  }

  #noteUnderWay({ from, to, message }: Fact & { kind: "asked" }): void {
    if (message.kind !== "publish") return;
    this.#underWay.set(
      `${from} ${to} ${message.batch}`,
      message.items.flatMap((item) => this.#wordOf(item)),
    );
  }

  /** The possible report of an item on an owner's registration. */
  #wordOf(item: PublishItem): Word[] {
    const isHere = item.kind === "put";
    const { serviceKey, registId } = isHere ? item.publication : item.removal;
    const [owner] = this.#evidence.registrations.twins(serviceKey, registId);
    if (owner === undefined) return [];
    if (isHere) {
      const client = clientOf(tokenOf(item.publication));
      if (client === owner.client) return [{ owner, endOf: undefined }];
      this.#strangers.set(stampedKeyOf(owner, item.publication), client);
      return [];
    }
    return [{ owner, endOf: item.removal.stamp.version }];
  }

  #noteHeard({ from, to: session, message }: Fact & { kind: "told" }, nowMs: number): void {
    if (message.kind !== "taken" && message.kind !== "moved") return;
    const batch = `${session} ${from} ${message.batch}`;
    const words = message.kind === "taken" ? (this.#underWay.get(batch) ?? []) : [];
    this.#underWay.delete(batch);
    // The leader does not have items that it refuses.
    const superseded = message.kind === "taken" ? message.superseded : [];
    const refused = new Set(superseded.map(({ registId }) => registId));
    for (const one of superseded) this.#noteHolder(one, nowMs);
    for (const { owner, endOf } of words) {
      if (refused.has(owner.registId)) continue;
      const key = keyOf(owner);
      // The end of a stranger's registration does not concern the owner's.
      const isOwners = endOf !== undefined && this.#hasTakenBack(owner, { session, version: endOf });
      if (isOwners) this.#endedMs.set(`${key} ${session}`, nowMs);
      // The next leader does not hear the words to one that was replaced and does not know it yet.
      if (this.#evidence.nodes.leaderOf(owner.service) !== from) continue;
      if (endOf === undefined) this.#heard.set(key, { owner, session, atMs: nowMs, isMissing: false });
      else if (isOwners) {
        this.#endedAtLeaderMs.set(`${key} ${session}`, nowMs);
        // A session reports for the registrations that a leader has from it; its report on another session's ends
        // nothing.
        if (this.#heard.get(key)?.session === session) this.#noteLetGo(key, nowMs);
      }
    }
  }

  /** The owner took its registration back at this session, and has been answered or is about to be. */
  #hasTakenBack(owner: KnownRegistration, { session, version }: { session: NodeId; version: bigint }): boolean {
    const connections = [...this.#evidence.registrations.client(owner.client).open.values()];
    const isHere = connections.some((one) => one.session === session) && owner.unpublished.includes(version);
    return isHere || owner.acknowledgements.some((one) => one.session === session && one.version === version);
  }

  /** A stranger that the leader prefers to the owner has the registration from now on, shown or not. */
  #noteHolder({ serviceKey, registId, by }: Superseded, nowMs: number): void {
    const [owner, twin] = this.#evidence.registrations.twins(serviceKey, registId);
    if (owner === undefined || twin !== undefined) return;
    const client = this.#strangers.get(stampedKeyOf(owner, by));
    if (client !== undefined) this.#judgeHolder(owner, client, nowMs);
  }

  /** Checks registrations that are no longer shown, or are shown as another client's. */
  #noteGone({ commit: { service, content }, before }: Sighting, nowMs: number): void {
    for (const { registId, token } of before?.content.values() ?? []) {
      const [owner] = this.#evidence.registrations.twins(service, registId);
      if (owner === undefined || content.has(registId)) continue;
      // The next stranger does not have it from one that has gone.
      if (this.#holders.get(keyOf(owner)) === clientOf(token)) this.#holders.delete(keyOf(owner));
    }
    for (const heard of [...this.#heard.values()]) {
      const { owner } = heard;
      if (owner.service !== service) continue;
      const now = content.get(owner.registId);
      if (now !== undefined && clientOf(now.token) === owner.client) heard.isMissing = false;
      else if (!this.#noteLapsed(owner, nowMs)) heard.isMissing = true;
    }
  }

  /** A leader does not have it as the owner's. Returns whether it was let go at the end of its session's lease. */
  #noteLapsed(owner: KnownRegistration, nowMs: number): boolean {
    const key = keyOf(owner);
    const heard = this.#heard.get(key);
    if (heard === undefined || heard.isMissing || heard.atMs > nowMs - this.#leaseMs) return false;
    const isOver = this.#isSilent(heard.session, owner, nowMs);
    if (isOver) this.#noteLetGo(key, nowMs);
    return isOver;
  }

  #noteLetGo(key: string, nowMs: number): void {
    this.#heard.delete(key);
    this.#letGoMs.set(key, nowMs);
  }

  /** No leader can have heard the session for its lease: it was cut off, or has ended. */
  #isSilent(session: string, { service }: KnownRegistration, nowMs: number): boolean {
    const { nodes } = this.#evidence;
    const leaseStartMs = nowMs - this.#leaseMs;
    if ((nodes.run("session", session)?.stopMs ?? Number.POSITIVE_INFINITY) <= leaseStartMs) return true;
    return nodes
      .unheard(session, service, leaseStartMs)
      .some(({ fromMs, untilMs, settleMs }) => fromMs <= leaseStartMs && nowMs <= untilMs + settleMs);
  }

  #judgeHolder(owner: KnownRegistration, client: string, nowMs: number): "right" | "wrong" {
    const key = keyOf(owner);
    if (client === owner.client) {
      // The stranger has gone, and must not have it a second time.
      this.#holders.delete(key);
      return "right";
    }
    if (this.#holders.get(key) === client) return "right";
    // No session need have been told a list since it was let go.
    this.#noteLapsed(owner, nowMs);
    const lostMs = this.#lostMs(owner);
    const isHeard = (this.#heard.get(key)?.atMs ?? Number.NEGATIVE_INFINITY) > lostMs;
    if (this.#holders.has(key) || isHeard || !this.#isUnheard(owner, { lostMs, nowMs })) return "wrong";
    this.#holders.set(key, client);
    return "right";
  }

  /** The leader was replaced, and every session that took it did so while it led, cut off from it until now. */
  #isOtherHalfs(
    { service, acknowledgements, unpublished }: KnownRegistration,
    { leader, leaderEpoch, nowMs }: { leader: NodeId; leaderEpoch: bigint; nowMs: number },
  ): boolean {
    const { nodes } = this.#evidence;
    if (nodes.leaderOf(service) === leader) return false;
    const led = nodes.lossesOf(service).find((loss) => loss.leaderEpoch === leaderEpoch);
    const ledMs = led?.atMs ?? Number.NEGATIVE_INFINITY;
    const taken = acknowledgements.filter(({ version }) => !unpublished.includes(version));
    const isApart = ({ session, atMs }: Acknowledgement) => {
      const untilMs = endOfCuts(nodes.unheardBy(leader, session), atMs);
      return atMs > ledMs && untilMs > atMs && nowMs <= untilMs;
    };
    return taken.length > 0 && taken.every(isApart);
  }

  /** The last time that the service had a leader without knowledge of its predecessors' contents. */
  #lostMs({ service }: KnownRegistration): number {
    const losses = this.#evidence.nodes.lossesOf(service);
    return losses.findLast(({ hasCopy }) => !hasCopy)?.atMs ?? Number.NEGATIVE_INFINITY;
  }

  /**
   * Every session that took it could not reach the leader then, or since the leader lost it, and has had no time since
   * to make its links again. Or the session took it before the leader began to lead, and has only just reached it. A
   * session that had ended by then has told this leader nothing, nor has one that told only an earlier leader of it.
   */
  #isUnheard(owner: KnownRegistration, { lostMs, nowMs }: { lostMs: number; nowMs: number }): boolean {
    const { service } = owner;
    const { nodes } = this.#evidence;
    const key = keyOf(owner);
    const unknownMs = Math.max(lostMs, this.#letGoMs.get(key) ?? lostMs);
    const isOver = ({ session, atMs }: Acknowledgement, ends: ReadonlyMap<string, number>) =>
      atMs <= (ends.get(`${key} ${session}`) ?? Number.NEGATIVE_INFINITY);
    const acknowledgements = owner.acknowledgements.filter((one) => {
      const stopMs = nodes.run("session", one.session)?.stopMs ?? Number.POSITIVE_INFINITY;
      const isKnown = isOver(one, this.#endedAtLeaderMs) || owner.unpublished.includes(one.version);
      return stopMs > unknownMs && !isKnown;
    });
    const isCutOff = ({ session, atMs }: Acknowledgement) => {
      const sinceMs = Math.max(atMs, unknownMs);
      const isLeftBehind = nodes.heardOfLeaderMs(session, service) > sinceMs;
      const outside = isLeftBehind ? nodes.outside(session) : [];
      const untilMs = endOfCuts([...nodes.unheard(session, service, sinceMs), ...outside], sinceMs);
      // That the leader has just let it go is no cut.
      return nowMs <= untilMs && untilMs > unknownMs;
    };
    const isBehind = ({ session, atMs }: Acknowledgement) =>
      atMs <= lostMs && nodes.hasJustReachedLeader(session, service, { ledMs: lostMs, nowMs });
    const isUntold = (one: Acknowledgement) => isCutOff(one) || isBehind(one);
    const isAnyUntold = acknowledgements.some(isUntold);
    return isAnyUntold && acknowledgements.every((one) => isUntold(one) || isOver(one, this.#endedMs));
  }
}

/** The end of the cuts that last from then on: the next may begin before the links are made again after the last. */
function endOfCuts(cuts: readonly Span[], sinceMs: number): number {
  let untilMs = sinceMs;
  for (const cut of cuts.toSorted((one, other) => one.fromMs - other.fromMs)) {
    if (cut.fromMs <= untilMs) untilMs = Math.max(untilMs, cut.untilMs + cut.settleMs);
  }
  return untilMs;
}

function stampedKeyOf(owner: KnownRegistration, { version, registeredMs }: Stamp): string {
  return `${keyOf(owner)} ${version} ${registeredMs}`;
}

function keyOf({ service, registId }: KnownRegistration): string {
  return `${registId} ${service}`;
}
