// A session node that is gone takes nobody with it by itself: its clients come back through another one. If at the end
// of its lease a large part of a service has not come back, and nobody has seen these clients end, then it is more
// likely that we are blind than that they are all dead. The list is held as it is, and says so, until they come back,
// an operator releases it, or a long time is over.

import { Deadlines } from "../base/deadlines.ts";
import type { DataInfoId, NodeId } from "../model/ids.ts";
import type { Datum } from "./datum.ts";

export interface LossProtectionOptions {
  /** A loss of more than so many percent of a service's publishers is held; 100 holds nothing. */
  readonly lossProtectionPercent: number;
  /** Losses of fewer publishers are never held. */
  readonly lossProtectionPublishersMin: number;
  readonly lossProtectionMaxMs: number;
}

/** A service whose list is held, for operators. */
export interface HeldLoss {
  readonly dataInfoId: DataInfoId;
  readonly sinceMs: number;
  /** When it is released by itself. */
  readonly untilMs: number;
  /** Publishers that would go, and all that are listed. */
  readonly lost: number;
  readonly publishers: number;
}

interface Held {
  readonly datum: Datum;
  readonly sinceMs: number;
  readonly sessions: Set<NodeId>;
}

export class LossProtection {
  readonly #options: LossProtectionOptions;
  readonly #held = new Map<DataInfoId, Held>();
  readonly #ends = new Deadlines<DataInfoId>();

  constructor(options: LossProtectionOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#held.size;
  }

  /** Whether the loss of all that `session` answered for in this service is held back; it is remembered then. */
  holds(datum: Datum, session: NodeId, nowMs: number): boolean {
    const known = this.#held.get(datum.dataInfoId);
    const sessions = new Set([...(known?.sessions ?? []), session]);
    const lost = ownedBy(datum, sessions);
    const { lossProtectionPercent, lossProtectionPublishersMin, lossProtectionMaxMs } = this.#options;
    if (lost < lossProtectionPublishersMin || lost * 100 <= datum.size * lossProtectionPercent) return false;
    if (known === undefined) this.#ends.set(datum.dataInfoId, nowMs + lossProtectionMaxMs);
    this.#held.set(datum.dataInfoId, { datum, sinceMs: known?.sinceMs ?? nowMs, sessions });
    return true;
  }

  /** A session is back and answers for its clients again. */
  returned(session: NodeId): void {
    for (const [dataInfoId, { sessions }] of this.#held) {
      if (sessions.delete(session) && sessions.size === 0) this.#drop(dataInfoId);
    }
  }

  /** Ends the hold: the sessions whose publishers are to go now. Empty if the service is not held. */
  release(dataInfoId: DataInfoId): readonly NodeId[] {
    const sessions = [...(this.#held.get(dataInfoId)?.sessions ?? [])];
    this.#drop(dataInfoId);
    return sessions;
  }

  /** The node does not lead this slot any more; its new leader decides. */
  forget(slot: number): void {
    for (const [dataInfoId, { datum }] of this.#held) if (datum.slot === slot) this.#drop(dataInfoId);
  }

  nextMs(): number {
    return this.#ends.nextMs();
  }

  /** The next service whose time is over; it is still to be released. */
  takeEnded(nowMs: number): DataInfoId | undefined {
    return this.#ends.take(nowMs);
  }

  list(): HeldLoss[] {
    return [...this.#held].map(([dataInfoId, { datum, sinceMs, sessions }]) => ({
      dataInfoId,
      sinceMs,
      untilMs: sinceMs + this.#options.lossProtectionMaxMs,
      lost: ownedBy(datum, sessions),
      publishers: datum.size,
    }));
  }

  #drop(dataInfoId: DataInfoId): void {
    this.#held.delete(dataInfoId);
    this.#ends.delete(dataInfoId);
  }
}

function ownedBy(datum: Datum, sessions: ReadonlySet<NodeId>): number {
  let owned = 0;
  for (const _ of datum.registrations(({ session }) => sessions.has(session))) owned++;
  return owned;
}
