// The clients' actions and their fate, as far as they and the network show it: the yardstick for lists.

import type { ServiceKey } from "../../model/ids.ts";
import type { Fact } from "../facts.ts";

/** The session acknowledged it. */
export interface Acknowledgement {
  readonly version: bigint;
  readonly atMs: number;
  readonly connection: number;
  readonly session: string;
}

/** One publisher object of one client. */
export interface KnownRegistration {
  readonly client: string;
  readonly service: ServiceKey;
  readonly registId: string;
  readonly zone: string;
  version: bigint;
  token: string;
  isRegistered: boolean;
  /** The versions under which it was taken back, rising. */
  readonly unpublished: bigint[];
  readonly acknowledgements: Acknowledgement[];
}

/** A connection as the server's side knows it. */
export interface KnownConnection {
  readonly connection: number;
  readonly session: string;
  /** The times at which the server's side accepted it, and at which the client learned of it. */
  readonly acceptedMs: number;
  readonly madeMs: number;
  readonly isMute: boolean;
  /** The time of the client's first request on it; undefined if it has only been silent. */
  firstMs: number | undefined;
  /** The client's side of it has ended. */
  isLeft: boolean;
}

/** The server's side of a connection ended. */
export interface ConnectionLoss extends KnownConnection {
  readonly atMs: number;
  /** The session's process ended, and with it its knowledge of the connection. */
  readonly isSessionDead: boolean;
}

export interface KnownClient {
  readonly name: string;
  diedMs: number | undefined;
  /** The time since which it can't be heard, if any; and the time at which it could last be heard again. */
  hushedMs: number | undefined;
  unhushedMs: number;
  /** The delay of its messages now, and the time by which its messages from before that change have arrived. */
  lateMs: number;
  arrivedMs: number;
  /**
   * The time at which it last requested something, or took it back, and could be heard; or at which it could be heard
   * again afterwards.
   */
  spokeMs: number;
  hasSpokenUnheard: boolean;
  /** Its subscriptions, and their beginnings; it repeats them on each new connection. */
  readonly subscriptions: Map<string, number>;
  /** Connections that stand as far as the server knows, by number. */
  readonly open: Map<number, KnownConnection>;
  readonly losses: ConnectionLoss[];
  /** Of all its publishers, in order. */
  readonly acknowledgements: Acknowledgement[];
}

export class Registrations {
  readonly #clients = new Map<string, KnownClient>();
  readonly #byService = new Map<ServiceKey, Map<string, KnownRegistration[]>>();
  readonly #growthMs = new Map<ServiceKey, number>();

  client(name: string): KnownClient {
    const known = this.#clients.get(name);
    if (known !== undefined) return known;
    const heard = { hushedMs: undefined, unhushedMs: Number.NEGATIVE_INFINITY, spokeMs: Number.NEGATIVE_INFINITY };
    const words = { hasSpokenUnheard: false, lateMs: 0, arrivedMs: Number.NEGATIVE_INFINITY };
    const lists = { subscriptions: new Map<string, number>(), open: new Map(), losses: [], acknowledgements: [] };
    const client = { name, diedMs: undefined, ...heard, ...words, ...lists };
    this.#clients.set(name, client);
    return client;
  }

  /** All publishers with this registId; more than one if clients share it. */
  twins(service: ServiceKey, registId: string): readonly KnownRegistration[] {
    return this.#byService.get(service)?.get(registId) ?? [];
  }

  /** Whether others have the registration and this client, which claims it, is not one of them. */
  isStranger(service: ServiceKey, registId: string, client: string): boolean {
    const twins = this.twins(service, registId);
    return twins.length > 0 && !twins.some((twin) => twin.client === client);
  }

  /** Whether a client that lives has it. */
  isHeld({ client, isRegistered }: KnownRegistration): boolean {
    return isRegistered && this.client(client).diedMs === undefined;
  }

  *ofService(service: ServiceKey): Generator<readonly KnownRegistration[]> {
    yield* this.#byService.get(service)?.values() ?? [];
  }

