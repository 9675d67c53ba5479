// What the clients did and what became of them, as far as they and the network can tell: the yardstick for what lists
// ought to say.

import type { DataInfoId } from "../../model/ids.ts";
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
  readonly service: DataInfoId;
  readonly registId: string;
  readonly zone: string;
  version: bigint;
  token: string;
  isRegistered: boolean;
  /** The versions under which it was taken back, rising. */
  readonly unpublished: bigint[];
  readonly acknowledgements: Acknowledgement[];
}

/** The server's side of a connection ended. */
export interface Loss {
  readonly atMs: number;
  readonly connection: number;
  readonly session: string;
  /** The session's process ended, and with it its knowledge of the connection. */
  readonly isSessionDead: boolean;
}

export interface KnownClient {
  readonly name: string;
  diedMs: number | undefined;
  /** Connections that stand as far as the server knows, by number. */
  readonly open: Map<number, string>;
  readonly losses: Loss[];
  /** Of all its publishers, in order. */
  readonly acknowledgements: Acknowledgement[];
}

interface Restart {
  readonly stopMs: number;
  readonly startMs: number;
}

export class Registrations {
  readonly #clients = new Map<string, KnownClient>();
  readonly #byService = new Map<DataInfoId, Map<string, KnownRegistration[]>>();
  readonly #growthMs = new Map<DataInfoId, number>();
  readonly #stopMs = new Map<string, number>();
  readonly #cutLinks = new Set<string>();
  readonly dataRestarts: Restart[] = [];
  /** The last time that a node or a link between nodes came or went, or a link was away. */
  troubleMs = Number.NEGATIVE_INFINITY;
  /** The same for links alone. */
  linkTroubleMs = Number.NEGATIVE_INFINITY;

  client(name: string): KnownClient {
    const known = this.#clients.get(name);
    if (known !== undefined) return known;
    const client = { name, diedMs: undefined, open: new Map(), losses: [], acknowledgements: [] };
    this.#clients.set(name, client);
    return client;
  }

  /** All publishers with this registId; more than one if clients share it. */
  twins(service: DataInfoId, registId: string): readonly KnownRegistration[] {
    return this.#byService.get(service)?.get(registId) ?? [];
  }

  *ofService(service: DataInfoId): Generator<readonly KnownRegistration[]> {
    yield* this.#byService.get(service)?.values() ?? [];
  }

  *all(): Generator<KnownRegistration> {
    for (const service of this.#byService.values()) for (const twins of service.values()) yield* twins;
  }

  /** When a client last added itself to the service. */
  growthMs(service: DataInfoId): number {
    return this.#growthMs.get(service) ?? Number.NEGATIVE_INFINITY;
  }

  see(fact: Fact, nowMs: number): void {
    if (this.#cutLinks.size > 0) this.#linkTrouble(nowMs);
    switch (fact.kind) {
      case "published":
        return this.#published(fact, nowMs);
      case "unpublished":
        return this.#unpublished(fact);
      case "acknowledged":
        return this.#acknowledged(fact, nowMs);
      case "connected":
        this.client(fact.client).open.set(fact.connection, fact.session);
        return;
      case "lost":
        if (fact.side === "server") this.#lost(this.client(fact.client), fact, nowMs);
        return;
      case "died":
        this.client(fact.client).diedMs = nowMs;
        return;
      case "linkLost":
        this.#cutLinks.add(`${fact.session} ${fact.data}`);
        return this.#linkTrouble(nowMs);
      case "linkMade":
        this.#cutLinks.delete(`${fact.session} ${fact.data}`);
        return this.#linkTrouble(nowMs);
      case "started":
      case "stopped":
        return this.#node(fact, nowMs);
      default:
    }
  }

  #linkTrouble(nowMs: number): void {
    this.linkTroubleMs = nowMs;
    this.troubleMs = nowMs;
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
    client.open.delete(connection);
    client.losses.push({ atMs: nowMs, connection, session, isSessionDead: false });
  }

  #node(fact: Fact & { kind: "started" | "stopped" }, nowMs: number): void {
    const { node, role } = fact;
    if (role !== "meta") this.troubleMs = nowMs;
    if (role === "data") {
      const stopMs = this.#stopMs.get(node);
      if (fact.kind === "stopped") this.#stopMs.set(node, nowMs);
      else if (stopMs !== undefined) this.dataRestarts.push({ stopMs, startMs: nowMs });
    }
    if (role !== "session" || fact.kind !== "stopped") return;
    for (const client of this.#clients.values()) {
      for (const [connection, session] of client.open) {
        if (session !== node) continue;
        client.open.delete(connection);
        client.losses.push({ atMs: nowMs, connection, session, isSessionDead: true });
      }
    }
  }

  #find({
    client,
    service,
    registId,
  }: {
    client: string;
    service: DataInfoId;
    registId: string;
  }): KnownRegistration | undefined {
    return this.twins(service, registId).find((twin) => twin.client === client);
  }
}
