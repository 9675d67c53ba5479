// How many clients each session has, as it says itself each second. Sessions are told of all, so that each of them can
// tell clients where there are few. It changes all the time and nothing depends on it: it is told apart from the list
// of members, and the less often the more sessions there are.

import type { ClientCount } from "../cluster/messages/membership.ts";
import type { NodeId } from "../model/ids.ts";

// As often as sessions speak.
const TELL_MS_MIN = 1_000;
// Telling n sessions costs n messages of n entries: a hundred messages a second at the most.
const TELL_MS_PER_SESSION = 10;

export class ClientCounts {
  #told: ReadonlyMap<NodeId, number> = new Map();
  #toldMs = Number.NEGATIVE_INFINITY;
  #hasNews = false;

  /** A session says how many clients it has; nothing if its release does not say. */
  heard(session: NodeId, clients: number | undefined): void {
    if (clients !== this.#told.get(session)) this.#hasNews = true;
  }

  /** A session has come or gone. */
  changed(): void {
    this.#hasNews = true;
  }

  /** What to tell all sessions now, if it is time and anything is new. */
  take(counts: () => readonly ClientCount[], nowMs: number): readonly ClientCount[] | undefined {
    if (nowMs < this.nextMs()) return undefined;
    const list = counts();
    this.#hasNews = false;
    if (list.length === 0 && this.#told.size === 0) return undefined;
    this.#told = new Map(list.map(({ session, clients }) => [session, clients]));
    this.#toldMs = nowMs;
    return list;
  }

  nextMs(): number {
    if (!this.#hasNews) return Number.POSITIVE_INFINITY;
    return this.#toldMs + Math.max(TELL_MS_MIN, this.#told.size * TELL_MS_PER_SESSION);
  }
}
