// The order in which registrations go out. `serial` is the Java client: one worker sends one request, waits up to a
// second for its answer, and takes the next; every half second all unacknowledged registrations queue again.
// `pipelined` sends at once and matches the answers by id, for benchmarks.

import { defined } from "../../../base/assert.ts";
import type { Registration } from "./registration.ts";

export type RequestMode = "serial" | "pipelined";

interface OpenRequest {
  readonly registration: Registration;
  readonly version: bigint;
  readonly endMs: number;
}

export interface RegisterAnswer {
  readonly isSuccess: boolean;
  readonly isHeldByAnother: boolean;
  readonly version: bigint;
}

/** The Java client's times. */
const INVOKE_TIMEOUT_MS = 1_000;
const RECHECK_MS = 500;
const RESEND_DELAY_MS = 200;
const RESEND_DELAY_MS_MAX = 1_000;

export class Requests {
  readonly #mode: RequestMode;
  readonly #send: (registration: Registration, nowMs: number) => number;
  readonly #waiting = new Set<Registration>();
  readonly #open = new Map<number, OpenRequest>();
  #recheckMs = Number.POSITIVE_INFINITY;

  /** `send` writes the registration's present state and returns the id of the request. */
  constructor(mode: RequestMode, send: (registration: Registration, nowMs: number) => number) {
    this.#mode = mode;
    this.#send = send;
  }

  /** The number of requests sent and not answered. */
  get open(): number {
    return this.#open.size;
  }

  add(registration: Registration, nowMs: number): void {
    this.#waiting.add(registration);
    this.#recheckMs = Math.min(this.#recheckMs, nowMs + RECHECK_MS);
    this.#pump(nowMs);
  }

  /** Adds these in the Java client's order: the least often sent first, then the oldest. */
  addAll(registrations: readonly Registration[], nowMs: number): void {
    for (const registration of registrations) this.#waiting.add(registration);
    if (registrations.length > 0) this.#recheckMs = Math.min(this.#recheckMs, nowMs + RECHECK_MS);
    this.#pump(nowMs);
  }

  /** Takes an answer. Returns the registration if the answer is a success for its present version. */
  answered(id: number, answer: RegisterAnswer, nowMs: number): Registration | undefined {
    const request = this.#open.get(id);
    this.#open.delete(id);
    const registration = request?.registration;
    const isDone = answer.isSuccess && answer.version === request?.version && answer.version === registration?.version;
    if (registration !== undefined) registration.isHeldByAnother = answer.isHeldByAnother;
    if (isDone && registration !== undefined) registration.isDone = true;
    this.#pump(nowMs);
    return isDone ? registration : undefined;
  }

  /** The connection is gone, and with it everything that waited for it. */
  clear(): void {
    this.#waiting.clear();
    this.#open.clear();
    this.#recheckMs = Number.POSITIVE_INFINITY;
  }

  nextWakeMs(): number {
    let soonest = this.#recheckMs;
    for (const { endMs } of this.#open.values()) {
      if (endMs < soonest) soonest = endMs;
      // They were sent in order and all wait for the same time.
      break;
    }
    return soonest;
  }

  /** Gives up requests that were not answered in time, and queues `undone` again at each recheck. */
  tick(nowMs: number, undone: () => readonly Registration[]): void {
    for (const [id, { endMs }] of this.#open) {
      if (endMs > nowMs) break;
      this.#open.delete(id);
    }
    if (nowMs >= this.#recheckMs) this.#recheck(nowMs, undone());
    this.#pump(nowMs);
  }

  #recheck(nowMs: number, undone: readonly Registration[]): void {
    this.#recheckMs = undone.length === 0 ? Number.POSITIVE_INFINITY : nowMs + RECHECK_MS;
    const underWay = new Set([...this.#open.values()].map(({ registration }) => registration));
    for (const registration of undone) {
      const delayMs = Math.min(registration.sendCount * RESEND_DELAY_MS, RESEND_DELAY_MS_MAX);
      if (!underWay.has(registration) && registration.sentMs + delayMs <= nowMs) this.#waiting.add(registration);
    }
  }

  #pump(nowMs: number): void {
    while (this.#waiting.size > 0 && (this.#mode === "pipelined" || this.#open.size === 0)) {
      const registration = this.#first();
      this.#waiting.delete(registration);
      registration.sendCount++;
      registration.sentMs = nowMs;
      const endMs = this.#mode === "serial" ? nowMs + INVOKE_TIMEOUT_MS : Number.POSITIVE_INFINITY;
      const id = this.#send(registration, nowMs);
      this.#open.set(id, { registration, version: registration.version, endMs });
    }
  }

  #first(): Registration {
    let first: Registration | undefined;
    for (const registration of this.#waiting) {
      // A pipeline sends all of them now, so choosing the best one would only cost time.
      if (this.#mode === "pipelined") return registration;
      if (first === undefined || isBefore(registration, first)) first = registration;
    }
    return defined(first, "something waits");
  }
}

function isBefore(a: Registration, b: Registration): boolean {
  return a.sendCount !== b.sendCount ? a.sendCount < b.sendCount : a.timestampMs < b.timestampMs;
}
