// The session role: holds the clients, is the source of truth for what they publish and subscribe, and pushes lists to
// them. Events in, effects out, the time as an argument; see ARCHITECTURE.md for the way of a registration and of a
// push through it.

import { assert, unreachable } from "../base/assert.ts";
import { Deadlines } from "../base/deadlines.ts";
import { fail } from "../base/errors.ts";
import type { Metrics } from "../base/metrics.ts";
import { HEARTBEAT_INTERVAL_MS, type MemberToMeta, type MetaToMember } from "../messages/membership.ts";
import type { DataToSession, SessionToData } from "../messages/sessionData.ts";
import type { DatumDelta } from "../model/datum.ts";
import type { ClientId, DataInfoId, NodeId } from "../model/ids.ts";
import type { SlotTable } from "../model/slot.ts";
import { Client, registrationKey } from "./client.ts";
import { ConfigWatches } from "./configWatches.ts";
import { DataLinks } from "./dataLinks.ts";
import { Publications } from "./publications.ts";
import { Pusher, type PushOptions } from "./pusher.ts";
import type {
  ClientChannel,
  ClientEvent,
  PublishRequest,
  RegistrationKey,
  Registry,
  SubscribeRequest,
} from "./registry.ts";
import { type SubscribedService, Subscriptions } from "./subscriptions.ts";

/** Settings, each a key of the configuration; all times in milliseconds. */
export interface SessionOptions extends PushOptions {
  readonly id: NodeId;
  readonly clientReturnGraceMs: number;
  readonly clientRegistrationsMax: number;
  readonly sessionLeaseMs: number;
  readonly versionScanIntervalMs: number;
}

/** The effects of a step towards other nodes; effects for clients go through their channels. */
export interface SessionOutput {
  toData(node: NodeId, message: SessionToData): void;
  toMeta(message: MemberToMeta): void;
}

export type SessionEvent =
  | ClientEvent
  | { readonly kind: "fromData"; readonly from: NodeId; readonly message: DataToSession }
  | { readonly kind: "fromMeta"; readonly message: MetaToMember }
  /** A data node can be reached. `isFresh`: it has lost its memory, and must hear everything again. */
  | { readonly kind: "dataUp"; readonly node: NodeId; readonly isFresh: boolean }
  | { readonly kind: "dataDown"; readonly node: NodeId }
  | { readonly kind: "woken" };

// A client that is back re-registers one by one, each within its own retry of at most a second; so long after its last
// one the rest counts as given up.
const RETURN_PROGRESS_MS = 5_000;
// A timer that fires so late was held up by this process, not by its clock.
const STALL_MS = 100;
// The end of a client with 100,000 publishers is spread over many steps, or everybody else would wait half a second for
// it.
const DROPS_PER_STEP = 500;

export class Session implements Registry {
  readonly #options: SessionOptions;
  readonly #output: SessionOutput;
  readonly #metrics: Metrics;
  readonly #clients = new Map<ClientId, Client>();
  readonly #departures = new Deadlines<Client>();
  readonly #publications: Publications;
  readonly #subscriptions = new Subscriptions();
  readonly #links: DataLinks;
  readonly #pusher: Pusher;
  readonly #configs: ConfigWatches;
  #connectionsMade = 0;
  #heartbeatMs = Number.NEGATIVE_INFINITY;
  #repairMs: number;

  constructor(options: SessionOptions, environment: { output: SessionOutput; metrics: Metrics; nowMs: number }) {
    this.#options = options;
    this.#output = environment.output;
    this.#metrics = environment.metrics;
    this.#publications = new Publications(options.id);
    this.#links = new DataLinks((node, message) => this.#output.toData(node, message));
    this.#pusher = new Pusher(options, this.#subscriptions, environment.metrics);
    this.#configs = new ConfigWatches(() => this.#pusher.takePushId());
    this.#repairMs = environment.nowMs + options.versionScanIntervalMs;
  }

  /** Connected clients. */
  get connections(): number {
    return this.#clients.size;
  }

  get slotTable(): SlotTable | undefined {
    return this.#links.table;
  }

