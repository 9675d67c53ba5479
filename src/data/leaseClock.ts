// The time that counts for leases: it stands still while heartbeats can't be heard. A heartbeat may come to any session
// node, so the silence of a client proves nothing while the link to one of them is gone, or while this process stood
// still. A session that can't be heard for longer than its own lease is not waited for any longer: one broken link must
// not keep the dead listed for ever.

import type { NodeId } from "../model/ids.ts";
import type { Sessions } from "./sessions.ts";

// Within this a process that stood still has read the waiting input of all its links, and a session whose link is back
// has sent the heartbeats that waited for it.
const CATCH_UP_MS = 1_000;

export class LeaseClock {
  readonly #sessions: Pick<Sessions, "members" | "isLinked">;
  readonly #options: { readonly sessionLeaseMs: number };
  /** Members that can't be heard, with the time since then. */
  readonly #unheard = new Map<NodeId, number>();
  /** The time of this clock at `#sinceMs`, or when it was stopped. */
  #value = 0;
  /** The time since which it runs, perhaps a later one; undefined while it stands still. */
  #sinceMs: number | undefined;
  #wokenMs = Number.NEGATIVE_INFINITY;

  constructor(sessions: Pick<Sessions, "members" | "isLinked">, options: { readonly sessionLeaseMs: number }) {
    this.#sessions = sessions;
    this.#options = options;
  }

  /** The time of this clock, in ms. */
  read(nowMs: number): number {
    return this.#sinceMs === undefined ? this.#value : this.#value + Math.max(0, nowMs - this.#sinceMs);
  }

  /** The time at which this clock will show `value`, as far as is known now. */
  atMs(value: number): number {
    return this.#sinceMs === undefined ? Number.POSITIVE_INFINITY : this.#sinceMs + value - this.#value;
  }

  /** Sessions have come or gone, or some have got or lost their links. */
  sessionsChanged(nowMs: number): void {
    const { members = new Set<NodeId>() } = this.#sessions;
    for (const session of this.#unheard.keys()) if (!members.has(session)) this.#unheard.delete(session);
    for (const session of members) {
      if (this.#sessions.isLinked(session)) this.#unheard.delete(session);
      else if (!this.#unheard.has(session)) this.#unheard.set(session, nowMs);
    }
    this.wake(nowMs);
  }

  /** This process stood still for `lateMs`. */
  resumed(lateMs: number, nowMs: number): void {
    if (this.#sinceMs === undefined) return;
    this.#value = this.read(nowMs - lateMs);
    this.#sinceMs = nowMs + CATCH_UP_MS;
  }

  /** The time of the next `wake`. */
  nextMs(): number {
    let next = Number.POSITIVE_INFINITY;
    if (this.#sinceMs !== undefined) return next;
    for (const sinceMs of this.#unheard.values()) {
      const untilMs = sinceMs + this.#options.sessionLeaseMs;
      // One that is not waited for any more changes nothing while there are others.
      if (untilMs > this.#wokenMs) next = Math.min(next, untilMs);
    }
    return next;
  }

  /** Stops, or runs again. */
  wake(nowMs: number): void {
    this.#wokenMs = nowMs;
    const runs = this.#sessions.members !== undefined && this.#hearsAll(nowMs);
    if (runs === (this.#sinceMs !== undefined)) return;
    this.#value = this.read(nowMs);
    this.#sinceMs = runs ? nowMs + CATCH_UP_MS : undefined;
  }

  #hearsAll(nowMs: number): boolean {
    for (const sinceMs of this.#unheard.values()) if (nowMs < sinceMs + this.#options.sessionLeaseMs) return false;
    return true;
  }
}
