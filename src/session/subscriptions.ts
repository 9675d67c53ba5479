// The subscriptions of services. Subscribers of one client that share one push are kept together in a push target,
// targets by service.

import { CHARGE } from "../base/budget.ts";
import type { RegistryError } from "../base/errors.ts";
import type { DatumVersion } from "../model/datum.ts";
import type { ServiceKey } from "../model/ids.ts";
import { NO_VERSION } from "../model/version.ts";
import type { RegistrationKey, SubscribeRequest } from "../registry/registry.ts";
import { type Client, type PushTarget, registrationKey, type Subscriber } from "./client.ts";
import type { Costs } from "./costs.ts";
import { PushGap } from "./pushGap.ts";
import { ServiceList } from "./serviceList.ts";

/** A list on its way to all targets of its service, which may take more than one turn. */
export interface PushRound {
  /** The ones not reached yet. */
  readonly targets: Iterator<PushTarget>;
  /** The time of the change that caused it; Infinity: it repeats an earlier push. */
  readonly changedMs: number;
  /** A target was pushed to. */
  isSent: boolean;
  /** Some targets passed are behind: the list has changed since, or they had another push under way. */
  isRepeated: boolean;
}

/** A service with subscribers here. */
export class SubscribedService {
  readonly serviceKey: ServiceKey;
  readonly list: ServiceList;
  readonly targets = new Map<string, PushTarget>();
  /** Subscribers whose connection was lost a moment ago; a returning client finds here which version it has seen. */
  readonly departed = new Map<string, Subscriber>();
  /** A fetch is under way, or the data node holds the list and will send it unasked. */
  isWaiting = false;
  /** The highest version that the data node named. */
  announced: DatumVersion | undefined;
  /** Changes are gathered until then because the last pushes were expensive; see Pusher. */
  windowEndMs = 0;
  /** Also gathers changes while the service changes all the time. */
  readonly gap = new PushGap();
  /** The time of the first change that was not on its way to all yet; Infinity: there is none. */
  changedMs = Number.POSITIVE_INFINITY;
  /** The first list is not a change. */
  isKnown = false;
  /** Kept for those who ask for it from time to time; see Queries. */
  isPolled = false;
  /** Kept for followers of its group; see GroupLists. */
  isFollowed = false;
  /** The list is on its way to all; see Pusher. */
  round: PushRound | undefined;

  constructor(serviceKey: ServiceKey) {
    this.serviceKey = serviceKey;
    this.list = new ServiceList(serviceKey);
  }

  /** The list goes to all targets: begins that, or continues it. */
  beginRound(): PushRound {
    if (this.round !== undefined) return this.round;
    const { targets, changedMs } = this;
    this.changedMs = Number.POSITIVE_INFINITY;
    this.round = { targets: targets.values(), changedMs, isSent: false, isRepeated: false };
    return this.round;
  }
}

/** The result of a subscribe request. */
export interface Subscribed {
  readonly service: SubscribedService;
  readonly subscriber: Subscriber;
  /** The lost connection that had this subscriber. */
  readonly returnedFrom: Client | undefined;
}

export class Subscriptions {
  readonly #costs: Costs;
  readonly #services = new Map<ServiceKey, SubscribedService>();
  #subscribers = 0;

  constructor(costs: Costs) {
    this.#costs = costs;
  }

  /** The sum of the charges for all subscribers. */
  get chargedBytes(): number {
    let sum = 0;
    for (const { targets } of this.#services.values()) {
      for (const { subscribers } of targets.values()) for (const { bytes } of subscribers.values()) sum += bytes;
    }
    return sum;
  }

  get size(): number {
    return this.#subscribers;
  }

  get(serviceKey: ServiceKey): SubscribedService | undefined {
    return this.#services.get(serviceKey);
  }

  serviceKeys(): Iterable<ServiceKey> {
    return this.#services.keys();
  }

  services(): Iterable<SubscribedService> {
    return this.#services.values();
  }

