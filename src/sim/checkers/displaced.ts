// The times at which a second process, on a copy of a session's data directory, was a member in the session's place: it
// greeted a meta node that could not hear the session, and was taken for its next run (docs/bugs.md, "known and not
// cured").

import { compareMembers, type Members } from "../../cluster/messages/membership.ts";
import { type NodeId, nodeNameOf } from "../../model/ids.ts";
import { RELINK_MS, type Span } from "./apart.ts";

/** A run of a session. */
interface Run {
  readonly id: NodeId;
  readonly machine: string;
  readonly startMs: number;
}

export class Displaced {
  readonly #spans = new Map<string, Span[]>();
  #members: Members | undefined;

  /** A data node has learned the list of sessions; `isUnheard`: no meta node could hear the session at that time. */
  learned(
    members: Members,
    {
      sessions,
      isUnheard,
      nowMs,
    }: {
      readonly sessions: readonly Run[];
      readonly isUnheard: (session: Run, atMs: number) => boolean;
      readonly nowMs: number;
    },
  ): void {
    if (this.#members !== undefined && compareMembers(members, this.#members) <= 0) return;
    this.#members = members;
    const listed = new Set(members.list.map(({ id }) => id as string));
    for (const session of sessions) {
      const open = this.#spans.get(session.id)?.find(({ untilMs }) => untilMs === Number.POSITIVE_INFINITY);
      if (listed.has(session.id)) {
        if (open !== undefined) open.untilMs = nowMs;
        continue;
      }
      const isCopy = ({ id, machine, startMs }: Run): boolean =>
        nodeNameOf(id) === nodeNameOf(session.id) && machine !== session.machine && isUnheard(session, startMs);
      if (open !== undefined || !sessions.some((other) => listed.has(other.id) && isCopy(other))) continue;
      const span = { fromMs: nowMs, untilMs: Number.POSITIVE_INFINITY, settleMs: RELINK_MS };
      this.#spans.set(session.id, [...this.spans(session.id), span]);
    }
  }

  spans(session: string): readonly Span[] {
    return this.#spans.get(session) ?? [];
  }
}
