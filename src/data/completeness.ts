// Which led slots may be shown. A slot is complete when every session of the cluster has said what it holds in it, and
// none that has come back after a long absence is still saying it. Before that the node takes publications for it and
// shows nobody a list that may lack some.

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
   * A session that is never heard is waited for `waitMs`. `changed` is called for a slot that begins or ceases to
   * serve.
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

  /** A newer slot table is here: what is not led any more is not waited for. */
  adopted(): void {
    for (const slot of this.#incomplete) {
      if (this.#slots.ledSlot(slot.contents.slot) !== slot) this.#incomplete.delete(slot);
    }
  }

  /** What a session brings back, after it was away for long, is shown together and not one by one. */
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

  /** Sessions have come or gone; nobody waits for one that is gone, its lease will tell. */
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
