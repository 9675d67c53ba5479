// The pushes whose answers are overdue.

import { Deadlines } from "../base/deadlines.ts";
import { answerDueMs } from "./answerDueMs.ts";
import type { PushUnderWay } from "./client.ts";

export class PushTimeouts {
  readonly #timeoutMs: number;
  // In the order in which they were sent, to be checked after push-timeout-ms. Answered ones are skipped when their
  // time comes; the few that have more time are checked again.
  #sent: PushUnderWay[] = [];
  #sentDone = 0;
  readonly #slow = new Deadlines<PushUnderWay>();
  #fromMs = 0;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  add(sent: PushUnderWay): void {
    this.#sent.push(sent);
  }

  /** No push is overdue before this. */
  postpone(fromMs: number): void {
    this.#fromMs = fromMs;
  }

  nextMs(): number {
    const sentMs = this.#sent[this.#sentDone]?.sentMs ?? Number.POSITIVE_INFINITY;
    return Math.max(Math.min(sentMs + this.#timeoutMs, this.#slow.nextMs()), this.#fromMs);
  }

  /** Takes an overdue push. */
  take(nowMs: number): PushUnderWay | undefined {
    if (nowMs < this.#fromMs) return undefined;
    for (let sent = this.#takeNext(nowMs); sent !== undefined; sent = this.#takeNext(nowMs)) {
      if (sent.target.underWay !== sent) continue;
      const dueMs = answerDueMs(sent, sent.target.client, { timeoutMs: this.#timeoutMs, nowMs });
      if (dueMs <= nowMs) return sent;
      this.#slow.set(sent, dueMs);
    }
    return undefined;
  }

  #takeNext(nowMs: number): PushUnderWay | undefined {
    const first = this.#sent[this.#sentDone];
    if (first === undefined || first.sentMs + this.#timeoutMs > nowMs) return this.#slow.take(nowMs);
    this.#sentDone++;
    if (this.#sentDone * 2 > this.#sent.length) {
      this.#sent = this.#sent.slice(this.#sentDone);
      this.#sentDone = 0;
    }
    return first;
  }
}
