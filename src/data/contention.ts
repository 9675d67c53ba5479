// Registrations that clients at two sessions want: decides which of them has one, which session is asked before it is
// removed, and which client gets it when its holder goes. The state of each slot's contests is in its contents
// (challenges.ts, contests.ts).

import type { InventoryEntry, PublishItem, Superseded } from "../cluster/messages/sessionData.ts";
import type { NodeId } from "../model/ids.ts";
import { compareStamps, type Registration } from "../model/publication.ts";
import type { Challenge } from "./challenges.ts";
import type { DataOutput } from "./dataPorts.ts";
import type { Datum } from "./datum.ts";
import { keyOf, wantedOf } from "./items.ts";
import type { LedSlot } from "./ledSlot.ts";
import type { Sessions } from "./sessions.ts";
import type { SlotContents } from "./slotContents.ts";
import type { Slots } from "./slots.ts";
import { type RemoveItem, WithheldRemovals } from "./withheldRemovals.ts";

const NO_ITEMS: readonly PublishItem[] = [];

export class Contention {
  readonly #slots: Slots;
  readonly #sessions: Sessions;
  readonly #output: Pick<DataOutput, "toSession" | "contested">;
  readonly #withheld: WithheldRemovals;
  /** The questions to each session, sent at the end of this step. */
  readonly #asked = new Map<NodeId, InventoryEntry[]>();

  constructor(
    { slots, sessions }: { slots: Slots; sessions: Sessions },
    output: Pick<DataOutput, "toSession" | "contested">,
  ) {
    this.#slots = slots;
    this.#sessions = sessions;
    this.#output = output;
    this.#withheld = new WithheldRemovals(sessions, output);
  }

  /** Checks a removal before it is applied. Returns true if it must not be applied, or not yet. */
  keepOut(item: RemoveItem, from: NodeId | undefined, at: { led: LedSlot; datum: Datum; nowMs: number }): boolean {
    if (from === undefined || item.removal.cause !== "left") return false;
    return this.#withheld.withhold(item, from, at) || isForeign(at.datum, item, from);
  }

  /** Judges a session's item for a registration that another session's client holds; see `Intake`. */
  judge(
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
    const { serviceKey, registId, version, registeredMs, owner } = live;
    if (verdict.isAsked) {
      const asked = this.#asked.get(holding) ?? [];
      this.#asked.set(holding, asked);
      asked.push({ serviceKey, registId, version, registeredMs });
    }
    const by = item.kind === "put" ? item.publication.owner.client : item.removal.client;
    if (verdict.isNews && by !== undefined) {
      this.#output.contested({ serviceKey, registId, holder: owner.client, by });
    }
    return verdict.superseded;
  }

  /**
   * A session reports that its clients don't answer for these: the asker at a holder's own address gets them. Returns
   * the removals that were asked for.
   */
  yielded(session: NodeId, registrations: readonly InventoryEntry[], nowMs: number): PublishItem[] {
    const removals: PublishItem[] = [];
    for (const entry of registrations) {
      const contents = this.#slots.leading(entry.serviceKey)?.contents;
      const live = contents?.datums.get(entry.serviceKey)?.registration(entry.registId);
      if (contents === undefined || live?.owner.session !== session || compareStamps(live, entry) !== 0) continue;
      const challenge = contents.challenges.markYielded(live, nowMs);
      if (challenge !== undefined) removals.push(...this.#meet(contents, challenge));
    }
    return removals;
  }

  /**
   * The link to a session is gone, and it can't be asked any more: the asker at a holder's own address gets the
   * registration. Returns the removals that were asked for.
   */
  unlinked(session: NodeId, nowMs: number): PublishItem[] {
    const removals: PublishItem[] = [];
    for (const { contents } of this.#slots.led()) {
      for (const challenge of contents.challenges.ofHolders(nowMs)) {
        const live = contents.datums.get(challenge.serviceKey)?.registration(challenge.registId);
        if (live?.owner.session === session) removals.push(...this.#meet(contents, challenge));
      }
    }
    return removals;
  }

  /** A link to the session is made. */
  linked(session: NodeId, nowMs: number): void {
    this.#withheld.linked(session, nowMs);
  }

  /** Sessions that asked for the gone session's registrations may have them now; returns these. */
  handOver({ contents }: LedSlot, gone: NodeId, nowMs: number): string[] {
    const granted: string[] = [];
    for (const { serviceKey, registId, session } of contents.challenges.values()) {
      const live = contents.datums.get(serviceKey)?.registration(registId);
      if (live?.owner.session !== gone || this.#sessions.isAbsent(session)) continue;
      if (contents.challenges.markGranted(live, nowMs) === undefined) continue;
      this.#output.toSession(session, wantedOf(contents.slot, live));
      granted.push(keyOf(live));
    }
    return granted;
  }

  /** The holder does not answer: the session that asked may have the registration, or its removal is to be taken. */
  #meet({ slot, challenges }: SlotContents, { session, removal, ...key }: Challenge): readonly PublishItem[] {
    if (removal !== undefined) {
      challenges.withdraw(key, session);
      return [removal];
    }
    this.#output.toSession(session, wantedOf(slot, key));
    return NO_ITEMS;
  }

  /** This process stood still: messages that seem late may have been sent meanwhile. */
  resumed(nowMs: number): void {
    this.#withheld.resumed(nowMs);
  }

  nextMs(): number {
    return this.#withheld.nextMs();
  }

  /** Asks the questions of this step. Returns removals of clients for which no other session has answered in time. */
  takeEnded(nowMs: number): PublishItem[] {
    for (const [session, registrations] of this.#asked) {
      this.#output.toSession(session, { kind: "challenged", registrations });
    }
    this.#asked.clear();
    return this.#withheld.takeEnded(nowMs);
  }
}

/**
 * A session reports for clients that left it, and not for those that went on to another one: its report on their last
 * publication, which never got here, must not end a registration of another session.
 */
function isForeign(datum: Datum, { removal }: RemoveItem, from: NodeId): boolean {
  const live = datum.registration(removal.registId);
  return live !== undefined && live.owner.session !== from && compareStamps(live, removal.stamp) !== 0;
}
