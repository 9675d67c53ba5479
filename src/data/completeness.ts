// Decides which led slots may be shown. A slot is complete when every session of the cluster has reported what it holds
// in it, and no session that returned after a long absence is still reporting. Before that the node accepts
// publications for it, and sends no list, since a list might be incomplete.

import type { NodeId } from "../model/ids.ts";
import type { Sessions } from "./sessions.ts";
import type { LedSlot, Slots } from "./slots.ts";

export class Completeness {
  readonly #slots: Slots;
  readonly #sessions: Sessions;
  readonly #waitMs: number;
  readonly #changed: (slot: LedSlot) => void;
  readonly #incomplete = new Set<LedSlot>();

  /**
   * The node waits for a session that is never heard for `waitMs`. `changed` is called for a slot that begins or ceases
   * to serve.
   */
  constructor(
    { slots, sessions }: { slots: Slots; sessions: Sessions },
    waitMs: number,
    changed: (slot: LedSlot) => void,
  ) {
    this.#slots = slots;
    this.#sessions = sessions;
    this.#waitMs = waitMs;
    this.#changed = changed;
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

  /** The registrations that a session brings back after a long absence are shown together and not one by one. */
  awaits(slot: LedSlot, session: NodeId, nowMs: number): void {
    slot.awaited.add(session);
    if (!slot.isServing) return;
    slot.isServing = false;
    slot.sinceMs = nowMs;
    this.#incomplete.add(slot);
    this.#changed(slot);
  }

  heard(slot: LedSlot, session: NodeId, nowMs: number): void {
    slot.heard.add(session);
    slot.upToDate.add(session);
    slot.spoke.add(session);
    slot.awaited.delete(session);
    this.#serveIfComplete(slot, nowMs);
  }

  /** Sessions have come or gone. A session that is gone is not waited for: its lease decides. */
  sessionsChanged(nowMs: number): void {
    for (const slot of this.#incomplete) {
      for (const session of slot.awaited) if (this.#sessions.isAbsent(session)) slot.awaited.delete(session);
    }
    this.wake(nowMs);
  }

  wake(nowMs: number): void {
    for (const slot of this.#incomplete) this.#serveIfComplete(slot, nowMs);
  }

  #serveIfComplete(slot: LedSlot, nowMs: number): void {
    const { members } = this.#sessions;
    if (slot.isServing || members === undefined) return;
    const isOverdue = nowMs >= slot.sinceMs + this.#waitMs;
    if (!isOverdue && (slot.awaited.size > 0 || ![...members].every((session) => slot.heard.has(session)))) return;
    slot.isServing = true;
    slot.awaited.clear();
    this.#incomplete.delete(slot);
    this.#changed(slot);
  }
}
