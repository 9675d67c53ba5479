// Decides which led slots may be shown: a slot is complete when every session of the cluster has reported what it holds
// in it, and no session that returned after a long absence is still reporting.

import type { NodeId } from "../model/ids.ts";
import type { LedSlot } from "./ledSlot.ts";
import type { Sessions } from "./sessions.ts";
import type { Slots } from "./slots.ts";

export class Completeness {
  readonly #slots: Pick<Slots, "ledSlot">;
  readonly #sessions: Sessions;
  readonly #options: { readonly sessionLeaseMs: number };
  readonly #incomplete = new Set<LedSlot>();
  /** When the members became known. Before that no session was waited for. */
  #membersKnownMs = Number.NEGATIVE_INFINITY;
  /** Slots that have begun or ceased to serve, until the caller takes them. */
  #changed = new Set<LedSlot>();

  /** The node waits for a session that is never heard for its lease. */
  constructor(
    { slots, sessions }: { slots: Pick<Slots, "ledSlot">; sessions: Sessions },
    options: { readonly sessionLeaseMs: number },
  ) {
    this.#slots = slots;
    this.#sessions = sessions;
    this.#options = options;
  }

  /** Every led slot is served. */
  get isComplete(): boolean {
    return this.#incomplete.size === 0;
  }

  /** The node has begun to lead the slot. */
  begun(slot: LedSlot): void {
    this.#incomplete.add(slot);
  }

  /** A newer slot table is here: slots no longer led are not waited for. */
  adopted(): void {
    for (const slot of this.#incomplete) {
      if (this.#slots.ledSlot(slot.contents.slot) !== slot) this.#incomplete.delete(slot);
    }
  }

  /** The session has a registration in this slot that is not here, and was not heard before. */
  waitFor(slot: LedSlot, session: NodeId, nowMs: number): void {
    if (!slot.waitFor(session, nowMs)) return;
    this.#incomplete.add(slot);
    this.#changed.add(slot);
  }

  /** All registrations of the session in this slot are here. */
  heard(slot: LedSlot, session: NodeId, nowMs: number): void {
    slot.markHeard(session);
    this.#serveIfComplete(slot, nowMs);
  }

  /** Sessions have come or gone. A session that is gone is not waited for: its lease decides. */
  sessionsChanged(nowMs: number): void {
    const isFirst = this.#membersKnownMs === Number.NEGATIVE_INFINITY;
    if (isFirst && this.#sessions.members !== undefined) this.#membersKnownMs = nowMs;
    for (const slot of this.#incomplete) {
      for (const session of slot.awaited()) if (this.#sessions.isAbsent(session)) slot.stopWaitingFor(session);
    }
    this.wake(nowMs);
  }

  wake(nowMs: number): void {
    for (const slot of this.#incomplete) this.#serveIfComplete(slot, nowMs);
  }

  /** The slots that have begun or ceased to serve since the last call. */
  takeChanged(): ReadonlySet<LedSlot> {
    const changed = this.#changed;
    if (changed.size > 0) this.#changed = new Set();
    return changed;
  }

  #serveIfComplete(slot: LedSlot, nowMs: number): void {
    const { members } = this.#sessions;
    const { sessionLeaseMs: waitMs } = this.#options;
    const overdueMs = this.#membersKnownMs + waitMs;
    if (members === undefined || !slot.serveIfHeard(members, { nowMs, waitMs, overdueMs })) return;
    this.#incomplete.delete(slot);
    this.#changed.add(slot);
  }
}