  *all(): Generator<KnownRegistration> {
    for (const service of this.#byService.values()) for (const twins of service.values()) yield* twins;
  }

  /** The time at which a client last added itself to the service. */
  growthMs(service: ServiceKey): number {
    return this.#growthMs.get(service) ?? Number.NEGATIVE_INFINITY;
  }

  see(fact: Fact, nowMs: number): void {
    switch (fact.kind) {
      case "published":
        speak(this.client(fact.client), nowMs);
        return this.#published(fact, nowMs);
      case "subscribed":
        speak(this.client(fact.client), nowMs);
        this.client(fact.client).subscriptions.set(fact.registId, nowMs);
        return;
      case "unsubscribed":
        speak(this.client(fact.client), nowMs);
        this.client(fact.client).subscriptions.delete(fact.registId);
        return;
      case "unpublished":
        speak(this.client(fact.client), nowMs);
        return this.#unpublished(fact);
      case "acknowledged":
        return this.#acknowledged(fact, nowMs);
      case "connected": {
        const { client, connection, session, isMute, acceptedMs = nowMs } = fact;
        const known = this.client(client);
        // It repeats at once the registrations that it has or had.
        const hasMore = known.subscriptions.size > 0 || known.acknowledgements.length > 0;
        const firstMs = hasMore ? nowMs : undefined;
        known.open.set(connection, { connection, session, isMute, acceptedMs, madeMs: nowMs, firstMs, isLeft: false });
        return void Object.assign(known, { lateMs: 0, arrivedMs: nowMs });
      }
      case "hushed": {
        const client = this.client(fact.client);
        client.hushedMs = fact.isHushed ? nowMs : undefined;
        if (fact.isHushed) return;
        client.unhushedMs = nowMs;
        if (client.hasSpokenUnheard) client.spokeMs = nowMs;
        client.hasSpokenUnheard = false;
        return;
      }
      case "late": {
        const client = this.client(fact.client);
        client.arrivedMs = Math.max(client.arrivedMs, nowMs + client.lateMs);
        client.lateMs = fact.lateMs;
        return;
      }
      case "lost":
        if (fact.side === "server") this.#lost(this.client(fact.client), fact, nowMs);
        else leave(this.client(fact.client), fact.connection);
        return;
      case "died":
        this.client(fact.client).diedMs = nowMs;
        return;
      case "stopped":
        if (fact.role === "session") this.#sessionStopped(fact.node, nowMs);
        return;
      default:
    }
  }

  #published(fact: Fact & { kind: "published" }, nowMs: number): void {
    const { client, service, registId, version, token, zone } = fact;
    const known = this.#find(fact);
    if (known === undefined || !known.isRegistered) this.#growthMs.set(service, nowMs);
    if (known !== undefined) {
      Object.assign(known, { version, token, isRegistered: true });
      return;
    }
    const fresh = { isRegistered: true, unpublished: [], acknowledgements: [] };
    const ofService = this.#byService.get(service) ?? new Map<string, KnownRegistration[]>();
    this.#byService.set(service, ofService);
    const twins = ofService.get(registId) ?? [];
    ofService.set(registId, [...twins, { client, service, registId, zone, version, token, ...fresh }]);
  }

  #unpublished(fact: Fact & { kind: "unpublished" }): void {
    const known = this.#find(fact);
    if (known === undefined) return;
    Object.assign(known, { version: fact.version, isRegistered: false });
    known.unpublished.push(fact.version);
  }

  #acknowledged(fact: Fact & { kind: "acknowledged" }, nowMs: number): void {
    const { version, connection, session } = fact;
    const known = this.#find(fact);
    const acknowledgement = { version, atMs: nowMs, connection, session };
    known?.acknowledgements.push(acknowledgement);
    this.client(fact.client).acknowledgements.push(acknowledgement);
  }

  #lost(client: KnownClient, { connection, session }: { connection: number; session: string }, nowMs: number): void {
    const unknown = {
      connection,
      session,
      acceptedMs: nowMs,
      madeMs: nowMs,
      isMute: false,
      firstMs: undefined,
      isLeft: false,
    };
    const known = client.open.get(connection) ?? unknown;
    client.open.delete(connection);
    client.losses.push({ ...known, atMs: nowMs, isSessionDead: false });
  }

  #sessionStopped(session: string, nowMs: number): void {
    for (const client of this.#clients.values()) {
      for (const [number, connection] of client.open) {
        if (connection.session !== session) continue;
        client.open.delete(number);
        client.losses.push({ ...connection, atMs: nowMs, isSessionDead: true });
      }
    }
  }

  #find({
    client,
    service,
    registId,
  }: {
    client: string;
    service: ServiceKey;
    registId: string;
  }): KnownRegistration | undefined {
    return this.twins(service, registId).find((twin) => twin.client === client);
  }
}

/** Messages of a client that can't be heard arrive when it can. */
function speak(client: KnownClient, nowMs: number): void {
  for (const connection of client.open.values()) connection.firstMs ??= nowMs;
  if (client.hushedMs === undefined) client.spokeMs = nowMs;
  else client.hasSpokenUnheard = true;
}

function leave({ open }: KnownClient, number: number): void {
  const connection = open.get(number);
  if (connection !== undefined) connection.isLeft = true;
}
