// A session that was told to stop sends its clients away, and may end when they are gone and everything answered to
// them is at the data nodes.

import type { Members } from "../cluster/messages/membership.ts";
import type { NodeId } from "../model/ids.ts";

// A client that is closed reaches another session within milliseconds; a hundred a second are no load.
const CLIENT_MS = 10;
// Data nodes have everything answered to clients within milliseconds, and new leaders within a second or two. After
// this time clients that are still here have come back through other sessions, or used up their grace.
const SETTLE_MS_MAX = 5_000;

/** Clients without another session to go to wait for this one to come back, and keep their state until then. */
export function hasOtherSessions(members: Members | undefined, self: NodeId): boolean {
  return (members?.list ?? []).some(({ id, role }) => role === "session" && id !== self);
}

/** The hand-over of a session with this many clients, which began at `nowMs`. */
export class SessionHandOver {
  readonly #clients: number;
  readonly #startMs: number;
  readonly #spreadMs: number;

  constructor({ clients, spreadMsMax }: { clients: number; spreadMsMax: number }, nowMs: number) {
    this.#clients = clients;
    this.#startMs = nowMs;
    this.#spreadMs = Math.min(spreadMsMax, clients * CLIENT_MS);
  }

  /** The number of its connections to close now. */
  due(connections: number, nowMs: number): number {
    const passedMs = nowMs - this.#startMs;
    const share = this.#spreadMs === 0 ? 1 : Math.min(1, passedMs / this.#spreadMs);
    return Math.max(0, connections - Math.floor(this.#clients * (1 - share)));
  }

  isOver({ connections, isDrained }: { connections: number; isDrained: boolean }, nowMs: number): boolean {
    const isEmpty = connections === 0 && isDrained;
    return isEmpty || nowMs >= this.#startMs + this.#spreadMs + SETTLE_MS_MAX;
  }
}
