// Questions about lists. They are answered from the session's copies; a service that is asked for and has no
// subscribers is kept up to date like one that has, until no question has come for a while. A change answers everybody
// who waits for it with the same view.

import { Deadlines } from "../base/deadlines.ts";
import { fail } from "../base/errors.ts";
import type { ServiceKey } from "../model/ids.ts";
import type { Asker, QueryEvent } from "../registry/registry.ts";
import type { ServiceLists } from "./serviceLists.ts";
import type { SubscribedService, Subscriptions } from "./subscriptions.ts";

// Pollers ask every few seconds; one that asks less often than once a minute waits for a fetch.
const KEPT_MS = 60_000;
// Some 300 bytes each; a long poll of each client that a node may have.
const WAITING_MAX = 100_000;
// Services without subscribers that are kept for pollers; of one more the one that was asked for longest ago is let go.
const KEPT_MAX = 10_000;

const NONE: readonly ServiceKey[] = [];

type Asked = Extract<QueryEvent, { readonly kind: "asked" }>;

/** A question that waits for its answer. */
interface Wait {
  readonly service: SubscribedService;
  readonly since: bigint;
}

export class Queries {
  readonly #subscriptions: Subscriptions;
  readonly #lists: Pick<ServiceLists, "fetch">;
  readonly #waits = new Map<Asker, Wait>();
  readonly #byService = new Map<SubscribedService, Set<Asker>>();
  readonly #ends = new Deadlines<Asker>();
  /** Services that are kept for pollers, in the order of their last questions, with the times of these. */
  readonly #kept = new Map<ServiceKey, number>();

  constructor(subscriptions: Subscriptions, lists: Pick<ServiceLists, "fetch">) {
    this.#subscriptions = subscriptions;
    this.#lists = lists;
  }

  /** The number of questions that wait. */
  get size(): number {
    return this.#waits.size;
  }

  /** Answers a question now, or lets it wait, or ends it. Returns services that are let go for this one. */
  step(event: QueryEvent, nowMs: number): readonly ServiceKey[] {
    if (event.kind === "asked") return this.#ask(event, nowMs);
    this.#remove(event.asker);
    return NONE;
  }

  #ask({ asker, serviceKey, since, untilMs }: Asked, nowMs: number): readonly ServiceKey[] {
    if (this.#waits.size >= WAITING_MAX) {
      asker.answer({ kind: "failed", error: fail("QUERIES_EXHAUSTED", { waiting: this.#waits.size }) });
      return NONE;
    }
    const service = this.#subscriptions.open(serviceKey);
    const letGo = this.#keep(service, nowMs);
    const { view } = service.list;
    if (view !== undefined && view.version > since) {
      asker.answer({ kind: "list", view, isNewer: true });
      return letGo;
    }
    this.#waits.set(asker, { service, since });
    const ofService = this.#byService.get(service) ?? new Set();
    this.#byService.set(service, ofService.add(asker));
    this.#ends.set(asker, untilMs);
    if (view === undefined) this.#lists.fetch(service);
    return letGo;
  }

  /** The service has a newer list. */
  changed(service: SubscribedService): void {
    const { view } = service.list;
    const ofService = this.#byService.get(service);
    if (view === undefined || ofService === undefined) return;
    for (const asker of [...ofService]) {
      const wait = this.#waits.get(asker);
      if (wait === undefined || view.version <= wait.since) continue;
      this.#remove(asker);
      asker.answer({ kind: "list", view, isNewer: true });
    }
  }

  nextMs(): number {
    for (const askedMs of this.#kept.values()) return Math.min(this.#ends.nextMs(), askedMs + KEPT_MS);
    return this.#ends.nextMs();
  }

  /** Answers questions whose time is over. Returns services that no question has come for. */
  wake(nowMs: number): readonly ServiceKey[] {
    for (let asker = this.#ends.take(nowMs); asker !== undefined; asker = this.#ends.take(nowMs)) this.#end(asker);
    const letGo: ServiceKey[] = [];
    for (const [serviceKey, askedMs] of this.#kept) {
      if (nowMs < askedMs + KEPT_MS) break;
      const service = this.#subscriptions.get(serviceKey);
      // A question may wait longer than a service is kept after it.
      if (service !== undefined && this.#byService.has(service)) letGo.push(...this.#keep(service, nowMs));
      else letGo.push(this.#letGo(serviceKey));
    }
    return letGo;
  }

  #keep(service: SubscribedService, nowMs: number): readonly ServiceKey[] {
    const { serviceKey } = service;
    service.isPolled = true;
    this.#kept.delete(serviceKey);
    this.#kept.set(serviceKey, nowMs);
    const letGo: ServiceKey[] = [];
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= KEPT_MAX) break;
      const kept = this.#subscriptions.get(oldest);
      if (kept === undefined || !this.#byService.has(kept)) letGo.push(this.#letGo(oldest));
    }
    return letGo;
  }

  #letGo(serviceKey: ServiceKey): ServiceKey {
    const service = this.#subscriptions.get(serviceKey);
    if (service !== undefined) service.isPolled = false;
    this.#kept.delete(serviceKey);
    return serviceKey;
  }

  #end(asker: Asker): void {
    const wait = this.#remove(asker);
    if (wait === undefined) return;
    const { view, serviceKey } = wait.service.list;
    if (view === undefined) asker.answer({ kind: "failed", error: fail("LIST_UNAVAILABLE", { serviceKey }) });
    else asker.answer({ kind: "list", view, isNewer: view.version > wait.since });
  }

  #remove(asker: Asker): Wait | undefined {
    const wait = this.#waits.get(asker);
    if (wait === undefined) return undefined;
    this.#waits.delete(asker);
    this.#ends.delete(asker);
    const ofService = this.#byService.get(wait.service);
    ofService?.delete(asker);
    if (ofService?.size === 0) this.#byService.delete(wait.service);
    return wait;
  }
}
