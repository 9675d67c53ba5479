// A history taken in event by event: what every registration is to be, and what every subscriber was shown last. Both
// the judge and the scenario that is running read it.

import { type HistoryEvent, readToken } from "./event.ts";

interface Call {
  readonly t: number;
  readonly version: number;
  readonly token: string | null;
}

/** One registration of one client, as the client knows it. */
export interface KnownRegistration {
  readonly name: string;
  readonly client: string;
  readonly service: string;
  readonly calls: Call[];
  /** When each version was acknowledged, in order. */
  readonly acks: { readonly t: number; readonly version: number }[];
}

/** A list as a subscriber shows it. */
export interface ShownList {
  readonly t: number;
  readonly version: bigint;
  readonly tokens: readonly string[];
  /** The tokens sorted and joined: lists with the same content have the same text. */
  readonly text: string;
}

export interface KnownSubscription {
  readonly name: string;
  readonly client: string;
  readonly service: string;
  shown: ShownList | undefined;
  /** By registration, when its versions came into the list, rising. */
  readonly arrivals: Map<string, { readonly version: number; readonly t: number }[]>;
}

export class Records {
  readonly registrations = new Map<string, KnownRegistration>();
  readonly subscriptions = new Map<string, KnownSubscription>();
  /** Clients that are dead, and since when. */
  readonly deaths = new Map<string, number>();
  /** Clients that have a connection now, with its server. */
  readonly connections = new Map<string, HistoryEvent & { readonly kind: "connected" }>();
  readonly #ofService = new Map<string, KnownRegistration[]>();

  see(event: HistoryEvent): void {
    switch (event.kind) {
      case "call":
        return this.#called(event);
      case "ack":
        this.registrations.get(event.registration)?.acks.push({ t: event.t, version: event.version });
        return;
      case "subscribe": {
        const { subscription, client, service } = event;
        this.subscriptions.set(subscription, {
          name: subscription,
          client,
          service,
          shown: undefined,
          arrivals: new Map(),
        });
        return;
      }
      case "push":
        return this.#pushed(event);
      case "connected":
        this.connections.set(event.client, event);
        return;
      case "closed":
        this.connections.delete(event.client);
        return;
      case "died":
        this.deaths.set(event.client, event.t);
        this.connections.delete(event.client);
        return;
      default:
    }
  }

  ofService(service: string): readonly KnownRegistration[] {
    return this.#ofService.get(service) ?? [];
  }

  /** The registrations that have to be shown now: not taken back, and their clients live. */
  *living(): Generator<KnownRegistration> {
    for (const registration of this.registrations.values()) if (this.isLiving(registration)) yield registration;
  }

  isLiving(registration: KnownRegistration): boolean {
    return !this.deaths.has(registration.client) && (registration.calls.at(-1)?.token ?? null) !== null;
  }

  /** The reason why the cluster is not at rest in the right state; undefined if it is. */
  difference(): string | undefined {
    for (const registration of this.registrations.values()) {
      if (this.deaths.has(registration.client) || isAcknowledged(registration)) continue;
      return `${registration.name} of ${registration.client} is not acknowledged`;
    }
    const expected = new Map<string, string>();
    for (const { name, client, service, shown } of this.subscriptions.values()) {
      if (this.deaths.has(client)) continue;
      let text = expected.get(service);
      if (text === undefined) {
        text = listText(this.#expectedTokens(service));
        expected.set(service, text);
      }
      if (shown?.text === text) continue;
      return `${name} of ${client} shows [${shown?.text ?? "nothing yet"}], expected [${text}]`;
    }
    return undefined;
  }

  #expectedTokens(service: string): string[] {
    const tokens: string[] = [];
    for (const registration of this.ofService(service)) {
      const token = registration.calls.at(-1)?.token ?? null;
      if (token !== null && this.isLiving(registration)) tokens.push(token);
    }
    return tokens;
  }

  #called({ t, client, registration: name, service, version, token }: HistoryEvent & { kind: "call" }): void {
    let known = this.registrations.get(name);
    if (known === undefined) {
      known = { name, client, service, calls: [], acks: [] };
      this.registrations.set(name, known);
      this.#ofService.set(service, [...this.ofService(service), known]);
    }
    known.calls.push({ t, version, token });
  }

  #pushed({ t, subscription, version: text, tokens }: HistoryEvent & { kind: "push" }): void {
    const known = this.subscriptions.get(subscription);
    const version = BigInt(text);
    if (known === undefined || (known.shown !== undefined && version <= known.shown.version)) return;
    known.shown = { t, version, tokens, text: listText(tokens) };
    for (const token of tokens) {
      const read = readToken(token);
      if (read === undefined) continue;
      const arrivals = known.arrivals.get(read.registration) ?? [];
      if (read.version <= (arrivals.at(-1)?.version ?? 0)) continue;
      arrivals.push({ version: read.version, t });
      known.arrivals.set(read.registration, arrivals);
    }
  }
}

function isAcknowledged({ calls, acks }: KnownRegistration): boolean {
  return acks.at(-1)?.version === calls.at(-1)?.version;
}

/** Two lists with the same content have the same text. */
export function listText(tokens: readonly string[]): string {
  return [...tokens].sort().join(" ");
}

/** When the subscriber first showed this version of the registration, or a later one. */
export function arrivalMs(subscription: KnownSubscription, registration: string, version: number): number | undefined {
  return subscription.arrivals.get(registration)?.find((arrival) => arrival.version >= version)?.t;
}
