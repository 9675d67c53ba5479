// The number of clients of each session, as reported each second. All sessions hear all numbers, so that each of them
// can send clients where there are few. The numbers change all the time and nothing depends on them, so they are sent
// apart from the list of members, and less often the more sessions there are.

import type { ClientCount } from "../cluster/messages/membership.ts";
import type { NodeId } from "../model/ids.ts";

// As often as sessions report.
const TELL_MS_MIN = 1_000;
// Telling n sessions costs n messages of n entries: at most a hundred messages a second.
const TELL_MS_PER_SESSION = 10;

export class ClientCounts {
  #told: ReadonlyMap<NodeId, number> = new Map();
  #toldMs = Number.NEGATIVE_INFINITY;
  #hasNews = false;

  /** A session reports its number of clients; undefined if its release does not report one. */
  heard(session: NodeId, clients: number | undefined): void {
    if (clients !== this.#told.get(session)) this.#hasNews = true;
  }

  /** A session has come or gone. */
  changed(): void {
    this.#hasNews = true;
  }

  /** The numbers to send to all sessions now, if it is time and any is new. */
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
