// The publications of a session that did not come back within its lease: its clients are dead, except those that
// another session has taken over, and unless that would remove too many of one service at once. Another session may
// have taken a client over without knowing that it has to report it again: its clock is behind, and the gone session's
// reports seemed later. It is asked before any of that is removed.

import type { DataToSession, InventoryEntry, PublishItem, Superseded } from "../cluster/messages/sessionData.ts";
import type { DataInfoId, NodeId } from "../model/ids.ts";
import { compareStamps } from "../model/publication.ts";
import type { Challenge, Contested } from "./challenges.ts";
import type { Datum } from "./datum.ts";
import { EndedSessions, type SessionEnd } from "./endedSessions.ts";
import { COUNTED, type HeldLoss, type LossProtection } from "./lossProtection.ts";
import type { Registration } from "./packed/publicationStore.ts";
import { keyOf, leftItem } from "./reconciliation.ts";
import type { Sessions } from "./sessions.ts";
import type { SlotContents } from "./slotContents.ts";
import type { LedSlot, Slots } from "./slots.ts";
import { type RemoveItem, WithheldRemovals } from "./withheldRemovals.ts";

const NONE: ReadonlySet<string> = new Set();

// A session that is asked answers at once, or its link is closed within this.
const ANSWER_MS = 5_000;

// The number of held services that one step releases, or whose publishers it counts.
const RELEASES_PER_STEP = 200;

interface Effects {
  take(items: readonly PublishItem[]): void;
  /** Living sessions may have the registrations of the gone one that they claim; returns the ones offered. */
  offer(slot: LedSlot, gone: NodeId): ReadonlySet<string>;
  send(session: NodeId, message: DataToSession): void;
  contested(contested: Contested): void;
  forgetIfIdle(slot: LedSlot, datum: Datum): void;
}

export class Departures {
  readonly #slots: Slots;
  readonly #sessions: Sessions;
  readonly #protection: LossProtection;
  readonly #effects: Effects;
  readonly #withheld: WithheldRemovals;
  readonly #ended: EndedSessions;
  /** The questions to each session, sent at the end of this step. */
  readonly #asked = new Map<NodeId, InventoryEntry[]>();
  #removals: PublishItem[] = [];
  #nowMs = Number.NEGATIVE_INFINITY;