  step(event: SessionEvent, nowMs: number): void {
    this.#forgiveStall(nowMs);
    switch (event.kind) {
      case "fromData":
        this.#fromData(event.from, event.message, nowMs);
        break;
      case "fromMeta":
        this.#fromMeta(event.message);
        break;
      case "dataUp":
        this.#dataUp(event.node, event.isFresh);
        break;
      case "dataDown":
        this.#links.nodeDown(event.node);
        break;
      case "woken":
        break;
      default:
        this.#fromClient(event, nowMs);
    }
    this.#wake(nowMs);
  }

  /** When `woken` is due next. */
  nextWakeMs(): number {
    const heartbeatMs = this.#heartbeatMs + HEARTBEAT_INTERVAL_MS;
    return Math.min(this.#departures.nextMs(), this.#pusher.nextWakeMs(), this.#repairMs, heartbeatMs);
  }

  #fromClient(event: ClientEvent, nowMs: number): void {
    if (event.kind === "connected") return this.#connected(event.client, event.channel);
    const client = this.#clients.get(event.client);
    assert(client !== undefined, "a gateway speaks for clients that it has connected and not disconnected");
    switch (event.kind) {
      case "published":
        return this.#published(client, event, nowMs);
      case "unpublished":
        return this.#unpublished(client, event, nowMs);
      case "subscribed":
        return this.#subscribed(client, event, nowMs);
      case "unsubscribed":
        return this.#unsubscribed(client, event);
      case "watchedConfig":
        return this.#watchedConfig(client, event);
      case "unwatchedConfig":
        return this.#unwatchedConfig(client, event);
      case "pushAnswered":
        return this.#pushAnswered(client, event, nowMs);
      case "drained":
        return this.#pusher.drained(client, nowMs);
      case "disconnected":
        return this.#disconnected(client, nowMs);
      default:
        return unreachable(event);
    }
  }

  #connected(id: ClientId, channel: ClientChannel): void {
    assert(!this.#clients.has(id), "a client id is one connection");
    this.#clients.set(id, new Client(id, channel, this.#connectionsMade++));
  }

  #published(client: Client, event: { request: number; publication: PublishRequest }, nowMs: number): void {
    const { publication } = event;
    const { registId, version } = publication;
    if (!this.#publications.has(client, publication) && this.#refusesMore(client, event.request, publication)) return;
    const taken = this.#publications.put(client, publication, nowMs);
    if (taken !== undefined) {
      this.#links.publish({ kind: "put", publication: taken.publication });
      if (taken.before !== undefined) this.#returned(taken.before, nowMs);
    }
    client.channel.answer(event.request, { kind: "accepted", registId, version });
  }

