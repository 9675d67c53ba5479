// The lease of leadership in etcd: a key that ends with a lease of etcd's own, which only etcd's clock counts, in whole
// seconds. The epoch is the revision that created the key, so it grows with every change of leader. A commit that
// demands the lease compares the key in its transaction: it is made before the key ends, or not at all.

import { assert } from "../../base/assert.ts";
import type { LeaderLease, LeaseCandidate } from "../../records/records.ts";
import type { Etcd } from "./etcdCalls.ts";
import { isObject, type Json } from "./exchange.ts";
import { EtcdFailure, isNotFound } from "./failure.ts";
import {
  type Keys,
  leaseIs,
  leaseValue,
  numberIn,
  pairsIn,
  readLease,
  revisionIn,
  revisionIs,
  type StoredLease,
} from "./messages.ts";

// The lease that was found may end before it is used; that the next one does, too, is not to be expected.
const TRIES_MAX = 4;

// No lease of etcd's has this number.
const NO_LEASE = "9223372036854775807";

export class EtcdLease {
  readonly #keys: Keys;
  /** The last lease given to this store, with the seconds that it is given for. */
  #held: (StoredLease & { readonly seconds: number }) | undefined;

  constructor(keys: Keys) {
    this.#keys = keys;
  }

  async acquire(etcd: Etcd, candidate: LeaseCandidate, leaseMs: number): Promise<LeaderLease> {
    assert(leaseMs > 0, "a lease has a time");
    for (let tries = 1; tries <= TRIES_MAX; tries++) {
      const stored = await this.#stored(etcd);
      const lease = await (stored === undefined
        ? this.#take(etcd, candidate, leaseMs)
        : this.#renewOrTell(etcd, { stored, candidate, leaseMs }));
      if (lease !== undefined) return lease;
    }
    throw new EtcdFailure("the lease of leadership ends again and again");
  }

  async release(etcd: Etcd, epoch: bigint): Promise<void> {
    const stored = await this.#stored(etcd);
    if (stored?.epoch === epoch && stored.id === this.idOf(epoch)) await revoke(etcd, stored.id);
  }

  /** etcd's lease behind an epoch; one that there is not if the epoch was never given to this store. */
  idOf(epoch: bigint): string {
    return this.#held?.epoch === epoch ? this.#held.id : NO_LEASE;
  }

  async #stored({ ask }: Etcd): Promise<StoredLease | undefined> {
    const [pair] = pairsIn(await ask("/v3/kv/range", { key: this.#keys.lease }));
    return pair === undefined ? undefined : readLease(pair);
  }

  /** Undefined if another has taken it meanwhile. */
  async #take(etcd: Etcd, candidate: LeaseCandidate, leaseMs: number): Promise<LeaderLease | undefined> {
    const seconds = Math.ceil(leaseMs / 1_000);
    const id = await grant(etcd, seconds);
    const answer = await etcd.ask("/v3/kv/txn", {
      compare: [revisionIs(this.#keys.lease, 0n)],
      success: [this.#put(candidate, id)],
    });
    if (answer["succeeded"] !== true) {
      await revoke(etcd, id);
      return undefined;
    }
    this.#held = { ...candidate, epoch: revisionIn(answer), id, seconds };
    return { ...candidate, epoch: this.#held.epoch, remainingMs: leaseMs };
  }

  /** Undefined if the lease has ended meanwhile. */
  async #renewOrTell(etcd: Etcd, asked: Asked): Promise<LeaderLease | undefined> {
    const { stored, candidate } = asked;
    if (stored.holder === candidate.holder) return this.#renew(etcd, asked);
    const seconds = Number((await etcd.ask("/v3/lease/timetolive", { ID: stored.id }))["TTL"] ?? 0);
    if (!(seconds >= 0)) return undefined;
    const { epoch, holder, address } = stored;
    return { epoch, holder, address, remainingMs: seconds * 1_000 };
  }

  async #renew(etcd: Etcd, { stored, candidate, leaseMs }: Asked): Promise<LeaderLease | undefined> {
    const seconds = Math.ceil(leaseMs / 1_000);
    const isSame = this.#held?.id === stored.id && this.#held.seconds === seconds;
    // etcd's lease has the time with which it was granted: another time needs another lease.
    const id = isSame ? stored.id : await grant(etcd, seconds);
    if (isSame && !(await keepAlive(etcd, id))) return undefined;
    if (!isSame || stored.address !== candidate.address) {
      const answer = await etcd.ask("/v3/kv/txn", {
        compare: leaseIs(this.#keys.lease, stored),
        success: [this.#put(candidate, id)],
      });
      if (answer["succeeded"] !== true) {
        if (!isSame) await revoke(etcd, id);
        return undefined;
      }
    }
    this.#held = { ...candidate, epoch: stored.epoch, id, seconds };
    if (!isSame) await revoke(etcd, stored.id);
    return { ...candidate, epoch: stored.epoch, remainingMs: leaseMs };
  }

  #put(candidate: LeaseCandidate, id: string): Json {
    return { request_put: { key: this.#keys.lease, value: leaseValue(candidate), lease: id } };
  }
}

interface Asked {
  readonly stored: StoredLease;
  readonly candidate: LeaseCandidate;
  readonly leaseMs: number;
}

async function grant({ ask }: Etcd, seconds: number): Promise<string> {
  return String(numberIn(await ask("/v3/lease/grant", { TTL: String(seconds) }), "ID"));
}

/** False if the lease has ended. */
async function keepAlive({ ask }: Etcd, id: string): Promise<boolean> {
  const { result } = await ask("/v3/lease/keepalive", { ID: id });
  return isObject(result) && Number(result["TTL"] ?? 0) > 0;
}

async function revoke({ ask }: Etcd, id: string): Promise<void> {
  try {
    await ask("/v3/lease/revoke", { ID: id });
  } catch (error) {
    // It has ended by itself.
    if (!isNotFound(error)) throw error;
  }
}
