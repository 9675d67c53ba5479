// The end of a session node takes no client with it by itself: its clients come back through another one. If a large
// part of a service has not come back at the end of its lease, and no session has seen these clients end, then it is
// more likely that we are blind than that they are all dead. The list is held as it is, and marked as held, until they
// come back, an operator releases it, or a long time is over. A service that would lose all publishers is held however
// few they are: an address that may be dead is worth more to its subscribers than none.
//
// Once enough others are listed that the missing publishers would no longer be such a loss, the missing ones have
// another lease's time: some came back, or were started anew, so the others would have too.

import { Deadlines } from "../base/deadlines.ts";
import type { NodeId, ServiceKey } from "../model/ids.ts";
import type { Datum } from "./datum.ts";

/** Settings, each a key of the configuration. */
export interface LossProtectionOptions {
  /** A loss of more than this percentage of a service's publishers is held; 100 holds nothing. */
  readonly lossProtectionPercent: number;
  /** Losses of fewer publishers are held only if the service has no others. */
  readonly lossProtectionPublishersMin: number;
  readonly lossProtectionMaxMs: number;
  readonly sessionLeaseMs: number;
}

/** A service whose list is held, for operators. */
export interface HeldLoss {
  readonly serviceKey: ServiceKey;
  readonly sinceMs: number;
  /** The time at which it is released by itself. */
  readonly untilMs: number;
  /** Publishers that would go, and all that are listed. */
  readonly lost: number;
  readonly publishers: number;
}

// The delay after a change before the publishers are counted again. Counting walks over all of them, and those of a
// large service come back one by one.
const COUNT_MS = 1_000;

interface Held {
  readonly datum: Datum;
  readonly sinceMs: number;
  readonly sessions: Set<NodeId>;
  /** After a change of the list: the time of the next count. */
  countMs: number;
  /** The time at which the missing publishers go, since that would be no great loss any more. */
  releaseMs: number;
}

/** A held service whose publishers were counted, and which stays held. */
export const COUNTED = "counted";

export class LossProtection {
  readonly #options: LossProtectionOptions;
  readonly #held = new Map<ServiceKey, Held>();
  readonly #ends = new Deadlines<ServiceKey>();

  constructor(options: LossProtectionOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#held.size;
  }

  /** The time for which the longest-held service has been held; 0 without one. */
  oldestMs(nowMs: number): number {
    let oldestMs = 0;
    for (const { sinceMs } of this.#held.values()) oldestMs = Math.max(oldestMs, nowMs - sinceMs);
    return oldestMs;
  }

  /** Whether the loss of all publishers of `session` in this service is held; it is remembered then. */
  holdLoss(datum: Datum, session: NodeId, nowMs: number): boolean {
    const known = this.#held.get(datum.serviceKey);
    const sessions = new Set([...(known?.sessions ?? []), session]);
    if (!this.#isGreat(datum, sessions)) return false;
    const sinceMs = known?.sinceMs ?? nowMs;
    const held = { datum, sinceMs, sessions, countMs: Number.POSITIVE_INFINITY, releaseMs: Number.POSITIVE_INFINITY };
    this.#held.set(datum.serviceKey, held);
    this.#plan(held);
    return true;
  }

  /** The list of a service has changed. */
  changed(datum: Datum, nowMs: number): void {
    const held = this.#held.get(datum.serviceKey);
    if (held === undefined || held.countMs < Number.POSITIVE_INFINITY) return;
    held.countMs = nowMs + COUNT_MS;
    this.#plan(held);
  }

  /** A session is back and answers for its clients again. */
  returned(session: NodeId): void {
    for (const [serviceKey, { sessions }] of this.#held) {
      if (sessions.delete(session) && sessions.size === 0) this.#drop(serviceKey);
    }
  }

  /** Ends the hold: the sessions whose publishers are to go now. Empty if the service is not held. */
  release(serviceKey: ServiceKey): readonly NodeId[] {
    const sessions = [...(this.#held.get(serviceKey)?.sessions ?? [])];
    this.#drop(serviceKey);
    return sessions;
  }

  /** The node no longer leads this slot; its new leader decides. */
  forget(slot: number): void {
    for (const [serviceKey, { datum }] of this.#held) if (datum.slot === slot) this.#drop(serviceKey);
  }

  nextMs(): number {
    return this.#ends.nextMs();
  }

  /** The next service whose time is over, still to be released; or COUNTED; or undefined. */
  takeEnded(nowMs: number): ServiceKey | typeof COUNTED | undefined {
    const serviceKey = this.#ends.take(nowMs);
    const held = serviceKey === undefined ? undefined : this.#held.get(serviceKey);
    if (held === undefined || nowMs >= this.#untilMs(held)) return serviceKey;
    this.#count(held, nowMs);
    return COUNTED;
  }

  #count(held: Held, nowMs: number): void {
    const { datum, sessions, releaseMs } = held;
    held.countMs = Number.POSITIVE_INFINITY;
    const dueMs = Math.min(releaseMs, nowMs + this.#options.sessionLeaseMs);
    held.releaseMs = this.#isGreat(datum, sessions) ? Number.POSITIVE_INFINITY : dueMs;
    this.#plan(held);
  }

  #plan(held: Held): void {
    this.#ends.set(held.datum.serviceKey, Math.min(held.countMs, this.#untilMs(held)));
  }

  list(): HeldLoss[] {
    return [...this.#held].map(([serviceKey, held]) => ({
      serviceKey,
      sinceMs: held.sinceMs,
      untilMs: this.#untilMs(held),
      lost: ownedBy(held.datum, held.sessions),
      publishers: held.datum.shown,
    }));
  }

  #isGreat(datum: Datum, sessions: ReadonlySet<NodeId>): boolean {
    const { lossProtectionPercent, lossProtectionPublishersMin } = this.#options;
    const lost = ownedBy(datum, sessions);
    if (lost < lossProtectionPublishersMin && lost < datum.shown) return false;
    return lost * 100 > datum.shown * lossProtectionPercent;
  }

  #untilMs({ sinceMs, releaseMs }: Held): number {
    return Math.min(sinceMs + this.#options.lossProtectionMaxMs, releaseMs);
  }

  #drop(serviceKey: ServiceKey): void {
    this.#held.delete(serviceKey);
    this.#ends.delete(serviceKey);
  }
}

/** The shown publications of these sessions: what operators hide is not lost. */
function ownedBy(datum: Datum, sessions: ReadonlySet<NodeId>): number {
  let owned = 0;
  for (const { registId } of datum.registrations(({ session }) => sessions.has(session))) {
    if (!datum.isHidden(registId)) owned++;
  }
  return owned;
}
