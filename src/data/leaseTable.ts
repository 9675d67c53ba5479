// The leases of the registrations in led slots, and when they have to be looked at. A heartbeat only notes a time: at
// 3,300 of them a second nothing may be moved for one. So each lease waits in the bucket of one moment, and when that
// has come, one that was renewed meanwhile goes to a later bucket. All times are those of the leases' own clock.

import { Deadlines } from "../base/deadlines.ts";
import type { ServiceKey } from "../model/ids.ts";
import { equalLeases, type Lease, type Publication } from "../model/publication.ts";
import type { LeaseClock } from "./leaseClock.ts";

/** The leases of one service. */
export interface LeasedService {
  readonly serviceKey: ServiceKey;
  readonly slot: number;
  readonly leases: Map<string, KeptLease>;
}

/** The lease of one registration. */
export interface KeptLease {
  readonly service: LeasedService;
  readonly registId: string;
  terms: Lease;
  /** The time of the last heartbeat. */
  renewed: number;
  isUnhealthy: boolean;
  /** The bucket in which it waits; in any other one it is forgotten. */
  bucket: number;
}

// Leases are looked at this much late at the most.
const BUCKET_MS = 250;
const NO_BUCKET = -1;
// Measured, on the heap (bench/micro/leases.ts).
const LEASE_BYTES = 220;

export class LeaseTable {
  readonly #clock: Pick<LeaseClock, "read">;
  readonly #services = new Map<ServiceKey, LeasedService>();
  readonly #bySlot = new Map<number, Set<LeasedService>>();
  readonly #buckets = new Map<number, KeptLease[]>();
  readonly #times = new Deadlines<number>();
  /** Those of registrations whose clients may have told another leader something newer. */
  readonly #doubtful = new Set<KeptLease>();
  #size = 0;
  #unhealthy = 0;

  constructor(clock: Pick<LeaseClock, "read">) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#size;
  }

  /** Their approximate memory. */
  get bytes(): number {
    return this.#size * LEASE_BYTES;
  }

  /** The number of leases whose registrations are shown as not healthy. */
  get unhealthy(): number {
    return this.#unhealthy;
  }

  service(serviceKey: ServiceKey): LeasedService | undefined {
    return this.#services.get(serviceKey);
  }

  find(serviceKey: ServiceKey, registId: string): KeptLease | undefined {
    return this.#services.get(serviceKey)?.leases.get(registId);
  }

  /** A registration begins, or is repeated: both are heartbeats. `isDoubtful`: it is not its client that says so. */
  put(
    { serviceKey, registId, lease, condition }: Omit<Publication, "payload">,
    { slot, nowMs, isDoubtful }: { readonly slot: number; readonly nowMs: number; readonly isDoubtful: boolean },
  ): void {
    if (lease === undefined) return;
    const service = this.#services.get(serviceKey) ?? this.#newService(serviceKey, slot);
    const isUnhealthy = condition?.isHealthy === false;
    const renewed = this.#clock.read(nowMs);
    let kept = service.leases.get(registId);
    if (kept === undefined) {
      kept = { service, registId, terms: lease, renewed, isUnhealthy: false, bucket: NO_BUCKET };
      service.leases.set(registId, kept);
      this.#size++;
    }
    if (!equalLeases(kept.terms, lease)) kept.terms = lease;
    if (isDoubtful) this.#doubtful.add(kept);
    else this.#doubtful.delete(kept);
    kept.renewed = renewed;
    this.setUnhealthy(kept, isUnhealthy);
  }

  /** Clients of this slot may have told another leader something newer. */
  doubt(slot: number): void {
    for (const service of this.#bySlot.get(slot) ?? []) {
      for (const lease of service.leases.values()) this.#doubtful.add(lease);
    }
  }

  /** The registration may not be what its client has told last. */
  isDoubtful(lease: KeptLease): boolean {
    return this.#doubtful.has(lease);
  }

  setUnhealthy(lease: KeptLease, isUnhealthy: boolean): void {
    if (lease.isUnhealthy !== isUnhealthy) this.#unhealthy += isUnhealthy ? 1 : -1;
    lease.isUnhealthy = isUnhealthy;
    this.wait(lease, dueAt(lease));
  }

  /** The registration is gone, or is not kept by a lease any more. */
  removed(serviceKey: ServiceKey, registId: string): void {
    const lease = this.find(serviceKey, registId);
    if (lease === undefined) return;
    const { service } = lease;
    this.#forget(lease);
    service.leases.delete(registId);
    if (service.leases.size > 0) return;
    this.#services.delete(serviceKey);
    this.#bySlot.get(service.slot)?.delete(service);
  }

  /** Another node keeps the leases of this slot now. */
  dropSlot(slot: number): void {
    for (const service of this.#bySlot.get(slot) ?? []) {
      for (const lease of service.leases.values()) this.#forget(lease);
      this.#services.delete(service.serviceKey);
    }
    this.#bySlot.delete(slot);
  }

  /** Has the lease looked at at `time`, or earlier if it waits for that already. */
  wait(lease: KeptLease, time: number): void {
    const bucket = Math.ceil(time / BUCKET_MS);
    if (lease.bucket !== NO_BUCKET && lease.bucket <= bucket) return;
    lease.bucket = bucket;
    const leases = this.#buckets.get(bucket);
    if (leases !== undefined) return void leases.push(lease);
    this.#buckets.set(bucket, [lease]);
    this.#times.set(bucket, bucket * BUCKET_MS);
  }

  /** The time at which the next lease has to be looked at. */
  next(): number {
    return this.#times.nextMs();
  }

  /** Takes a lease that is to be looked at; undefined if there is none yet. */
  take(time: number): KeptLease | undefined {
    while (this.next() <= time) {
      const bucket = Math.round(this.next() / BUCKET_MS);
      const lease = this.#buckets.get(bucket)?.pop();
      if (lease?.bucket === bucket) {
        lease.bucket = NO_BUCKET;
        return lease;
      }
      if (lease !== undefined) continue;
      this.#buckets.delete(bucket);
      this.#times.take(time);
    }
    return undefined;
  }

  #forget(lease: KeptLease): void {
    lease.bucket = NO_BUCKET;
    this.#doubtful.delete(lease);
    this.#size--;
    if (lease.isUnhealthy) this.#unhealthy--;
  }

  #newService(serviceKey: ServiceKey, slot: number): LeasedService {
    const service: LeasedService = { serviceKey, slot, leases: new Map() };
    this.#services.set(serviceKey, service);
    const ofSlot = this.#bySlot.get(slot) ?? new Set();
    this.#bySlot.set(slot, ofSlot.add(service));
    return service;
  }
}

/** The silence after which something happens to the registration next, in ms. */
export function limitOf({ terms, isUnhealthy }: KeptLease): number {
  const { unhealthyAfterMs = terms.removedAfterMs, removedAfterMs } = terms;
  return isUnhealthy ? removedAfterMs : Math.min(unhealthyAfterMs, removedAfterMs);
}

/** The time at which that happens. */
export function dueAt(lease: KeptLease): number {
  return lease.renewed + limitOf(lease);
}
