// The leader lease of a store that one process has to itself. It only has to be as reliable as one on a server: only
// the holder renews it, it ends by itself, and a new one has a new epoch. Only the epoch is stored: a process that has
// just opened the store takes the lead at once, since the earlier holder can't have the store any more.

import { assert } from "../base/assert.ts";
import type { LeaderLease, LeaseCandidate } from "../records/records.ts";

/** Milliseconds of a clock that only goes forward. */
export type NowMs = () => number;

export class LocalLease {
  readonly #nowMs: NowMs;
  #held: (LeaseCandidate & { readonly epoch: bigint; readonly endMs: number }) | undefined;

  constructor(nowMs: NowMs) {
    this.#nowMs = nowMs;
  }

  /** Renews, refuses, or takes the lead under the epoch that `nextEpoch` has stored by then. */
  acquire({ holder, address }: LeaseCandidate, leaseMs: number, nextEpoch: () => bigint): LeaderLease {
    assert(leaseMs > 0, "a lease has a time");
    const nowMs = this.#nowMs();
    const held = this.#held;
    const isStanding = held !== undefined && held.endMs > nowMs;
    if (isStanding && held.holder !== holder) {
      return { epoch: held.epoch, holder: held.holder, address: held.address, remainingMs: held.endMs - nowMs };
    }
    const epoch = isStanding ? held.epoch : nextEpoch();
    this.#held = { epoch, holder, address, endMs: nowMs + leaseMs };
    return { epoch, holder, address, remainingMs: leaseMs };
  }

  release(epoch: bigint): void {
    if (this.#held?.epoch === epoch) this.#held = undefined;
  }

  isInForce(epoch: bigint): boolean {
    return this.#held?.epoch === epoch && this.#held.endMs > this.#nowMs();
  }
}