  #unpublished(client: Client, { request, key }: { request: number; key: RegistrationKey }, nowMs: number): void {
    const taken = this.#publications.unpublish(key, nowMs);
    if (taken !== undefined) this.#links.publish({ kind: "remove", removal: taken.removal });
    if (taken?.before !== undefined) this.#returned(taken.before, nowMs);
    client.channel.answer(request, { kind: "accepted", registId: key.registId, version: key.version });
  }

  #subscribed(client: Client, event: { request: number; subscription: SubscribeRequest }, nowMs: number): void {
    const { registId, version } = event.subscription;
    const isKnown = client.subscribers.has(registrationKey(event.subscription));
    if (!isKnown && this.#refusesMore(client, event.request, event.subscription)) return;
    const { service, subscriber, returnedFrom } = this.#subscriptions.subscribe(client, event.subscription);
    if (returnedFrom !== undefined) this.#returned(returnedFrom, nowMs);
    // The answer goes first: a client that gets a push for a registration which it does not know to be accepted may
    // drop it.
    client.channel.answer(event.request, { kind: "accepted", registId, version });
    if (service.list.view !== undefined) this.#pusher.subscribed(subscriber, nowMs);
    else this.#fetch(service);
    this.#metrics.set("roster_subscribers", this.#subscriptions.size);
  }

  #unsubscribed(client: Client, { request, key }: { request: number; key: RegistrationKey }): void {
    this.#subscriptions.unsubscribe(client, key);
    this.#releaseUnused([key.dataInfoId]);
    client.channel.answer(request, { kind: "accepted", registId: key.registId, version: key.version });
  }

  #watchedConfig(client: Client, { request, key }: { request: number; key: RegistrationKey }): void {
    if (!client.configWatches.has(registrationKey(key)) && this.#refusesMore(client, request, key)) return;
    client.channel.answer(request, { kind: "accepted", registId: key.registId, version: key.version });
    const isUnknown = this.#configs.watch(client, key);
    if (isUnknown) this.#output.toMeta({ kind: "watchConfig", dataInfoIds: [key.dataInfoId] });
  }

  #unwatchedConfig(client: Client, { request, key }: { request: number; key: RegistrationKey }): void {
    const isUnused = this.#configs.unwatch(client, key);
    if (isUnused) this.#output.toMeta({ kind: "unwatchConfig", dataInfoIds: [key.dataInfoId] });
    client.channel.answer(request, { kind: "accepted", registId: key.registId, version: key.version });
  }

  #pushAnswered(client: Client, { push, isTaken }: { push: number; isTaken: boolean }, nowMs: number): void {
    this.#configs.answered(client, push, isTaken);
    this.#pusher.answered(client, push, { isTaken, nowMs });
  }

  /** A closed connection is not yet a dead client: what it registered waits for its return. */
  #disconnected(client: Client, nowMs: number): void {
    this.#clients.delete(client.id);
    client.departedMs = nowMs;
    this.#subscriptions.depart(client);
    const unwatched = this.#configs.dropClient(client);
    if (unwatched.length > 0) this.#output.toMeta({ kind: "unwatchConfig", dataInfoIds: unwatched });
    this.#departures.set(client, nowMs + this.#options.clientReturnGraceMs);
  }

  /**
   * Something that `client` held is held by another connection now. If `client` is gone, this was its return, and the
   * rest may follow.
   */
  #returned(client: Client, nowMs: number): void {
    const dueMs = this.#departures.get(client);
    if (dueMs !== undefined) this.#departures.set(client, Math.max(dueMs, nowMs + RETURN_PROGRESS_MS));
  }

  /**
   * A process that was stopped or busy for a while finds its timers due before it has read what its clients sent
   * meanwhile: those who had gone get their grace anew.
   */
  #forgiveStall(nowMs: number): void {
    const lateMs = nowMs - this.nextWakeMs();
    if (lateMs > STALL_MS) this.#departures.postpone(nowMs + this.#options.clientReturnGraceMs);
  }

  #dropDeparted(nowMs: number): void {
    let budget = DROPS_PER_STEP;
    while (budget > 0) {
      const client = this.#departures.take(nowMs);
      if (client === undefined) return;
      budget -= this.#dropClient(client, budget);
      if (client.publications.size > 0) this.#departures.set(client, nowMs);
    }
  }

  /** Drops what a client left, at most `max` publications of it; returns how many that were. */
  #dropClient(client: Client, max: number): number {
    const removals = this.#publications.dropSome(client, max);
    for (const removal of removals) this.#links.publish({ kind: "remove", removal });
    const services = [...client.subscribers.values()].map((subscriber) => subscriber.target.dataInfoId);
    this.#subscriptions.dropClient(client);
    this.#releaseUnused(services);
    this.#metrics.set("roster_subscribers", this.#subscriptions.size);
    return Math.max(1, removals.length);
  }

  #refusesMore(client: Client, request: number, { registId, version }: { registId: string; version: bigint }): boolean {
    const max = this.#options.clientRegistrationsMax;
    if (client.registrations < max) return false;
    const error = fail("REGISTRATIONS_EXHAUSTED", { client: client.id, held: client.registrations, max });
    client.channel.answer(request, { kind: "failed", registId, version, error });
    return true;
  }

  #releaseUnused(dataInfoIds: readonly DataInfoId[]): void {
    for (const dataInfoId of dataInfoIds) {
      const service = this.#subscriptions.get(dataInfoId);
      if (service === undefined || !this.#subscriptions.forgetIfUnused(service)) continue;
      this.#links.ask(dataInfoId, { kind: "release", dataInfoIds: [dataInfoId] });
    }
  }

  /** Asks for the list; while one is on its way its arrival decides whether another one is needed. */
  #fetch(service: SubscribedService): void {
    if (service.isWaiting) return;
    const { dataInfoId, list } = service;
    service.isWaiting = this.#links.ask(dataInfoId, { kind: "fetch", dataInfoId, have: list.version });
  }

  #fromData(from: NodeId, message: DataToSession, nowMs: number): void {
    switch (message.kind) {
      case "taken":
        return this.#links.taken(from, message.batch);
      case "moved":
        return this.#links.moved(from, message.batch);
      case "snapshot":
        return this.#arrived(message.datum.dataInfoId, (service) => service.list.replace(message.datum), nowMs);
      case "delta":
        return this.#delta(message.delta, nowMs);
      case "changed":
        return this.#announced(this.#subscriptions.get(message.dataInfoId), message.version);
      case "current":
        return this.#arrived(message.dataInfoId, () => false, nowMs);
      case "notReady":
        // It follows by itself; the scan asks again in case it does not.
        return;
      default:
        return unreachable(message);
    }
  }

  #delta(delta: DatumDelta, nowMs: number): void {
    const service = this.#subscriptions.get(delta.dataInfoId);
    if (service === undefined) return;
    const result = service.list.apply(delta);
    if (result === "behind") return this.#announced(service, delta.version);
    this.#arrived(delta.dataInfoId, () => result === "applied", nowMs);
  }

  #arrived(dataInfoId: DataInfoId, take: (service: SubscribedService) => boolean, nowMs: number): void {
    const service = this.#subscriptions.get(dataInfoId);
    if (service === undefined) return;
    service.isWaiting = false;
    if (take(service)) this.#pusher.changed(service, nowMs);
    if (service.announcedVersion > service.list.version) this.#fetch(service);
  }

  /** There is a list of this version, and it is not here. */
  #announced(service: SubscribedService | undefined, version: bigint): void {
    if (service === undefined || version <= service.list.version) return;
    if (version > service.announcedVersion) service.announcedVersion = version;
    this.#fetch(service);
  }

  #fromMeta(message: MetaToMember): void {
    switch (message.kind) {
      case "slotTable":
        return this.#adopt(message.table);
      case "config":
        return this.#configs.changed(message.value);
      default:
        return unreachable(message);
    }
  }

  #adopt(table: SlotTable): void {
    if (table.epoch <= this.#links.tableEpoch) return;
    const hasMoved = this.#links.adopt(table);
    for (const publication of this.#publications.all()) {
      if (hasMoved(publication.dataInfoId)) this.#links.publish({ kind: "put", publication });
    }
    for (const service of this.#subscriptions.services()) {
      if (!hasMoved(service.dataInfoId)) continue;
      service.isWaiting = false;
      this.#fetch(service);
    }
  }

  #dataUp(node: NodeId, isFresh: boolean): void {
    this.#links.nodeUp(node);
    if (isFresh) {
      for (const publication of this.#publications.all()) {
        if (this.#links.leader(publication.dataInfoId) === node) this.#links.publish({ kind: "put", publication });
      }
    }
    // Notices may have been lost with the connection.
    this.#scan(node);
  }

  #wake(nowMs: number): void {
    if (nowMs >= this.#heartbeatMs + HEARTBEAT_INTERVAL_MS) this.#heartbeat(nowMs);
    this.#dropDeparted(nowMs);
    this.#pusher.wake(nowMs);
    if (nowMs >= this.#repairMs) this.#repair(nowMs);
  }

  #heartbeat(nowMs: number): void {
    this.#heartbeatMs = nowMs;
    this.#output.toMeta({ kind: "heartbeat", role: "session", tableEpoch: this.#links.tableEpoch });
  }

  /** The safety net: whatever was lost on the way is found here, within one interval. */
  #repair(nowMs: number): void {
    this.#repairMs = nowMs + this.#options.versionScanIntervalMs;
    this.#links.pump();
    for (const node of this.#dataNodes()) this.#scan(node);
    this.#pusher.repair(nowMs);
    this.#configs.repair();
    const dataInfoIds = this.#configs.watched();
    if (dataInfoIds.length > 0) this.#output.toMeta({ kind: "watchConfig", dataInfoIds });
  }

  #dataNodes(): Set<NodeId> {
    return new Set(this.#links.table?.slots.map((slot) => slot.leader) ?? []);
  }

  #scan(node: NodeId): void {
    if (!this.#links.isReachable(node)) return;
    const versions: (readonly [DataInfoId, bigint])[] = [];
    for (const service of this.#subscriptions.services()) {
      if (this.#links.leader(service.dataInfoId) !== node) continue;
      // The answer to an earlier fetch may be lost; this one asks for the same.
      service.isWaiting = false;
      versions.push([service.dataInfoId, service.list.version]);
    }
    if (versions.length > 0) this.#output.toData(node, { kind: "scan", versions });
  }
}
