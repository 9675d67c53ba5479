// The registrations that clients ask for, and the ends of them. Each is refused or done here, and answered at once: the
// client does not wait for the data node that hears of it.

import { RegistryError } from "../base/errors.ts";
import type { Metrics } from "../base/metrics.ts";
import type { PublishRequest, RegistrationKey, SubscribeRequest } from "../registry/registry.ts";
import type { Admission } from "./admission.ts";
import { type Client, registrationKey } from "./client.ts";
import type { ConfigWatches } from "./configWatches.ts";
import type { DataLinks } from "./dataLinks.ts";
import type { DepartedClients } from "./departedClients.ts";
import type { Fullness } from "./fullness.ts";
import type { Publications } from "./publications.ts";
import type { Pusher } from "./pusher.ts";
import type { ServiceLists } from "./serviceLists.ts";
import type { SessionOutput } from "./sessionPorts.ts";
import type { Subscriptions } from "./subscriptions.ts";
import { contest, type When } from "./takeOver.ts";

/** The parts of the session that registrations concern. */
export interface RequestParts {
  readonly admission: Admission;
  readonly fullness: Fullness;
  readonly publications: Publications;
  readonly links: DataLinks;
  readonly departed: DepartedClients;
  readonly subscriptions: Subscriptions;
  readonly lists: ServiceLists;
  readonly pusher: Pusher;
  readonly configs: ConfigWatches;
}

interface KeyRequest {
  readonly request: number;
  readonly key: RegistrationKey;
}

export class ClientRequests {
  readonly #parts: RequestParts;
  readonly #output: SessionOutput;
  readonly #metrics: Metrics;

  constructor(parts: RequestParts, { output, metrics }: { output: SessionOutput; metrics: Metrics }) {
    this.#parts = parts;
    this.#output = output;
    this.#metrics = metrics;
  }

  publish(client: Client, event: { request: number; publication: PublishRequest }, when: When): void {
    const { fullness, publications, links, departed } = this.#parts;
    const { request, publication } = event;
    const { registId, version } = publication;
    const { nowMs } = when;
    const held = publications.held(publication);
    if (this.#refuseIfTooMuch(client, request, { registId, version, isKnown: held?.client === client, nowMs })) return;
    const claim = { ...publication, ...when };
    const error = contest(held, client, claim) ?? fullness.refusal(publication, held, nowMs);
    if (error !== undefined) return client.refuse(request, publication, error);
    // A registration for which another client waits in vain must not displace this one.
    if (held?.state.kind === "contested") links.withdraw(held.publication);
    const published = publications.put(client, publication, nowMs, held);
    if (published instanceof RegistryError) return client.refuse(request, publication, published);
    if (published !== undefined) {
      links.publish({ kind: "put", publication: published.publication });
      departed.returned(published.before, client, claim);
    }
    client.channel.answer(request, { kind: "accepted", registId, version });
  }

  unpublish(client: Client, { request, key }: KeyRequest, when: When): void {
    const { publications, links, departed } = this.#parts;
    const { nowMs } = when;
    if (this.#refuseIfTooMuch(client, request, { ...key, isKnown: true, nowMs })) return;
    const held = publications.dropClaim(client, key);
    const claim = { ...key, ...when };
    const error = contest(held, client, claim);
    if (error !== undefined) return client.refuse(request, key, error);
    const unpublished = publications.unpublish(client, key, nowMs);
    if (unpublished !== undefined) links.publish({ kind: "remove", removal: unpublished.removal });
    departed.returned(unpublished?.before, client, claim);
    accept(client, { request, key });
  }

  subscribe(client: Client, event: { request: number; subscription: SubscribeRequest }, nowMs: number): void {
    const { subscriptions, departed, pusher, lists } = this.#parts;
    const { request, subscription } = event;
    const { registId, version } = subscription;
    const isKnown = client.subscribers.has(registrationKey(subscription));
    if (this.#refuseIfTooMuch(client, request, { registId, version, isKnown, nowMs })) return;
    const subscribed = subscriptions.subscribe(client, subscription, nowMs);
    if (subscribed instanceof RegistryError) return client.refuse(request, subscription, subscribed);
    const { service, subscriber, returnedFrom } = subscribed;
    departed.returned(returnedFrom, client, { ...subscription, nowMs });
    // The answer goes first: a client may drop a push for a registration that it does not yet know to be accepted.
    client.channel.answer(request, { kind: "accepted", registId, version });
    if (service.list.view !== undefined) pusher.subscribed(subscriber, nowMs);
    else lists.fetch(service);
    this.#metrics.set("roster_subscribers", subscriptions.size);
  }

  unsubscribe(client: Client, { request, key }: KeyRequest, nowMs: number): void {
    const { subscriptions, lists } = this.#parts;
    if (this.#refuseIfTooMuch(client, request, { ...key, isKnown: true, nowMs })) return;
    subscriptions.unsubscribe(client, key);
    lists.releaseUnused([key.serviceKey]);
    this.#metrics.set("roster_subscribers", subscriptions.size);
    accept(client, { request, key });
  }

  watchConfig(client: Client, { request, key }: KeyRequest, nowMs: number): void {
    const { configs } = this.#parts;
    const isKnown = client.configWatches.has(registrationKey(key));
    if (this.#refuseIfTooMuch(client, request, { ...key, isKnown, nowMs })) return;
    const refusal = configs.charge(client, key);
    if (refusal !== undefined) return client.refuse(request, key, refusal);
    accept(client, { request, key });
    const isUnknown = configs.watch(client, key, nowMs);
    if (isUnknown) this.#output.toMeta({ kind: "watchConfig", serviceKeys: [key.serviceKey] });
  }

  unwatchConfig(client: Client, { request, key }: KeyRequest, nowMs: number): void {
    if (this.#refuseIfTooMuch(client, request, { ...key, isKnown: true, nowMs })) return;
    const isUnused = this.#parts.configs.unwatch(client, key);
    if (isUnused) this.#output.toMeta({ kind: "unwatchConfig", serviceKeys: [key.serviceKey] });
    accept(client, { request, key });
  }

  /** Ends a client's publications, or all of its registrations, for an operator: the client is told nothing. */
  clear(client: Client, of: "publications" | "everything", nowMs: number): void {
    const { publications, links, subscriptions, lists, configs } = this.#parts;
    for (const { publication } of [...client.publications]) {
      // Behind a claim that waits there is another client's publication.
      if (publications.dropClaim(client, publication)?.client !== client) continue;
      const unpublished = publications.unpublish(client, publication, nowMs);
      if (unpublished !== undefined) links.publish({ kind: "remove", removal: unpublished.removal });
    }
    if (of === "publications") return;
    lists.releaseUnused(subscriptions.dropSome(client, Number.POSITIVE_INFINITY));
    this.#metrics.set("roster_subscribers", subscriptions.size);
    const unwatched = configs.dropClient(client);
    if (unwatched.length > 0) this.#output.toMeta({ kind: "unwatchConfig", serviceKeys: unwatched });
  }

  /** Answers a registration, or the end of one, that is one too many. */
  #refuseIfTooMuch(
    client: Client,
    request: number,
    registration: { registId: string; version: bigint; isKnown: boolean; nowMs: number },
  ): boolean {
    const error = this.#parts.admission.refusal(client, registration);
    if (error !== undefined) client.refuse(request, registration, error);
    return error !== undefined;
  }
}

function accept(client: Client, { request, key }: KeyRequest): void {
  client.channel.answer(request, { kind: "accepted", registId: key.registId, version: key.version });
}
