// How a session that was told to stop sends its clients away, and when it may end: they are gone, and what they were
// answered is at the data nodes.

import type { Members } from "../cluster/messages/membership.ts";
import type { NodeId } from "../model/ids.ts";

// Of a client that is closed another session hears within milliseconds; a hundred a second are no load for anybody.
const CLIENT_MS = 10;
// What a session has answered its clients is at the data nodes within milliseconds, or these are away.
const SETTLE_MS_MAX = 5_000;

/** Clients without another session to go to wait for this one to come back, and keep what they have until then. */
export function hasOtherSessions(members: Members | undefined, self: NodeId): boolean {
  return (members?.list ?? []).some(({ id, role }) => role === "session" && id !== self);
}

/** The hand-over of a session with so many clients, which began at `nowMs`. */
export class SessionHandOver {
  readonly #clients: number;
  readonly #startMs: number;
  readonly #spreadMs: number;

  constructor({ clients, spreadMsMax }: { clients: number; spreadMsMax: number }, nowMs: number) {
    this.#clients = clients;
    this.#startMs = nowMs;
    this.#spreadMs = Math.min(spreadMsMax, clients * CLIENT_MS);
  }

  /** How many of its connections are to be closed now. */
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