  constructor(
    { slots, sessions, protection }: { slots: Slots; sessions: Sessions; protection: LossProtection },
    effects: Effects,
  ) {
    this.#slots = slots;
    this.#sessions = sessions;
    this.#protection = protection;
    this.#effects = effects;
    this.#withheld = new WithheldRemovals({
      take: (items) => effects.take(items),
      ask: (slot, session, lost) => effects.send(session, { kind: "wanted", slot, keys: [], superseded: [lost] }),
      want: (slot, session, key) => this.#want(slot, session, key),
    });
    this.#ended = new EndedSessions(slots, {
      isAbsent: (session) => sessions.isAbsent(session),
      end: (end, datum) => this.#end(end, datum),
    });
  }

  /** Checks a removal before it is applied. Returns true if it must not be applied, or not yet. */
  refuses(item: RemoveItem, from: NodeId | undefined, at: { led: LedSlot; datum: Datum; nowMs: number }): boolean {
    if (from === undefined || item.removal.cause !== "left") return false;
    return this.#withheld.withholds(item, from, at) || isForeign(at.datum, item, from);
  }

  /** Judges a session's item for a registration that another session's client holds; see `Intake`. */
  judges(
    item: PublishItem,
    from: NodeId,
    { led, live, nowMs }: { led: LedSlot; live: Registration; nowMs: number },
  ): Superseded | "newest" | "claimant" {
    const { session: holding } = live.owner;
    // Items from before a slot is served were taken before: the newest may have been shown already.
    // A session that has reported that its client left no longer has an answer.
    const mayBeAsked = led.isServing && this.#sessions.isLinked(holding) && !this.#withheld.has(live);
    const holder = { live, isThere: this.#sessions.mayAnswer(holding), mayBeAsked };
    const verdict = led.contents.challenges.judge(item, from, holder, nowMs);
    if (verdict === "claimant") this.#withheld.drop(live);
    if (verdict === "claimant" || verdict === "newest") return verdict;
    const { dataInfoId, registId, version, registeredMs, owner } = live;
    if (verdict.isAsked) {
      const asked = this.#asked.get(holding) ?? [];
      this.#asked.set(holding, asked);
      asked.push({ dataInfoId, registId, version, registeredMs });
    }
    const by = item.kind === "put" ? item.publication.owner.client : item.removal.client;
    if (verdict.isNews && by !== undefined) {
      this.#effects.contested({ dataInfoId, registId, holder: owner.client, by });
    }
    return verdict.superseded;
  }

  /** A session reports that its clients don't answer for these: the asker at a holder's own address gets them. */
  yielded(session: NodeId, registrations: readonly InventoryEntry[], nowMs: number): void {
    for (const entry of registrations) {
      const contents = this.#slots.leading(entry.dataInfoId)?.contents;
      const live = contents?.datums.get(entry.dataInfoId)?.registration(entry.registId);
      if (contents === undefined || live?.owner.session !== session || compareStamps(live, entry) !== 0) continue;
      const challenge = contents.challenges.yields(live, nowMs);
      if (challenge !== undefined) this.#meet(contents, challenge);
    }
  }

  /**
   * The link to a session is gone, and it can't be asked any more: the asker at a holder's own address gets the
   * registration.
   */
  unlinked(session: NodeId, nowMs: number): void {
    this.#sessions.unlinked(session, nowMs);
    for (const { contents } of this.#slots.led()) {
      for (const challenge of contents.challenges.ofHolders(nowMs)) {
        const live = contents.datums.get(challenge.dataInfoId)?.registration(challenge.registId);
        if (live?.owner.session === session) this.#meet(contents, challenge);
      }
    }
  }

  /** Services whose lists are held because too many publishers would go at once. */
  held(): readonly HeldLoss[] {
    return this.#protection.list();
  }

  /** This process stood still: messages that seem late may have been sent meanwhile. */
  forgiveStall(nowMs: number): void {
    this.#sessions.forgiveStall(nowMs);
    this.#withheld.stalled(nowMs);
  }

  nextMs(): number {
    if (!this.#ended.isDone) return Number.NEGATIVE_INFINITY;
    return Math.min(this.#sessions.nextMs(), this.#protection.nextMs(), this.#withheld.nextMs());
  }

  wake(nowMs: number): void {
    this.#nowMs = nowMs;
    if (this.#asked.size > 0) this.#ask();
    this.#withheld.wake(nowMs);
    for (let gone = this.#sessions.takeEnded(nowMs); gone !== undefined; gone = this.#sessions.takeEnded(nowMs)) {
      for (const slot of this.#slots.led()) this.#begin(slot, gone);
    }
    if (!this.#ended.isDone) {
      this.#ended.work();
      const removals = this.#removals;
      this.#removals = [];
      this.#effects.take(removals);
    }
    for (let left = RELEASES_PER_STEP; left > 0; left--) {
      const held = this.#protection.takeEnded(nowMs);
      if (held === undefined) return;
      if (held !== COUNTED) this.release(held);
    }
  }

  #ask(): void {
    for (const [session, registrations] of this.#asked) {
      this.#effects.send(session, { kind: "challenged", registrations });
    }
    this.#asked.clear();
  }

  /** The publishers held by the loss protection are dead. */
  release(dataInfoId: DataInfoId): void {
    const sessions = this.#protection.release(dataInfoId);
    const datum = this.#slots.leading(dataInfoId)?.contents.datums.get(dataInfoId);
    if (datum !== undefined) this.#effects.take(sessions.flatMap((session) => removalsOf(datum, session)));
  }

  #begin(slot: LedSlot, session: NodeId): void {
    const isOwner = slot.contents.digestOf(session) !== undefined;
    const offered = new Set([...this.#effects.offer(slot, session), ...this.#handOver(slot, session)]);
    if (offered.size > 0) this.#sessions.watch(session, this.#nowMs, ANSWER_MS);
    slot.heard.delete(session);
    slot.claims.delete(session);
    slot.wanted.delete(session);
    this.#ended.add({ slot, session, isOwner, offered });
  }

  /** Sessions that asked for the gone session's registrations may have them now; returns these. */
  #handOver({ contents }: LedSlot, gone: NodeId): string[] {
    const granted: string[] = [];
    for (const { dataInfoId, registId, session } of contents.challenges.values()) {
      const live = contents.datums.get(dataInfoId)?.registration(registId);
      if (live?.owner.session !== gone || this.#sessions.isAbsent(session)) continue;
      if (contents.challenges.grant(live, this.#nowMs) === undefined) continue;
      this.#want(contents.slot, session, live);
      granted.push(keyOf(live));
    }
    return granted;
  }

  /** The holder does not answer: the registration is removed, or the session that asked for it may have it. */
  #meet({ slot, challenges }: SlotContents, { session, removal, ...key }: Challenge): void {
    if (removal === undefined) return this.#want(slot, session, key);
    challenges.withdraw(key, session);
    this.#effects.take([removal]);
  }

  /** Tells a session that it may have a registration that it asked for. */
  #want(slot: number, session: NodeId, { dataInfoId, registId }: Pick<Registration, "dataInfoId" | "registId">): void {
    this.#effects.send(session, { kind: "wanted", slot, keys: [[dataInfoId, registId]], superseded: [] });
  }

  #end({ slot, session, isOwner, offered }: SessionEnd, datum: Datum): number {
    datum.interested.delete(session);
    datum.waiting.delete(session);
    const left = isOwner ? removalsOf(datum, session, offered) : [];
    this.#effects.forgetIfIdle(slot, datum);
    if (left.length === 0 || this.#protection.holds(datum, session, this.#nowMs)) return 0;
    for (const item of left) this.#removals.push(item);
    return left.length;
  }
}

function removalsOf(datum: Datum, session: NodeId, except: ReadonlySet<string> = NONE): PublishItem[] {
  const registrations = [...datum.registrations((owner) => owner.session === session)];
  return registrations.filter((registration) => !except.has(keyOf(registration))).map(leftItem);
}

/**
 * A session reports for clients that left it, and not for those that went on to another one: its report on their last
 * publication, which never got here, must not end a registration of another session.
 */
function isForeign(datum: Datum, { removal }: RemoveItem, from: NodeId): boolean {
  const live = datum.registration(removal.registId);
  return live !== undefined && live.owner.session !== from && compareStamps(live, removal.stamp) !== 0;
}
