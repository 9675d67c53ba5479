// Requests of clients that wait: for the store, and then for this node's copy to have what the store has.

import { Deadlines } from "../base/deadlines.ts";
import { fail, type RegistryError } from "../base/errors.ts";
import type { PersistentAnswer, PutRequest, RemoveRequest, ReportRequest } from "../registry/persistent.ts";

export type Request = PutRequest | RemoveRequest | ReportRequest;
type Done = PersistentAnswer & { readonly kind: "done" };

// Some 2 KiB each.
const WAITING_MAX = 20_000;

interface Stored {
  readonly request: Request;
  readonly revision: bigint;
  readonly answer: Done;
}

export class Waiting {
  /** The times at which they are answered at the latest. */
  readonly #ends = new Deadlines<Request>();
  /** The store has these. */
  readonly #stored = new Map<Request, Stored>();
  #revision = 0n;

  get size(): number {
    return this.#ends.size;
  }

  /** The reason why no more can wait. */
  refusal(): RegistryError | undefined {
    const { size: waiting } = this.#ends;
    return waiting < WAITING_MAX ? undefined : fail("OVERLOADED", { waiting, max: WAITING_MAX });
  }

  add(request: Request): void {
    this.#ends.set(request, request.untilMs);
  }

  isWaiting(request: Request): boolean {
    return this.#ends.has(request);
  }

  /** Answers a request, unless it has its answer. */
  end(request: Request, answer: PersistentAnswer): void {
    if (!this.#ends.has(request)) return;
    this.#ends.delete(request);
    this.#stored.delete(request);
    request.done(answer);
  }

  /** Answers when this node's copy has the revision. */
  endAt(request: Request, revision: bigint, answer: Done): void {
    if (!this.#ends.has(request)) return;
    if (revision <= this.#revision) return this.end(request, answer);
    this.#stored.set(request, { request, revision, answer });
  }

  /** The copy has everything up to this revision. */
  reached(revision: bigint): void {
    this.#revision = revision;
    for (const one of [...this.#stored.values()]) if (one.revision <= revision) this.end(one.request, one.answer);
  }

  nextMs(): number {
    return this.#ends.nextMs();
  }

  wake(nowMs: number): void {
    for (let request = this.#ends.take(nowMs); request !== undefined; request = this.#ends.take(nowMs)) {
      const stored = this.#stored.get(request);
      this.#stored.delete(request);
      const reason = "no answer in time";
      request.done(stored?.answer ?? { kind: "failed", error: fail("STORE_OUTCOME_UNKNOWN", { reason }) });
    }
  }
}