  /**
   * Adds or renews a subscriber, or returns the error if it would be too much. A client that returned after a cut keeps
   * its seen versions.
   */
  subscribe(client: Client, request: SubscribeRequest, nowMs: number): Subscribed | RegistryError {
    const known = client.subscribers.get(registrationKey(request));
    const departed = this.#services.get(request.serviceKey)?.departed.get(request.registId);
    if (known === undefined || known.version <= request.version) {
      const refusal = this.#charge(client, request, known ?? departed);
      if (refusal !== undefined) return refusal;
    }
    const service = this.open(request.serviceKey);
    if (known !== undefined && known.version > request.version)
      return { service, subscriber: known, returnedFrom: undefined };
    const returnedFrom = departed?.target.client;
    if (departed !== undefined) this.#remove(departed);
    if (known !== undefined) this.#remove(known);
    const target = targetFor(service, client, request);
    const seenVersion = carriedVersion(known ?? departed, request);
    const { registId, version } = request;
    const bytes = this.#costs.subscriber(request);
    const pushed = { pushedVersion: NO_VERSION, pushedMs: 0 };
    const since = { appName: request.appName ?? "", registeredMs: Math.floor(nowMs) };
    const subscriber: Subscriber = { registId, version, target, ...since, bytes, seenVersion, ...pushed };
    target.subscribers.set(subscriber.registId, subscriber);
    client.subscribers.set(registrationKey(request), subscriber);
    this.#subscribers++;
    return { service, subscriber, returnedFrom };
  }

  unsubscribe(client: Client, key: RegistrationKey): void {
    const subscriber = client.subscribers.get(registrationKey(key));
    if (subscriber !== undefined && subscriber.version <= key.version) this.#remove(subscriber);
  }

  /** The client's connection is lost; its subscribers wait for its return. */
  depart(client: Client): void {
    for (const subscriber of client.subscribers.values()) {
      this.#services.get(subscriber.target.serviceKey)?.departed.set(subscriber.registId, subscriber);
    }
  }

  /** Drops up to `max` subscribers of a departed client. Returns their services, each as often as it occurs. */
  dropSome(client: Client, max: number): ServiceKey[] {
    const dropped: ServiceKey[] = [];
    for (const subscriber of client.subscribers.values()) {
      if (dropped.length === max) break;
      this.#remove(subscriber);
      dropped.push(subscriber.target.serviceKey);
    }
    return dropped;
  }

  /** Forgets the service if it has no subscriber left, and is not kept for questions or followers. */
  forgetIfUnused(service: SubscribedService): boolean {
    if (service.targets.size > 0 || service.isPolled || service.isFollowed) return false;
    service.list.release();
    return this.#services.delete(service.serviceKey);
  }

  /** Charges the client for a subscriber in the place of one that is about to be removed. */
  #charge(client: Client, request: SubscribeRequest, replaced: Subscriber | undefined): RegistryError | undefined {
    const before = replaced && { account: replaced.target.client.account, bytes: replaced.bytes };
    const refusal = client.account.replace(CHARGE.subscriptions, this.#costs.subscriber(request), before);
    if (refusal === undefined && replaced !== undefined) replaced.bytes = 0;
    return refusal;
  }

  /** The service, made if it is not known. */
  open(serviceKey: ServiceKey): SubscribedService {
    const known = this.#services.get(serviceKey);
    if (known !== undefined) return known;
    const service = new SubscribedService(serviceKey);
    this.#services.set(serviceKey, service);
    return service;
  }

  #remove(subscriber: Subscriber): void {
    const { target, registId } = subscriber;
    target.client.account.release(CHARGE.subscriptions, subscriber.bytes);
    target.client.subscribers.delete(registrationKey({ serviceKey: target.serviceKey, registId }));
    this.#subscribers--;
    const service = this.#services.get(target.serviceKey);
    if (service?.departed.get(registId) === subscriber) service.departed.delete(registId);
    if (target.subscribers.get(registId) === subscriber) target.subscribers.delete(registId);
    if (target.subscribers.size > 0) return;
    // A push that is under way stays so: other targets of the client may wait for its answer or the end of its time.
    target.client.blockedTargets.delete(target);
    service?.targets.delete(target.key);
  }
}

function targetFor(service: SubscribedService, client: Client, request: SubscribeRequest): PushTarget {
  const { serviceKey, scope, zone, variant } = request;
  const key = `${client.id}\n${scope}\n${zone}\n${variant}`;
  const known = service.targets.get(key);
  if (known !== undefined) return known;
  const subscribers = new Map<string, Subscriber>();
  const target: PushTarget = {
    key,
    client,
    serviceKey,
    scope,
    zone,
    variant,
    subscribers,
    underWay: undefined,
    failures: 0,
  };
  service.targets.set(key, target);
  return target;
}

/**
 * The version that a renewed subscriber has already seen. A subscriber with another scope or a newer registration has
 * seen nothing.
 */
function carriedVersion(before: Subscriber | undefined, { version, scope, zone, variant }: SubscribeRequest): bigint {
  if (before === undefined || before.version !== version) return NO_VERSION;
  const { target } = before;
  if (target.scope !== scope || target.zone !== zone || target.variant !== variant) return NO_VERSION;
  // A push to a client that never confirms may have been lost with its connection.
  return target.client.answersPushes ? before.seenVersion : NO_VERSION;
}
