// A registration is its client's: nobody is shown one that another client has replaced, unless clients share a registId
// on purpose. That another one does not take it away is seen by undueRemoval.ts.
//
// One case is no fault. A session that is cut off from the leader goes on to take registrations, and the leader does
// not know of them. A stranger that the leader hears first has such a registration until the stranger goes: to the
// leader it is the holder, and the owner is a client that asks for what is held (ARCHITECTURE.md, weak points). What
// the leader has let go since it heard it is as if unheard: the session that answered for it said that it is over, or
// could not be heard for its lease. And what only a leader had heard that was lost without a copy, nobody has heard.

import type { PublishItem } from "../../cluster/messages/sessionData.ts";
import type { Fact } from "../facts.ts";
import type { Checker, Evidence, Finding } from "./checker.ts";
import { clientOf, type Sighting, tokenOf } from "./commits.ts";
import type { Acknowledgement, KnownRegistration } from "./registrations.ts";

/** What a session says of a registration: that it is there, or that what had this version is over. */
interface Word {
  readonly owner: KnownRegistration;
  readonly endOf: bigint | undefined;
}

/** The session that a leader has a registration from, and since when. */
interface Heard {
  readonly session: string;
  readonly atMs: number;
}

/** When a leader has let a registration go; and the session that has said that it is over, if one has. */
interface LetGo {
  readonly by: string | undefined;
  readonly atMs: number;
}

export class Owners implements Checker {
  readonly #evidence: Evidence;
  // The session that a leader last heard an owner's registration from, as it says by its answer to a batch.
  readonly #heard = new Map<string, Heard>();
  // What the leader has let go since, by registration.
  readonly #letGo = new Map<string, LetGo>();
  // What is in each batch that is not answered: a batch may be lost with its link.
  readonly #underWay = new Map<string, readonly Word[]>();
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
    const { service, version, content } = sighting.commit;
    for (const { registId, token } of content.values()) {
      const [owner, twin] = registrations.twins(service, registId);
      if (owner === undefined || twin !== undefined) continue;
      if (this.#judgeShown(owner, clientOf(token), nowMs) === "right") continue;
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

  /** What an item may say of an owner's registration. */
  #wordOf(item: PublishItem): Word[] {
    const isHere = item.kind === "put";
    const { dataInfoId, registId } = isHere ? item.publication : item.removal;
    const [owner] = this.#evidence.registrations.twins(dataInfoId, registId);
    if (owner === undefined) return [];
    if (isHere) return owner.client === clientOf(tokenOf(item.publication)) ? [{ owner, endOf: undefined }] : [];
    return [{ owner, endOf: item.removal.stamp.version }];
  }

  #noteHeard({ from, to: session, message }: Fact & { kind: "told" }, nowMs: number): void {
    if (message.kind !== "taken" && message.kind !== "moved") return;
    const batch = `${session} ${from} ${message.batch}`;
    const words = message.kind === "taken" ? (this.#underWay.get(batch) ?? []) : [];
    this.#underWay.delete(batch);
    // What the leader refuses it does not have.
    const refused = new Set(message.kind === "taken" ? message.superseded.map(({ registId }) => registId) : []);
    for (const { owner, endOf } of words) {
      if (refused.has(owner.registId)) continue;
      const key = keyOf(owner);
      // Of a stranger's registration the end says nothing of the owner's.
      const isOwners = owner.acknowledgements.some((one) => one.session === session && one.version === endOf);
      if (endOf === undefined) this.#heard.set(key, { session, atMs: nowMs });
      // A session speaks for what a leader has from it; its word for what another one answers for ends nothing.
      else if (isOwners && this.#heard.get(key)?.session === session) this.#noteLetGo(key, session, nowMs);
    }
  }

  /** Looks at what is not shown any more as it was. */
  #noteGone({ commit: { service, content }, before }: Sighting, nowMs: number): void {
    for (const { registId, token } of before?.content.values() ?? []) {
      const [owner] = this.#evidence.registrations.twins(service, registId);
      if (owner === undefined) continue;
      const key = keyOf(owner);
      const [client, now] = [clientOf(token), content.get(registId)];
      // The next stranger does not have it from one that has gone.
      if (now === undefined && this.#holders.get(key) === client) this.#holders.delete(key);
      if (client !== owner.client || (now !== undefined && clientOf(now.token) === client)) continue;
      const session = this.#heard.get(key)?.session;
      if (session !== undefined && this.#isSilent(session, owner, nowMs)) this.#noteLetGo(key, undefined, nowMs);
    }
  }

  #noteLetGo(key: string, by: string | undefined, nowMs: number): void {
    this.#heard.delete(key);
    this.#letGo.set(key, { by, atMs: nowMs });
  }

  /** No leader can have heard the session for its lease. */
  #isSilent(session: string, { service }: KnownRegistration, nowMs: number): boolean {
    const { nodes } = this.#evidence;
    const leaseStartMs = nowMs - this.#leaseMs;
    return nodes
      .unheard(session, service, leaseStartMs)
      .some(({ fromMs, untilMs, settleMs }) => fromMs <= leaseStartMs && nowMs <= untilMs + settleMs);
  }

  #judgeShown(owner: KnownRegistration, client: string, nowMs: number): "right" | "wrong" {
    const key = keyOf(owner);
    if (client === owner.client) {
      // The stranger has gone, and must not have it a second time.
      this.#holders.delete(key);
      return "right";
    }
    if (this.#holders.get(key) === client) return "right";
    const lostMs = this.#lostMs(owner);
    const isHeard = (this.#heard.get(key)?.atMs ?? Number.NEGATIVE_INFINITY) > lostMs;
    if (this.#holders.has(key) || isHeard || !this.#isUnheard(owner, { lostMs, nowMs })) return "wrong";
    this.#holders.set(key, client);
    return "right";
  }

  /** When the service last had a leader that knew nothing of what those before it had heard. */
  #lostMs({ service }: KnownRegistration): number {
    const losses = this.#evidence.nodes.lossesOf(service);
    return losses.findLast(({ hasCopy }) => !hasCopy)?.atMs ?? Number.NEGATIVE_INFINITY;
  }

  /**
   * Every session that took it could not reach the leader then, or since the leader knows nothing of it, and has had no
   * time since to make its links again. One that had ended by then has told this leader nothing.
   */
  #isUnheard(owner: KnownRegistration, { lostMs, nowMs }: { lostMs: number; nowMs: number }): boolean {
    const { service } = owner;
    const { nodes } = this.#evidence;
    const letGo = this.#letGo.get(keyOf(owner));
    const unknownMs = Math.max(lostMs, letGo?.atMs ?? lostMs);
    const acknowledgements = owner.acknowledgements.filter(({ session, atMs }) => {
      const stopMs = nodes.run("session", session)?.stopMs ?? Number.POSITIVE_INFINITY;
      return stopMs > unknownMs && (session !== letGo?.by || atMs > letGo.atMs);
    });
    const isCutOff = ({ session, atMs }: Acknowledgement) => {
      const sinceMs = Math.max(atMs, unknownMs);
      return nodes
        .unheard(session, service, sinceMs)
        .some(({ fromMs, untilMs, settleMs }) => fromMs <= sinceMs && nowMs <= untilMs + settleMs);
    };
    return acknowledgements.length > 0 && acknowledgements.every(isCutOff);
  }
}

function keyOf({ service, registId }: KnownRegistration): string {
  return `${registId} ${service}`;
}
