// Shows lists that name revisions of applications: not before every revision that a list names can be read here. A
// client that is shown an instance can then ask this session what the instance offers.
//
// A list waits as a whole, for REVISION_HOLD_MS at most from when a revision was first wanted, and its subscribers keep
// what they have. After that it is shown without exactly the instances whose revision can't be read: at once if the
// store says that it has no such revision, and if there is no answer only while those are not most of the list, since
// an outage must not take lists away. Nor must its end: answers come in parts, and the rest of a list has its time from
// the part that leaves less than most of it. When the revision comes after all, the leader is asked to issue the list
// anew: subscribers take no list twice under one version.

import { Deadlines } from "../base/deadlines.ts";
import type { Revisions } from "./revisions.ts";
import type { SubscribedService, Subscriptions } from "./subscriptions.ts";

/** A revision that was registered before it was named is here within milliseconds, after a fail-over in seconds. */
export const REVISION_HOLD_MS = 10_000;
// A leader that was asked to issue a list anew, and has not answered, is asked again.
const REISSUE_MS = 2_000;

/** A list that is not shown, or in part. */
interface Waiting {
  readonly isShown: boolean;
  /** The revisions for which it waits, or whose instances it lacks. */
  readonly unreadable: ReadonlySet<string>;
  /** Most of it can't be read, for lack of an answer. */
  readonly isUnanswered: boolean;
  /** The time until which the answers to the rest are waited for, once some have come. */
  readonly restMs: number;
}

interface Effects {
  /** The list has a newer view. */
  show(service: SubscribedService, nowMs: number): void;
  /** The leader is to give the list a higher version. */
  reissue(service: SubscribedService): void;
}

const NOTHING: ReadonlySet<string> = new Set();
const NEVER = Number.NEGATIVE_INFINITY;

export class ShownLists {
  readonly #revisions: Pick<Revisions, "readability" | "soughtSinceMs">;
  readonly #subscriptions: Pick<Subscriptions, "get">;
  readonly #effects: Effects;
  /** Services whose lists name revisions; some are not subscribed any more. */
  readonly #naming = new Set<SubscribedService>();
  readonly #waiting = new Map<SubscribedService, Waiting>();
  readonly #due = new Deadlines<SubscribedService>();

  constructor(
    {
      revisions,
      subscriptions,
    }: { revisions: Pick<Revisions, "readability" | "soughtSinceMs">; subscriptions: Pick<Subscriptions, "get"> },
    effects: Effects,
  ) {
    this.#revisions = revisions;
    this.#subscriptions = subscriptions;
    this.#effects = effects;
  }

  /** The number of lists that are not shown as a whole. */
  get size(): number {
    return this.#waiting.size;
  }

  /** The number of lists that are not shown at all. */
  get held(): number {
    let held = 0;
    for (const { isShown } of this.#waiting.values()) if (!isShown) held++;
    return held;
  }

  /** The revisions that lists name. */
  *named(): Generator<string> {
    for (const service of this.#naming) {
      if (this.#subscriptions.get(service.serviceKey) === service) yield* service.list.named;
      else this.#naming.delete(service);
    }
  }

  /** The service has a newer list. */
  moved(service: SubscribedService, nowMs: number): void {
    this.#due.delete(service);
    if (!service.list.namesRevisions) {
      this.#waiting.delete(service);
      this.#naming.delete(service);
      return this.#effects.show(service, nowMs);
    }
    this.#naming.add(service);
    this.#decide(service, { restMs: this.#waiting.get(service)?.restMs ?? NEVER, nowMs });
  }

  /** Revisions have become readable, or are known not to be. */
  arrived(nowMs: number): void {
    for (const [service, waiting] of [...this.#waiting]) this.#lookAgain(service, waiting, nowMs);
  }

  nextMs(): number {
    return this.#due.nextMs();
  }

  wake(nowMs: number): void {
    for (let service = this.#due.take(nowMs); service !== undefined; service = this.#due.take(nowMs)) {
      const waiting = this.#waiting.get(service);
      if (waiting !== undefined) this.#lookAgain(service, waiting, nowMs);
    }
  }

  #lookAgain(service: SubscribedService, waiting: Waiting, nowMs: number): void {
    if (this.#subscriptions.get(service.serviceKey) !== service) return this.#forget(service);
    const isReadable = (id: string) => this.#revisions.readability(id, nowMs) === "readable";
    const hasCome = [...waiting.unreadable].some(isReadable);
    if (!waiting.isShown) {
      const isEnd = waiting.isUnanswered && hasCome;
      this.#decide(service, { restMs: isEnd ? nowMs + REVISION_HOLD_MS : waiting.restMs, nowMs });
    } else if (hasCome) {
      this.#effects.reissue(service);
      this.#due.set(service, nowMs + REISSUE_MS);
    }
  }

  #decide(service: SubscribedService, { restMs, nowMs }: { restMs: number; nowMs: number }): void {
    const { list } = service;
    const unreadable = new Set<string>();
    let isCertain = true;
    let overdueMs = nowMs;
    for (const id of list.named) {
      const readability = this.#revisions.readability(id, nowMs);
      if (readability === "readable") continue;
      unreadable.add(id);
      if (readability === "sought") isCertain = false;
      overdueMs = Math.max(overdueMs, this.#revisions.soughtSinceMs(id) + REVISION_HOLD_MS);
    }
    const isUnanswered = !isCertain && list.isMostly(unreadable);
    if (!isCertain) overdueMs = Math.max(overdueMs, restMs);
    const isShown = unreadable.size === 0 || (overdueMs <= nowMs && !isUnanswered);
    if (unreadable.size === 0) this.#forget(service);
    else this.#waiting.set(service, { isShown, unreadable, isUnanswered, restMs });
    if (overdueMs > nowMs) this.#due.set(service, overdueMs);
    if (!isShown) return;
    list.show(unreadable.size === 0 ? NOTHING : unreadable);
    this.#effects.show(service, nowMs);
  }

  #forget(service: SubscribedService): void {
    this.#waiting.delete(service);
    this.#due.delete(service);
  }
}
