// Registrations that are kept by heartbeats. The data nodes alone keep them: a session passes a request on, and answers
// when the leader of the slot has taken it. Until then it knows the client that waits. That decides between two
// requests for one registration that came to sessions whose clocks differ: the one that loses by its time alone is sent
// again with a later time if its client still waits, since a client waits for one answer before its next request.

import { Deadlines } from "../base/deadlines.ts";
import { fail, type RegistryError } from "../base/errors.ts";
import type { Renewed } from "../cluster/messages/lease.ts";
import {
  type DataToSession,
  type PublishItem,
  registIdOf,
  type Superseded,
  serviceKeyOf,
} from "../cluster/messages/sessionData.ts";
import type { NodeId } from "../model/ids.ts";
import { compareStamps, LEASE_KEEPER, type Lease, type Publication, type Stamp } from "../model/publication.ts";
import { LEASE_MS_MAX, LEASE_MS_MIN, type LeaseAnswer, type LeaseAsker, type LeaseEvent } from "../registry/lease.ts";
import type { Admission } from "./admission.ts";
import { registrationKey } from "./client.ts";
import type { DataLinks } from "./dataLinks.ts";
import type { Fullness } from "./fullness.ts";
import { PassedRequests } from "./passedRequests.ts";
import { Renewals } from "./renewals.ts";

// A heartbeat is a look at a table, and a registration a change that all subscribers hear of.
const RENEWAL_WORK = 1 / 20;

// Some 1,000 bytes each.
const PENDING_MAX = 100_000;

type Taken = Extract<DataToSession, { kind: "taken" }>;

/** The newest request for a registration, until a leader has taken it. */
interface Pending {
  item: PublishItem;
  readonly askers: LeaseAsker[];
}

interface Parts {
  readonly links: DataLinks;
  readonly admission: Pick<Admission, "leaseRefusal">;
  readonly fullness: Pick<Fullness, "refusal">;
}

