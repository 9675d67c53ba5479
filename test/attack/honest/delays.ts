// How long each change took to each of its subscribers. A change that is overtaken by the next one of its registration
// counts as shown with that.

import { setTimeout as sleep } from "node:timers/promises";
import { type HistoryEvent, monotonicMs, readToken } from "../../faults/history/event.ts";

interface Change {
  readonly registration: string;
  readonly version: number;
  readonly t: number;
  /** Subscriptions that have not shown it. */
  readonly waiting: Set<string>;
}

const POLL_MS = 5;

export class Delays {
  /** By subscription, its service. */
  readonly #services = new Map<string, string>();
  /** By subscription, what it shows: registrations with their versions. */
  readonly #shown = new Map<string, ReadonlyMap<string, number>>();
  #open: Change[] = [];
  #delays: number[] = [];
  #fromMs = Number.POSITIVE_INFINITY;

  subscribed(subscription: string, service: string): void {
    this.#services.set(subscription, service);
  }

  measureFrom(nowMs: number): void {
    this.#fromMs = nowMs;
  }

  see(event: HistoryEvent): void {
    if (event.kind === "call") this.#called(event);
    if (event.kind === "push") this.#pushed(event);
    if (event.kind === "died") this.#open = this.#open.filter(({ registration }) => !isOf(registration, event.client));
  }

  isAllShown(): boolean {
    return this.#open.length === 0;
  }

  /** Whether all subscribers of the service show this registration. */
  isShown(service: string, registration: string): boolean {
    return this.#listsOf(service).every((shown) => shown?.has(registration) ?? false);
  }

  /** Whether any of them does. */
  isListed(service: string, registration: string): boolean {
    return this.#listsOf(service).some((shown) => shown?.has(registration) ?? false);
  }

  async until(condition: () => boolean, limitMs: number): Promise<boolean> {
    const endMs = monotonicMs() + limitMs;
    while (!condition()) {
      if (monotonicMs() > endMs) return false;
      await sleep(POLL_MS);
    }
    return true;
  }

  /** Over all that was measured; what has not been shown yet counts as if it were shown now. */
  summary(nowMs: number): { samples: number; p50Ms: number; p99Ms: number; maxMs: number } {
    const late = this.#open
      .filter(({ t }) => t >= this.#fromMs)
      .flatMap(({ t, waiting }) => [...waiting].map(() => nowMs - t));
    const sorted = [...this.#delays, ...late].sort((a, b) => a - b);
    const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? 0;
    return { samples: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: sorted.at(-1) ?? 0 };
  }

  #listsOf(service: string): (ReadonlyMap<string, number> | undefined)[] {
    return [...this.#services].filter(([, name]) => name === service).map(([name]) => this.#shown.get(name));
  }

  #called({ registration, service, version, t, token }: HistoryEvent & { kind: "call" }): void {
    if (token === null) return;
    const waiting = [...this.#services].filter(([, name]) => name === service).map(([name]) => name);
    this.#open.push({ registration, version, t, waiting: new Set(waiting) });
  }

  #pushed({ subscription, tokens, t }: HistoryEvent & { kind: "push" }): void {
    const shown = new Map<string, number>();
    for (const token of tokens) {
      const read = readToken(token);
      if (read !== undefined) shown.set(read.registration, read.version);
    }
    this.#shown.set(subscription, shown);
    for (const change of this.#open) {
      if ((shown.get(change.registration) ?? 0) < change.version || !change.waiting.delete(subscription)) continue;
      if (change.t >= this.#fromMs) this.#delays.push(t - change.t);
    }
    this.#open = this.#open.filter(({ waiting }) => waiting.size > 0);
  }
}

function isOf(registration: string, client: string): boolean {
  return registration.startsWith(`${client}-`);
}
