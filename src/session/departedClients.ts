// Clients whose connection is lost. A closed connection is not yet a dead client: its registrations wait for its
// return, and are dropped, a part in each step, if it does not come.

import { defined } from "../base/assert.ts";
import { Deadlines } from "../base/deadlines.ts";
import type { Removal } from "../cluster/messages/sessionData.ts";
import type { ServiceKey } from "../model/ids.ts";
import type { Client } from "./client.ts";
import type { Publications } from "./publications.ts";
import type { Subscriptions } from "./subscriptions.ts";
import { type Claim, isOneClient, returnMs } from "./takeOver.ts";

// A returned client re-registers one by one, each within its own retry of at most a second; this long after its last
// registration the rest counts as given up.
const RETURN_PROGRESS_MS = 5_000;
// The end of a client with 100,000 registrations is spread over many steps; otherwise all others would wait half a
// second for it.
const DROPS_PER_STEP = 500;
// A client may lose its connection again and again while it still returns from the one before. It keeps its
// registrations from this many connections, four seconds of a line that is cut twice a second; those from an earlier
// one go at the end of that one's time.
const FORMER_MAX = 8;
// A client that makes the process stall again and again must not keep the dead listed.
const FORGIVEN_MAX = 3;

const NONE: readonly Client[] = [];

/** The registrations dropped in a step. */
export interface Dropped {
  readonly removals: readonly Removal[];
  /** The services of dropped subscribers, each as often as it was subscribed. */
  readonly services: readonly ServiceKey[];
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

  get size(): number {
    return this.#ends.size;
  }

  nextMs(): number {
    return this.#ends.nextMs();
  }

  /** The client's connection is lost. The registrations that were to follow from its former connections do not. */
  add(client: Client, nowMs: number): void {
    const dueMs = nowMs + returnMs(client, this.#graceMs, nowMs);
    this.#ends.set(client, dueMs);
    for (const former of client.formerly ?? NONE) this.#ends.set(former, Math.min(this.#endOf(former), dueMs));
  }

  /**
   * The connection `now` holds something that `before` held. If `before` is gone and both are one client's, this was
   * its return, and the rest may follow.
   */
  returned(before: Client | undefined, now: Client, claim: Pick<Claim, "processId" | "nowMs">): void {
    if (before === undefined || !this.#ends.has(before) || !isOneClient(before, now, claim)) return;
    const dueMs = claim.nowMs + RETURN_PROGRESS_MS;
    for (const former of join(before, now)) this.#ends.set(former, Math.max(this.#endOf(former), dueMs));
  }

  /**
   * The process was away, and may not have read yet what clients sent meanwhile: departed clients get their grace anew.
   */
  resumed(nowMs: number): void {
    this.#ends.postpone(nowMs + this.#graceMs, (client) => client.forgiven++ < FORGIVEN_MAX);
  }

  /** Drops some of the due registrations, and continues in the next step. */
  drop(nowMs: number): Dropped {
    const removals: Removal[] = [];
    const services: ServiceKey[] = [];
    for (let left = DROPS_PER_STEP; left > 0; ) {
      const client = this.#ends.take(nowMs);
      if (client === undefined) break;
      const removed = this.#publications.dropSome(client, left);
      const unsubscribed = this.#subscriptions.dropSome(client, left - removed.length);
      removals.push(...removed);
      services.push(...unsubscribed);
      left -= Math.max(1, removed.length + unsubscribed.length);
      if (client.publications.size + client.subscribers.size > 0) this.#ends.set(client, nowMs);
      else client.formerly?.delete(client);
    }
    return { removals, services };
  }

  #endOf(client: Client): number {
    return defined(this.#ends.get(client), "of a former connection something is left");
  }
}

/** `before` is a former connection of the client that now has `now`; returns all of them. */
function join(before: Client, now: Client): ReadonlySet<Client> {
  const former = now.formerly ?? before.formerly ?? new Set();
  for (const client of [...(before.formerly ?? NONE), before, now]) {
    client.formerly = former;
    if (client !== now) former.add(client);
  }
  if (former.size > FORMER_MAX) for (const client of [...former].slice(0, -FORMER_MAX)) former.delete(client);
  return former;
}
