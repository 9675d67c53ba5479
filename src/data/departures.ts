// The publications of a session that did not come back within its lease: its clients are dead, except those that
// another session has taken over, and unless that would remove too many of one service at once. Another session may
// have taken a client over without knowing that it has to report it again: its clock is behind, and the gone session's
// reports seemed later. It is asked before any of that is removed.

import type { PublishItem } from "../cluster/messages/sessionData.ts";
import type { NodeId, ServiceKey } from "../model/ids.ts";
import type { Contention } from "./contention.ts";
import type { Datum } from "./datum.ts";
import { EndedSessions, type SessionEnd } from "./endedSessions.ts";
import type { Intake } from "./intake.ts";
import { keyOf, leftItem } from "./items.ts";
import type { LedSlot } from "./ledSlot.ts";
import { COUNTED, type LossProtection } from "./lossProtection.ts";
import type { Reconciliation } from "./reconciliation.ts";
import type { Sessions } from "./sessions.ts";
import type { Slots } from "./slots.ts";

const NONE: ReadonlySet<string> = new Set();
const NO_ITEMS: readonly PublishItem[] = [];

// A session that is asked answers at once; what one that can't hear the question holds is missing until it can.
const ANSWER_MS = 5_000;

// The number of held services that one step releases, or whose publishers it counts.
const RELEASES_PER_STEP = 200;

interface Parts {
  readonly slots: Slots;
  readonly sessions: Sessions;
  readonly protection: LossProtection;
  readonly contention: Pick<Contention, "handOver">;
  readonly intake: Pick<Intake, "take">;
  readonly reconciliation: Pick<Reconciliation, "offer">;
}

export class Departures {
  readonly #parts: Parts;
  readonly #ended: EndedSessions;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#ended = new EndedSessions(parts);
  }

  nextMs(): number {
    if (!this.#ended.isDone) return Number.NEGATIVE_INFINITY;
    return Math.min(this.#parts.sessions.nextMs(), this.#parts.protection.nextMs());
  }

  wake(nowMs: number): void {
    const { slots, sessions, protection, intake } = this.#parts;
    for (let gone = sessions.takeEnded(nowMs); gone !== undefined; gone = sessions.takeEnded(nowMs)) {
      for (const slot of slots.led()) this.#begin(slot, gone, nowMs);
    }
    if (!this.#ended.isDone) {
      const removals: PublishItem[] = [];
      this.#ended.work((end, datum) => {
        const left = this.#end(end, datum, nowMs);
        for (const item of left) removals.push(item);
        return left.length;
      });
      intake.take(removals, nowMs);
    }
    for (let left = RELEASES_PER_STEP; left > 0; left--) {
      const held = protection.takeEnded(nowMs);
      if (held === undefined) return;
      if (held !== COUNTED) this.release(held, nowMs);
    }
  }

  /** The publishers held by the loss protection are dead. */
  release(serviceKey: ServiceKey, nowMs: number): void {
    const { slots, protection, intake } = this.#parts;
    const sessions = protection.release(serviceKey);
    const datum = slots.leading(serviceKey)?.contents.datums.get(serviceKey);
    if (datum === undefined) return;
    intake.take(
      sessions.flatMap((session) => removalsOf(datum, session)),
      nowMs,
    );
  }

  #begin(slot: LedSlot, session: NodeId, nowMs: number): void {
    const { sessions, contention, reconciliation } = this.#parts;
    const isOwner = slot.contents.digestOf(session) !== undefined;
    const offered = new Set([
      ...reconciliation.offer(slot, session, (claimant) => sessions.isAbsent(claimant)),
      ...contention.handOver(slot, session, nowMs),
    ]);
    if (offered.size > 0) sessions.watch(session, nowMs, ANSWER_MS);
    slot.forget(session);
    this.#ended.add({ slot, session, isOwner, offered });
  }

  /** Returns the removals of the session's registrations, unless the loss protection holds the service. */
  #end({ slot, session, isOwner, offered }: SessionEnd, datum: Datum, nowMs: number): readonly PublishItem[] {
    datum.interest.forget(session);
    const left = isOwner ? removalsOf(datum, session, offered) : NO_ITEMS;
    slot.contents.dropIfIdle(datum);
    return left.length === 0 || this.#parts.protection.holdLoss(datum, session, nowMs) ? NO_ITEMS : left;
  }
}

function removalsOf(datum: Datum, session: NodeId, except: ReadonlySet<string> = NONE): PublishItem[] {
  const registrations = [...datum.registrations((owner) => owner.session === session)];
  return registrations.filter((registration) => !except.has(keyOf(registration))).map(leftItem);
}
