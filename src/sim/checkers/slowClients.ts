// The time for which lists and answers were under way between clients and their sessions: a narrow line brings a list
// slowly, and a session waits for the answer to one push before it sends the next list.

import type { Fact } from "../facts.ts";

/**
 * From then on the client's messages took this much longer, or its line carried bytes; up to Infinity if it goes on.
 */
interface Span {
  readonly fromMs: number;
  readonly lateMs: number;
  untilMs: number;
}

export class SlowClients {
  // By client and connection.
  readonly #lines = new Map<string, Span[]>();
  // By client.
  readonly #answers = new Map<string, Span[]>();

  see(fact: Fact, nowMs: number): void {
    switch (fact.kind) {
      case "line":
        return mark(this.#lines, lineOf(fact), { lateMs: 0, isOn: fact.isSlow, nowMs });
      case "late":
        return mark(this.#answers, fact.client, { lateMs: fact.lateMs, isOn: fact.lateMs > 0, nowMs });
      case "connected":
        this.#answers.delete(fact.client);
        return;
      default:
    }
  }

  /**
   * The time by which a client must have a list that it would have within `boundMs` otherwise, as known at `nowMs`: the
   * line may have carried this list and the one before, and the answer to that one may have been late.
   */
  dueMs(
    on: { readonly client: string; readonly connection: number },
    { fromMs, boundMs, nowMs }: { readonly fromMs: number; readonly boundMs: number; readonly nowMs: number },
  ): number {
    const lines = this.#lines.get(lineOf(on)) ?? [];
    const carriedMs = lines.map((span) => Math.max(0, Math.min(span.untilMs, nowMs) - Math.max(span.fromMs, fromMs)));
    const readMs = fromMs + boundMs + carriedMs.reduce((sum, ms) => sum + ms, 0);
    // An answer from before the end of a span arrives in its own time after that.
    const lateMs = (this.#answers.get(on.client) ?? [])
      .filter((span) => span.fromMs <= readMs)
      .map((span) => span.lateMs - Math.max(0, fromMs - span.untilMs));
    return readMs + Math.max(0, ...lateMs);
  }
}

function lineOf({ client, connection }: { readonly client: string; readonly connection: number }): string {
  return `${client} ${connection}`;
}

function mark(
  spans: Map<string, Span[]>,
  key: string,
  { lateMs, isOn, nowMs }: { lateMs: number; isOn: boolean; nowMs: number },
): void {
  const known = spans.get(key) ?? [];
  spans.set(key, known);
  const last = known.at(-1);
  if (last?.untilMs === Number.POSITIVE_INFINITY) last.untilMs = nowMs;
  if (isOn) known.push({ fromMs: nowMs, lateMs, untilMs: Number.POSITIVE_INFINITY });
}