export class Leases {
  readonly #parts: Parts;
  readonly #renewals: Renewals;
  readonly #passed: PassedRequests;
  readonly #pending = new Map<string, Pending>();
  /** The times by which requests are answered; an asker without one has its answer. */
  readonly #ends = new Deadlines<LeaseAsker>();

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#passed = new PassedRequests(parts.links);
    this.#renewals = new Renewals({ links: parts.links, passed: this.#passed }, this.#ends);
  }

  /** The number of registrations, and ends of registrations, that no leader has taken yet. */
  get unanswered(): number {
    return this.#pending.size;
  }

  /** The number of requests that wait for a leader. */
  get waiting(): number {
    return this.#pending.size + this.#renewals.size;
  }

  step(event: LeaseEvent, nowMs: number): void {
    const refusal = this.#refusal(event, nowMs);
    if (refusal !== undefined) return event.asker.answer({ kind: "failed", error: refusal });
    switch (event.kind) {
      case "leaseRenewed":
        return this.#renewals.renew(event, nowMs);
      case "leased":
        return this.#publish({ kind: "put", publication: this.#publicationOf(event, nowMs) }, event);
      case "leaseEnded":
        return this.#publish({ kind: "remove", removal: this.#removalOf(event, nowMs) }, event);
    }
  }

  /** A leader has taken a batch. Returns that, and its answer without the items of leases. */
  taken(from: NodeId, items: readonly PublishItem[], answer: Taken): readonly [readonly PublishItem[], Taken] {
    if (this.#pending.size === 0) return [items, answer];
    const superseded = new Map(answer.superseded.map((one) => [registrationKey(one), one]));
    const unlisted = new Map(answer.unlisted.map((one) => [registrationKey(one), one]));
    for (const item of items) {
      const key = keyOf(item);
      const pending = this.#pending.get(key);
      if (pending?.item !== item) continue;
      this.#passed.answered(serviceKeyOf(item), from);
      const lost = superseded.get(key);
      const outgrown = unlisted.get(key);
      superseded.delete(key);
      unlisted.delete(key);
      if (outgrown !== undefined) {
        const { serviceKey: service, bytes, bytesMax } = outgrown;
        this.#answer(key, { kind: "failed", error: fail("SERVICE_FULL", { service, bytes, bytesMax }) });
      } else if (lost === undefined) this.#answer(key, { kind: "accepted", isHeard: true });
      else this.#lost(key, pending, lost);
    }
    return [items, { ...answer, superseded: [...superseded.values()], unlisted: [...unlisted.values()] }];
  }

  renewed(node: NodeId, message: Renewed, nowMs: number): void {
    this.#renewals.renewed(node, message, nowMs);
  }

  /** A node can be reached, or other nodes lead. */
  dataChanged(nowMs: number): void {
    this.#renewals.dataChanged(nowMs);
  }

  dataDown(node: NodeId, nowMs: number): void {
    this.#renewals.dataDown(node, nowMs);
  }

  nextMs(): number {
    return Math.min(this.#ends.nextMs(), this.#renewals.nextMs());
  }

  wake(nowMs: number): void {
    this.#renewals.wake(nowMs);
    for (let asker = this.#ends.take(nowMs); asker !== undefined; asker = this.#ends.take(nowMs)) {
      asker.answer({ kind: "accepted", isHeard: false });
    }
  }

  #refusal(event: LeaseEvent, nowMs: number): RegistryError | undefined {
    const { admission, fullness } = this.#parts;
    if (event.kind === "leaseRenewed") return event.account.work(nowMs, RENEWAL_WORK);
    const refusal = admission.leaseRefusal(event.account, nowMs);
    if (refusal !== undefined || event.kind === "leaseEnded") return refusal;
    return faultOf(event.lease) ?? fullness.refusal(event.publication, undefined, nowMs);
  }

  #publish(item: PublishItem, { asker, untilMs }: LeaseEvent): void {
    const key = keyOf(item);
    const before = this.#pending.get(key);
    if (before === undefined && this.#pending.size >= PENDING_MAX) {
      const error = fail("OVERLOADED", { waiting: this.#pending.size, max: PENDING_MAX });
      return asker.answer({ kind: "failed", error });
    }
    const isOlder = before !== undefined && compareStamps(stampOf(item), stampOf(before.item)) < 0;
    if (isOlder) return asker.answer({ kind: "accepted", isHeard: false });
    // A newer request replaces one that is not sent yet; both clients have their answer when that one is taken.
    const askers = before?.askers ?? [];
    askers.push(asker);
    this.#pending.set(key, { item, askers });
    this.#ends.set(asker, untilMs);
    this.#parts.links.publish(item);
  }

  #lost(key: string, pending: Pending, { by, stamp, holder }: Superseded): void {
    const { item } = pending;
    if (holder !== undefined) {
      const error = fail("REGISTRATION_HELD", { registId: registIdOf(item), version: by.version, holder });
      return this.#answer(key, { kind: "failed", error });
    }
    const isCurrent = pending.askers.some((asker) => this.#ends.has(asker));
    if (by.version > stamp.version || !isCurrent) return this.#answer(key, { kind: "accepted", isHeard: true });
    pending.item = withTime(item, by.registeredMs + 1);
    this.#parts.links.publish(pending.item);
  }

  /** Answers the clients that wait for this registration. */
  #answer(key: string, answer: LeaseAnswer): void {
    const askers = this.#pending.get(key)?.askers ?? [];
    this.#pending.delete(key);
    for (const asker of askers) {
      if (!this.#ends.has(asker)) continue;
      this.#ends.delete(asker);
      asker.answer(answer);
    }
  }

  #publicationOf(event: LeaseEvent & { kind: "leased" }, nowMs: number): Publication {
    const { holder: client, lease, publication, isHealthy = true } = event;
    const registeredMs = this.#timeOf(publication, nowMs);
    const condition = isHealthy ? undefined : { condition: { isHealthy } };
    return { ...publication, registeredMs, owner: { session: LEASE_KEEPER, client }, lease, ...condition };
  }

  #removalOf(event: LeaseEvent & { kind: "leaseEnded" }, nowMs: number) {
    const { serviceKey, registId, version } = event.key;
    const stamp: Stamp = { version, registeredMs: this.#timeOf(event.key, nowMs) };
    return { serviceKey, registId, cause: "unpublished", stamp, client: event.holder, isOfLease: true } as const;
  }

  /** Requests of one millisecond have times in their order. */
  #timeOf(key: Parameters<typeof registrationKey>[0], nowMs: number): number {
    const before = this.#pending.get(registrationKey(key))?.item;
    return before === undefined ? Math.floor(nowMs) : Math.max(Math.floor(nowMs), stampOf(before).registeredMs + 1);
  }
}

function keyOf(item: PublishItem): string {
  return registrationKey({ serviceKey: serviceKeyOf(item), registId: registIdOf(item) });
}

function stampOf(item: PublishItem): Stamp {
  return item.kind === "put" ? item.publication : item.removal.stamp;
}

function withTime(item: PublishItem, registeredMs: number): PublishItem {
  if (item.kind === "put") return { kind: "put", publication: { ...item.publication, registeredMs } };
  const { version } = item.removal.stamp;
  return { kind: "remove", removal: { ...item.removal, stamp: { version, registeredMs } } };
}

/** The reason why there is no such lease. */
function faultOf({ removedAfterMs, unhealthyAfterMs = LEASE_MS_MIN }: Lease): RegistryError | undefined {
  const expected = `${LEASE_MS_MIN} to ${LEASE_MS_MAX}`;
  for (const [field, value] of Object.entries({ removedAfterMs, unhealthyAfterMs })) {
    const isFine = Number.isInteger(value) && value >= LEASE_MS_MIN && value <= LEASE_MS_MAX;
    if (!isFine) return fail("FIELD_INVALID", { field, value, expected });
  }
  return undefined;
}
