// The times in which a session was no member because messages were slow: a link that brings nothing for five seconds is
// given up, and a new one needs four messages in a row within a few seconds. Meta then takes the session for gone, as
// it takes one that is cut off.

import type { NodeId } from "../../model/ids.ts";
import { RELINK_MS, type Span } from "./apart.ts";

export class SlowedOut {
  readonly #spans = new Map<string, Span[]>();
  readonly #lostMs = new Map<NodeId, number>();

  /** The session has noticed the end of a link. */
  linkLost(session: NodeId, nowMs: number): void {
    this.#lostMs.set(session, nowMs);
  }

  /**
   * The list of members has changed from `before` to `listed`. `slowSpans`: the times in which messages were slow. A
   * session that has lost no link since then is not away by slowness.
   */
  learned({
    sessions,
    before,
    listed,
    slowSpans,
    nowMs,
  }: {
    readonly sessions: Iterable<NodeId>;
    readonly before: ReadonlySet<string>;
    readonly listed: ReadonlySet<string>;
    readonly slowSpans: readonly Span[];
    readonly nowMs: number;
  }): void {
    for (const session of sessions) {
      const open = this.#spans.get(session)?.find(({ untilMs }) => untilMs === Number.POSITIVE_INFINITY);
      if (listed.has(session)) {
        if (open !== undefined) open.untilMs = nowMs;
        continue;
      }
      const lostMs = this.#lostMs.get(session) ?? Number.NEGATIVE_INFINITY;
      const isSlowed = slowSpans.some(
        ({ fromMs, untilMs, settleMs }) => fromMs <= lostMs && nowMs <= untilMs + settleMs,
      );
      if (open !== undefined || !before.has(session) || !isSlowed) continue;
      const span = { fromMs: nowMs, untilMs: Number.POSITIVE_INFINITY, settleMs: RELINK_MS };
      this.#spans.set(session, [...this.spans(session), span]);
    }
  }

  spans(session: string): readonly Span[] {
    return this.#spans.get(session) ?? [];
  }
}
