// The lead among the meta nodes. The lease is a row in the store, and only the store's clock decides about it. A meta
// node that holds it may rely on it only as long as it can be certain: counted not from the answer, but from the time
// of the request.

import { fail, type RegistryError } from "../base/errors.ts";
import type { NodeId } from "../model/ids.ts";
import type { LeaderLease } from "../records/records.ts";

/** Settings of the lead. */
export interface LeadOptions {
  /** This process, by the name that the store uses for the holder. */
  readonly id: NodeId;
  /** The time that the lead lasts without being renewed. */
  readonly leaderLeaseMs: number;
}

/** The requests of the lead to the store. */
export interface LeadOutput {
  /** Takes or renews the lead in the store; the answer comes as an event, with the time at which this was called. */
  acquireLease(): void;
  /** Releases the lead, if `epoch` still is the lease in force. No answer. */
  releaseLease(epoch: bigint): void;
}

// The interval at which a node asks that does not lead, or can't reach the store.
const ASK_INTERVAL_MS = 1_000;
// A lease that is about to end is requested at its end, but the store is not asked more often than this.
const ASK_INTERVAL_MS_MIN = 100;
// A node that has stepped down leaves the lead to others for this long; each of them asks within a second. It is short,
// since another one may not reach the store.
const STEP_DOWN_MS = 3_000;
// Clocks of different machines may run at rates that differ by this much. Real ones stay below a thousandth.
const CLOCK_RATE_MARGIN = 0.1;

export class Lead {
  readonly #options: LeadOptions;
  readonly #output: LeadOutput;
  #epoch: bigint | undefined;
  #term = 0;
  /** The end of the lead, while there is one. */
  #untilMs = Number.NEGATIVE_INFINITY;
  #known: { readonly lease: LeaderLease; readonly untilMs: number } | undefined;
  #askAtMs = Number.NEGATIVE_INFINITY;
  #askedMs = Number.NEGATIVE_INFINITY;
  /** The last lease that this node had; the store may have renewed it without the node's having heard so. */
  #lastEpoch: bigint | undefined;
  /** Answers to earlier requests are older than the present knowledge. */
  #answeredMs = Number.NEGATIVE_INFINITY;
  #isResigned = false;
  /** Requests until then may give the lead back to a node that has stepped down. */
  #steppedDownMs = Number.NEGATIVE_INFINITY;

  constructor(options: LeadOptions, output: LeadOutput) {
    this.#options = options;
    this.#output = output;
  }

  /** The lease under which this node leads, undefined if it does not. */
  get epoch(): bigint | undefined {
    return this.#epoch;
  }

  /** Counts the times at which this node began to lead: everything that belongs to an earlier term is void. */
  get term(): number {
    return this.#term;
  }

  /** The leader, as last heard, until that lease is over. */
  get known(): LeaderLease | undefined {
    const lease = this.#known?.lease;
    return lease?.holder === this.#options.id && this.#epoch === undefined ? undefined : lease;
  }

  /** The answer to a request that only the leader may carry out. */
  refusal(): RegistryError {
    const lease = this.#known?.lease;
    const isOther = lease !== undefined && lease.holder !== this.#options.id;
    return fail("NOT_META_LEADER", { leader: isOther ? lease.address : "unknown" });
  }

  /** Ends a lead that could not be renewed, and asks the store when it is time. */
  tick(nowMs: number): void {
    if (nowMs >= this.#untilMs) this.#epoch = undefined;
    if (this.#known !== undefined && nowMs >= this.#known.untilMs) this.#known = undefined;
    if (this.#isResigned || nowMs < this.#askAtMs) return;
    this.#askAtMs = nowMs + (this.#epoch === undefined ? ASK_INTERVAL_MS : this.#renewMs());
    this.#askedMs = nowMs;
    this.#output.acquireLease();
  }

  answered(lease: LeaderLease | undefined, askedMs: number, nowMs: number): void {
    if (this.#isResigned || askedMs <= this.#steppedDownMs) {
      // The request was under way when the lead was released, and took it again.
      if (lease?.holder === this.#options.id) this.#output.releaseLease(lease.epoch);
      return;
    }
    if (askedMs < this.#answeredMs) return;
    if (lease === undefined) {
      this.#askAtMs = Math.min(this.#askAtMs, nowMs + ASK_INTERVAL_MS);
      return;
    }
    this.#answeredMs = askedMs;
    this.#known = { lease, untilMs: nowMs + Math.max(0, lease.remainingMs) };
    const isOwn = lease.holder === this.#options.id;
    this.#lastEpoch = isOwn ? lease.epoch : undefined;
    if (isOwn) this.#held(lease.epoch, askedMs, nowMs);
    else this.#heldByAnother(lease, nowMs);
  }

  /** Something contradicts this node's being the leader: it stops leading until it has asked the store again. */
  doubt(nowMs: number): void {
    this.#epoch = undefined;
    this.#answeredMs = nowMs;
    this.#askAtMs = Math.max(nowMs, this.#askedMs + ASK_INTERVAL_MS_MIN);
  }

  /** Releases the lead and never requests it again. */
  resign(): void {
    this.#release();
    this.#isResigned = true;
  }

  /** Releases the lead, and requests it again only after the others had the time to take it. */
  stepDown(nowMs: number): void {
    this.#release();
    this.#steppedDownMs = nowMs;
    this.#askAtMs = nowMs + STEP_DOWN_MS;
  }

  nextMs(): number {
    const askAtMs = this.#isResigned ? Number.POSITIVE_INFINITY : this.#askAtMs;
    const endMs = this.#epoch === undefined ? Number.POSITIVE_INFINITY : this.#untilMs;
    return Math.min(askAtMs, endMs, this.#known?.untilMs ?? Number.POSITIVE_INFINITY);
  }

  #release(): void {
    // The store may still count a lease that this node no longer relies on: the answer to the last request was lost.
    // Another lease has another epoch, and is not released.
    if (this.#lastEpoch !== undefined) this.#output.releaseLease(this.#lastEpoch);
    this.#epoch = undefined;
    this.#known = undefined;
  }

  #held(epoch: bigint, askedMs: number, nowMs: number): void {
    const untilMs = askedMs + this.#options.leaderLeaseMs * (1 - CLOCK_RATE_MARGIN);
    if (untilMs <= nowMs) return;
    if (this.#epoch !== epoch) this.#term++;
    this.#epoch = epoch;
    this.#untilMs = untilMs;
    this.#askAtMs = Math.max(nowMs, askedMs + this.#renewMs());
  }

  #heldByAnother({ remainingMs }: LeaderLease, nowMs: number): void {
    this.#epoch = undefined;
    const waitMs = Math.min(ASK_INTERVAL_MS, Math.max(ASK_INTERVAL_MS_MIN, remainingMs));
    this.#askAtMs = nowMs + waitMs;
  }

  #renewMs(): number {
    return this.#options.leaderLeaseMs / 3;
  }
}
