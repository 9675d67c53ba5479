// The way of registrations and pushes between gateways and the session, for those who watch it: the debug log and
// traces. A node with neither has no wrapper on that way.

import type { ClientId, ServiceKey } from "../../model/ids.ts";
import type { ClientChannel, ClientEvent, ConfigPush, Outcome, Push, Registry } from "../../registry/registry.ts";

/** A client's request about one of its registrations. */
export interface ClientRequest {
  readonly kind: "published" | "unpublished" | "subscribed" | "unsubscribed";
  readonly client: ClientId;
  readonly request: number;
  readonly serviceKey: ServiceKey;
  readonly registId: string;
  readonly version: bigint;
}

/** Hears what passes, in order. */
export interface ClientObserver {
  requested(request: ClientRequest): void;
  answered(client: ClientId, request: number, outcome: Outcome): void;
  /** Only of pushes that were sent. */
  pushed(client: ClientId, push: Push): void;
  pushAnswered(client: ClientId, push: number, isTaken: boolean): void;
  disconnected(client: ClientId): void;
}

/** The registry, with observers between it and its gateways; the registry itself if there are none. */
export function observedRegistry(registry: Registry, observers: readonly ClientObserver[]): Registry {
  return observers.reduce(observed, registry);
}

function observed(registry: Registry, observer: ClientObserver): Registry {
  return {
    step: (event, nowMs) => {
      if (!("client" in event)) return registry.step(event, nowMs);
      tell(observer, event);
      if (event.kind !== "connected") return registry.step(event, nowMs);
      registry.step({ ...event, channel: new ObservedChannel(event.channel, event.client, observer) }, nowMs);
    },
  };
}

function tell(observer: ClientObserver, event: ClientEvent): void {
  const request = requestOf(event);
  if (request !== undefined) observer.requested(request);
  else if (event.kind === "pushAnswered") observer.pushAnswered(event.client, event.push, event.isTaken);
  else if (event.kind === "disconnected") observer.disconnected(event.client);
}

function requestOf(event: ClientEvent): ClientRequest | undefined {
  switch (event.kind) {
    case "published":
      return requestFor(event, event.publication);
    case "subscribed":
      return requestFor(event, event.subscription);
    case "unpublished":
    case "unsubscribed":
      return requestFor(event, event.key);
    default:
      return undefined;
  }
}

function requestFor(
  { kind, client, request }: Pick<ClientRequest, "kind" | "client" | "request">,
  { serviceKey, registId, version }: Pick<ClientRequest, "serviceKey" | "registId" | "version">,
): ClientRequest {
  return { kind, client, request, serviceKey, registId, version };
}

/** A client's channel that tells an observer its answers and pushes. */
class ObservedChannel implements ClientChannel {
  readonly #channel: ClientChannel;
  readonly #client: ClientId;
  readonly #observer: ClientObserver;

  constructor(channel: ClientChannel, client: ClientId, observer: ClientObserver) {
    this.#channel = channel;
    this.#client = client;
    this.#observer = observer;
  }

  get writtenBytes(): number {
    return this.#channel.writtenBytes;
  }

  get sentBytes(): number {
    return this.#channel.sentBytes;
  }

  get address(): string {
    return this.#channel.address;
  }

  get answersQuestions(): boolean {
    return this.#channel.answersQuestions;
  }

  ask(nowMs: number): void {
    this.#channel.ask(nowMs);
  }

  isSilentSince(atMs: number): boolean {
    return this.#channel.isSilentSince(atMs);
  }

  answer(request: number, outcome: Outcome): void {
    this.#observer.answered(this.#client, request, outcome);
    this.#channel.answer(request, outcome);
  }

  push(push: Push) {
    const cost = this.#channel.push(push);
    if (cost !== "blocked") this.#observer.pushed(this.#client, push);
    return cost;
  }

  pushConfig(push: ConfigPush) {
    return this.#channel.pushConfig(push);
  }

  report(pushes: "paused" | "resumed"): void {
    this.#channel.report(pushes);
  }
}
