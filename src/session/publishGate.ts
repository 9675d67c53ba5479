// A publication that names a revision which this session has not read waits for a moment, and is refused if the store
// does not have the revision: then its client has the fault, and no list waits for it. If no meta node answers in time,
// the publication is taken: a client that returns after a cut must not be lost because the meta nodes are away. Every
// session shows it only when the revision can be read there.

import { Deadlines } from "../base/deadlines.ts";
import { fail } from "../base/errors.ts";
import { revisionsNamedBy } from "../model/appRevision.ts";
import type { ClientEvent, RegistrationKey } from "../registry/registry.ts";
import { type Client, registrationKey } from "./client.ts";
import type { Revisions } from "./revisions.ts";

// With the half second that a client takes for its way back this is less than the grace for its return.
const WAIT_MS = 300;
// Each holds its payload.
const WAITING_MAX = 10_000;

/** A request to publish. */
export type PublishEvent = Extract<ClientEvent, { kind: "published" }>;

interface Waiting {
  readonly client: Client;
  readonly event: PublishEvent;
}

export class PublishGate {
  readonly #revisions: Pick<Revisions, "readability" | "lookAgain">;
  readonly #publish: (client: Client, event: PublishEvent, nowMs: number) => void;
  readonly #waiting = new Map<Client, Map<string, Waiting>>();
  readonly #ends = new Deadlines<Waiting>();

  constructor(
    revisions: Pick<Revisions, "readability" | "lookAgain">,
    publish: (client: Client, event: PublishEvent, nowMs: number) => void,
  ) {
    this.#revisions = revisions;
    this.#publish = publish;
  }

  /** The number of requests that wait. */
  get size(): number {
    return this.#ends.size;
  }

  /** Publishes, refuses, or lets the request wait. */
  published(client: Client, event: PublishEvent, nowMs: number): void {
    this.superseded(client, event.publication);
    const waiting: Waiting = { client, event };
    if (this.#ends.size >= WAITING_MAX || this.#decided(waiting, nowMs)) return this.#end(waiting, nowMs);
    const ofClient = this.#waiting.get(client) ?? new Map<string, Waiting>();
    this.#waiting.set(client, ofClient);
    ofClient.set(registrationKey(event.publication), waiting);
    this.#ends.set(waiting, nowMs + WAIT_MS);
  }

  /** The client says something newer about the same registration: an earlier request that waits is void. */
  superseded(client: Client, key: Pick<RegistrationKey, "serviceKey" | "registId">): void {
    const waiting = this.#waiting.get(client)?.get(registrationKey(key));
    if (waiting === undefined) return;
    this.#remove(waiting);
    const { registId, version } = waiting.event.publication;
    client.channel.answer(waiting.event.request, { kind: "accepted", registId, version });
  }

  /** The client's connection is lost, and with it what it had asked for. */
  departed(client: Client): void {
    for (const waiting of this.#waiting.get(client)?.values() ?? []) this.#ends.delete(waiting);
    this.#waiting.delete(client);
  }

  /** Revisions have become readable, or are known not to be. */
  arrived(nowMs: number): void {
    for (const waiting of [...this.#ends.keys()]) if (this.#decided(waiting, nowMs)) this.#end(waiting, nowMs);
  }

  nextMs(): number {
    return this.#ends.nextMs();
  }

  wake(nowMs: number): void {
    for (let waiting = this.#ends.take(nowMs); waiting !== undefined; waiting = this.#ends.take(nowMs)) {
      this.#remove(waiting);
      this.#publish(waiting.client, waiting.event, nowMs);
    }
  }

  #decided({ event }: Waiting, nowMs: number): boolean {
    const all = revisionsNamedBy(event.publication).map((id) => this.#revisions.readability(id, nowMs));
    return !all.includes("sought") || all.includes("unknown");
  }

  #end(waiting: Waiting, nowMs: number): void {
    this.#remove(waiting);
    const { client, event } = waiting;
    const { publication } = event;
    const unknown = revisionsNamedBy(publication).find((id) => this.#revisions.readability(id, nowMs) === "unknown");
    if (unknown === undefined) return this.#publish(client, event, nowMs);
    this.#revisions.lookAgain(unknown, nowMs);
    const { registId, serviceKey } = publication;
    client.refuse(event.request, publication, fail("REVISION_UNKNOWN", { revision: unknown, registId, serviceKey }));
  }

  #remove(waiting: Waiting): void {
    const { client, event } = waiting;
    this.#ends.delete(waiting);
    const ofClient = this.#waiting.get(client);
    const key = registrationKey(event.publication);
    if (ofClient?.get(key) === waiting) ofClient.delete(key);
    if (ofClient?.size === 0) this.#waiting.delete(client);
  }
}
