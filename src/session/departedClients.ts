// Clients whose connection is lost. A closed connection is not yet a dead client: what it registered waits for its
// return, and is dropped, a part in each step, when that does not come.

import { Deadlines } from "../base/deadlines.ts";
import type { Removal } from "../messages/sessionData.ts";
import type { DataInfoId } from "../model/ids.ts";
import type { Client } from "./client.ts";
import type { Publications } from "./publications.ts";
import type { Subscriptions } from "./subscriptions.ts";
import { returnMs } from "./takeOver.ts";

// A client that is back re-registers one by one, each within its own retry of at most a second; so long after its last
// one the rest counts as given up.
const RETURN_PROGRESS_MS = 5_000;
// The end of a client with 100,000 registrations is spread over many steps, or everybody else would wait half a second
// for it.
const DROPS_PER_STEP = 500;
// Whoever makes the process stall again and again must not keep the dead listed.
const FORGIVEN_MAX = 3;

/** What was dropped in a step. */
export interface Dropped {
  readonly removals: readonly Removal[];
  /** Of which services something was subscribed, each as often. */
  readonly services: readonly DataInfoId[];
}

export class DepartedClients {
  readonly #graceMs: number;
  readonly #publications: Publications;
  readonly #subscriptions: Subscriptions;
  readonly #ends = new Deadlines<Client>();

  constructor(graceMs: number, publications: Publications, subscriptions: Subscriptions) {
    this.#graceMs = graceMs;
    this.#publications = publications;
    this.#subscriptions = subscriptions;
  }

  nextMs(): number {
    return this.#ends.nextMs();
  }

  add(client: Client, nowMs: number): void {
    this.#ends.set(client, nowMs + returnMs(client, this.#graceMs, nowMs));
  }

  /**
   * Something that `client` held is held by another connection now. If `client` is gone, this was its return, and the
   * rest may follow.
   */
  returned(client: Client, nowMs: number): void {
    const dueMs = this.#ends.get(client);
    if (dueMs !== undefined) this.#ends.set(client, Math.max(dueMs, nowMs + RETURN_PROGRESS_MS));
  }

  /**
   * The process was away, and may not have read yet what clients sent meanwhile: those who had gone get their grace
   * anew.
   */
  forgiveStall(nowMs: number): void {
    this.#ends.postpone(nowMs + this.#graceMs, (client) => client.forgiven++ < FORGIVEN_MAX);
  }

  /** Drops some of what is due, and takes the rest up in the next step. */
  drop(nowMs: number): Dropped {
    const removals: Removal[] = [];
    const services: DataInfoId[] = [];
    for (let left = DROPS_PER_STEP; left > 0; ) {
      const client = this.#ends.take(nowMs);
      if (client === undefined) break;
      const removed = this.#publications.dropSome(client, left);
      const unsubscribed = this.#subscriptions.dropSome(client, left - removed.length);
      removals.push(...removed);
      services.push(...unsubscribed);
      left -= Math.max(1, removed.length + unsubscribed.length);
      if (client.publications.size + client.subscribers.size > 0) this.#ends.set(client, nowMs);
    }
    return { removals, services };
  }
}
