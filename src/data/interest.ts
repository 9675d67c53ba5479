// The sessions that want to hear of one service, and those of them that still wait for an answer because its list is
// held. A session repeats its interest with each version scan; an interest that is not repeated is forgotten, since the
// message that ends it may be lost with a link.

import type { DatumVersion } from "../model/datum.ts";
import type { NodeId } from "../model/ids.ts";

export class Interest {
  /** The time of each session's last question. */
  readonly #asked = new Map<NodeId, number>();
  /** The version that each waiting session has. Most services have none. */
  #waiting: Map<NodeId, DatumVersion> | undefined;
  /** The list has changed while it was held, and interested sessions have not heard of it. */
  isUntold = false;

  /** No session wants to hear of the service. */
  get isEmpty(): boolean {
    return this.#asked.size === 0;
  }

  /** All interested sessions. */
  sessions(): Iterable<NodeId> {
    return this.#asked.keys();
  }

  /** The interested sessions that have asked since `sinceMs`; the others are forgotten. */
  sessionsSince(sinceMs: number): NodeId[] {
    this.forgetBefore(sinceMs);
    return [...this.#asked.keys()];
  }

  /** A session asks: it hears every change from now on. */
  asked(session: NodeId, nowMs: number): void {
    this.#asked.set(session, nowMs);
  }

  /** The session, which has the version `have`, is answered when the list is no longer held. */
  wait(session: NodeId, have: DatumVersion): void {
    this.#waiting ??= new Map();
    this.#waiting.set(session, have);
  }

  isWaiting(session: NodeId): boolean {
    return this.#waiting?.has(session) === true;
  }

  /** The waiting sessions, with the version that each has. */
  waiting(): readonly (readonly [NodeId, DatumVersion])[] {
    return this.#waiting === undefined ? NONE : [...this.#waiting];
  }

  /** The number of waiting sessions. */
  get waitingSize(): number {
    return this.#waiting?.size ?? 0;
  }

  /** The session no longer waits. */
  answered(session: NodeId): void {
    this.#waiting?.delete(session);
    if (this.#waiting?.size === 0) this.#waiting = undefined;
  }

  /** The session is gone, or has no subscribers any more. */
  forget(session: NodeId): void {
    this.answered(session);
    this.#asked.delete(session);
  }

  /** Forgets sessions whose last question was before `sinceMs`. */
  forgetBefore(sinceMs: number): void {
    for (const [session, askedMs] of this.#asked) if (askedMs < sinceMs) this.#asked.delete(session);
  }

  /** Another node leads the service: its sessions will report their interest to that one. */
  clear(): void {
    this.#asked.clear();
    this.#waiting = undefined;
  }
}

const NONE: readonly (readonly [NodeId, DatumVersion])[] = [];
