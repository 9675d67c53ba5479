// A registration is its client's: nobody is shown one that another client has replaced, unless clients share a registId
// on purpose. That another one does not take it away is seen by undueRemoval.ts.
//
// One case is no fault. A session that is cut off from the leader goes on to take registrations, and the leader does
// not know of them. A stranger that the leader hears first has such a registration until the stranger goes: to the
// leader it is the holder, and the owner is a client that asks for what is held (ARCHITECTURE.md, weak points). What
// the leader heard through another session before, and that one has said to be over, is free to it again. And what only
// a leader had heard that was lost without a copy, nobody has heard.

import type { PublishItem } from "../../messages/sessionData.ts";
import type { Fact } from "../facts.ts";
import type { Checker, Evidence, Finding } from "./checker.ts";
import { clientOf, tokenOf } from "./commits.ts";
import type { Acknowledgement, KnownRegistration } from "./registrations.ts";

/** What a session says of a registration: that it is there, or that what had this version is over. */
interface Word {
  readonly owner: KnownRegistration;
  readonly endOf: bigint | undefined;
}

interface GivenBack {
  readonly session: string;
  readonly atMs: number;
}

export class Owners implements Checker {
  readonly #evidence: Evidence;
  // Registrations that a leader has heard of from their owners' sessions, as it says by its answer to a batch; and when
  // last.
  readonly #heardMs = new Map<string, number>();
  // The sessions that have told a leader of an owner's end, and when, by registration.
  readonly #gaveBack = new Map<string, GivenBack>();
  // What is in each batch that is not answered: a batch may be lost with its link.
  readonly #underWay = new Map<string, readonly Word[]>();
  // The stranger that has a registration because a leader heard it first, by registration.
  readonly #holders = new Map<string, string>();

  constructor(evidence: Evidence) {
    this.#evidence = evidence;
  }

  see(fact: Fact, nowMs: number): Finding | undefined {
    if (fact.kind === "asked") this.#noteUnderWay(fact);
    if (fact.kind !== "told") return undefined;
    this.#noteHeard(fact, nowMs);
    const { commits, registrations } = this.#evidence;
    const { last: sighting } = commits;
    if (sighting === undefined || !sighting.isNew) return undefined;
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
      if (endOf === undefined) this.#heardMs.set(key, nowMs);
      else if (isOwners && this.#heardMs.delete(key)) this.#gaveBack.set(key, { session, atMs: nowMs });
    }
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
    const isHeard = (this.#heardMs.get(key) ?? Number.NEGATIVE_INFINITY) > lostMs;
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
   * Every session that took it could not reach the leader then, or when there was one that had not heard it, and has
   * had no time since to make its links again.
   */
  #isUnheard(owner: KnownRegistration, { lostMs, nowMs }: { lostMs: number; nowMs: number }): boolean {
    const { service } = owner;
    const { nodes } = this.#evidence;
    const over = this.#gaveBack.get(keyOf(owner));
    const acknowledgements = owner.acknowledgements.filter(
      ({ session, atMs }) => session !== over?.session || atMs > over.atMs,
    );
    const isCutOff = ({ session, atMs }: Acknowledgement) => {
      const sinceMs = Math.max(atMs, lostMs);
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
