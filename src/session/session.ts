// The session role: holds the clients, is the source of truth for their publications and subscriptions, and pushes
// lists to them. Events in, effects out, the time as an argument; ARCHITECTURE.md follows a registration and a push
// through it.

import { assert, unreachable } from "../base/assert.ts";
import type { Metrics } from "../base/metrics.ts";
import { MembershipView } from "../cluster/membershipView.ts";
import type { Members, MetaToMember } from "../cluster/messages/membership.ts";
import type { DataToSession } from "../cluster/messages/sessionData.ts";
import type { ClientId, NodeId } from "../model/ids.ts";
import type { Publication } from "../model/publication.ts";
import type { SlotTable } from "../model/slot.ts";
import type { OwnClients } from "../registry/ownClients.ts";
import type { ClientEvent, Registry } from "../registry/registry.ts";
import { Admission } from "./admission.ts";
import { Applications } from "./applications.ts";
import { Claims } from "./claims.ts";
import { Client } from "./client.ts";
import { ClientRequests, type RequestParts } from "./clientRequests.ts";
import { ClientsByHost } from "./clientsByHost.ts";
import { ConfigWatches } from "./configWatches.ts";
import { Costs } from "./costs.ts";
import { DataLinks } from "./dataLinks.ts";
import { DataRepair } from "./dataRepair.ts";
import { DepartedClients } from "./departedClients.ts";
import { Fullness } from "./fullness.ts";
import { Leases } from "./leases.ts";
import { measureSession } from "./measureSession.ts";
import { Publications } from "./publications.ts";
import { Pusher } from "./pusher.ts";
import { Questions } from "./questions.ts";
import { ServiceLists } from "./serviceLists.ts";
import type { SessionEvent, SessionOptions, SessionOutput } from "./sessionPorts.ts";
import { type RulesOutcome, SessionRules } from "./sessionRules.ts";
import { Subscriptions } from "./subscriptions.ts";
import type { SessionParts } from "./unfinished.ts";
import { VersionScan } from "./versionScan.ts";

// After this time clients may have given this process up and gone elsewhere.
const ABSENCE_MS = 1_500;
// Within this it has read all waiting input, in turns of 20 ms, and knows which connections are closed.
const CATCH_UP_MS = 1_000;

export class Session implements Registry, OwnClients {
  readonly #output: SessionOutput;
  readonly #metrics: Metrics;
  readonly #clients = new Map<ClientId, Client>();
  readonly #byHost = new ClientsByHost();
  readonly #departed: DepartedClients;
  readonly #publications: Publications;
  readonly #subscriptions: Subscriptions;
  readonly #links: DataLinks;
  readonly #fullness: Fullness;
  readonly #parts: RequestParts;
  readonly #requests: ClientRequests;
  readonly #leases: Leases;
  readonly #lists: ServiceLists;
  readonly #questions: Questions;
  readonly #repair: DataRepair;
  readonly #claims: Claims;
  readonly #membership: MembershipView;
  /** The operators' rules, with what they change here. */
  readonly rules: SessionRules;
  readonly #pusher: Pusher;
  readonly #configs: ConfigWatches;
  readonly #applications: Applications;
  #connectionsMade = 0;
  #isDraining = false;
  // The time at which this process last continued after it had stood still for long.
  #resumedMs = Number.NEGATIVE_INFINITY;
  readonly #scan: VersionScan;
  // Slots whose new leader has not yet confirmed that it has everything held here.
  readonly #unsettled = new Set<number>();

  constructor(configured: SessionOptions, environment: { output: SessionOutput; metrics: Metrics; nowMs: number }) {
    this.rules = new SessionRules(configured);
    const { options } = this.rules;
    const { output, metrics } = environment;
    this.#output = output;
    this.#metrics = metrics;
    const costs = new Costs(options.isDataHere);
    this.#publications = new Publications(options.id, costs);
    this.#subscriptions = new Subscriptions(costs);
    this.#links = new DataLinks((node, message) => output.toData(node, message), {
      sent: metrics.histogram("roster_push_hop_seconds", { hop: "sent" }),
      taken: metrics.histogram("roster_push_hop_seconds", { hop: "taken" }),
    });
    this.#departed = new DepartedClients(options.clientReturnGraceMs, this.#publications, this.#subscriptions);
    this.#fullness = new Fullness(this.#publications, this.#links, options);
    const holds = this.rules;
    this.#pusher = new Pusher(options, { subscriptions: this.#subscriptions, holds }, metrics);
    const noticed = metrics.histogram("roster_push_hop_seconds", { hop: "noticed" });
    this.#lists = new ServiceLists(this.#subscriptions, { links: this.#links, noticed }, (service, nowMs) => {
      this.#applications.lists.moved(service, nowMs);
    });
    this.#repair = new DataRepair(this.#publications, this.#links, options);
    this.#claims = new Claims(this.#publications, this.#links);
    this.#membership = new MembershipView(
      { role: "session", address: options.address },
      { toMeta: (message) => output.toMeta(message), link: (nodes) => output.linkData(nodes) },
    );
    this.#configs = new ConfigWatches(options, () => this.#pusher.takePushId(), { costs, holds });
    this.#questions = new Questions({
      session: options.id,
      clients: this.#clients,
      byHost: this.#byHost,
      publications: this.#publications,
      subscriptions: this.#subscriptions,
      configs: this.#configs,
      links: this.#links,
      lists: this.#lists,
      members: () => this.#membership.members,
    });
    this.#parts = {
      admission: new Admission(options, this.#publications, this.#links),
      fullness: this.#fullness,
      publications: this.#publications,
      links: this.#links,
      departed: this.#departed,
      subscriptions: this.#subscriptions,
      lists: this.#lists,
      pusher: this.#pusher,
      configs: this.#configs,
    };
    this.#leases = new Leases(this.#parts);
    this.#requests = new ClientRequests(this.#parts, environment);
    this.#applications = new Applications(
      { clients: this.#clients, subscriptions: this.#subscriptions, links: this.#links },
      {
        toMeta: (message) => output.toMeta(message),
        show: (service, nowMs) => {
          this.#questions.changed(service);
          this.#pusher.changed(service, nowMs);
        },
        publish: (client, event, nowMs) => this.#requests.publish(client, event, { nowMs, resumedMs: this.#resumedMs }),
      },
      environment,
    );
    this.#scan = new VersionScan(options.versionScanIntervalMs, {
      subscriptions: this.#subscriptions,
      links: this.#links,
      nowMs: environment.nowMs,
    });
  }

  /** The number of connected clients. */
  get connections(): number {
    return this.#clients.size;
  }

  get slotTable(): SlotTable | undefined {
    return this.#links.table;
  }

  /** All nodes of the cluster, as far as this one has heard. */
  get members(): Members | undefined {
    return this.#membership.members;
  }

  /** The sum of the clients' charges, counted anew: to compare the budget with it. */
  get chargedBytes(): number {
    return this.#publications.chargedBytes + this.#subscriptions.chargedBytes + this.#configs.chargedBytes;
  }

  /**
   * Everything answered to clients is at the data nodes that lead now: a session that drains may stop. A node that has
   * just begun to lead may know of it from this session alone.
   */
  get isDrained(): boolean {
    return this.#links.isIdle && this.#repair.isConfirmed;
  }

  hosts(): Iterable<string> {
    return this.#byHost.hosts();
  }

  *clientsAt(host: string): Generator<ClientId> {
    for (const { id } of this.#byHost.at(host)) yield id;
  }

  *publicationsOf(client: ClientId): Generator<Publication> {
    for (const { publication } of this.#clients.get(client)?.publications ?? []) yield publication;
  }

  get parts(): SessionParts {
    const clients = { clients: this.#clients, byHost: this.#byHost, pusher: this.#pusher, scan: this.#scan };
    const questions = { ...this.#questions.parts, applications: this.#applications, rules: this.rules };
    return { ...clients, ...questions, links: this.#links, leases: this.#leases, unsettled: this.#unsettled };
  }

  step(event: SessionEvent, nowMs: number): void {
    this.#links.beginStep(nowMs);
    switch (event.kind) {
      case "fromData":
        this.#fromData(event.from, event.message, nowMs);
        break;
      case "fromMeta":
        this.#fromMeta(event.message, nowMs);
        break;
      case "dataUp":
        this.#dataUp(event.node, nowMs);
        break;
      case "dataDown":
        this.#links.nodeDown(event.node);
        this.#repair.end(event.node);
        this.#leases.dataDown(event.node, nowMs);
        this.#questions.dataDown(event.node, nowMs);
        break;
      case "metaUp":
        this.#membership.heartbeatSoon();
        this.#watchConfigs();
        this.#applications.metaUp(nowMs);
        break;
      case "registeredRevision":
      case "askedRevisions":
      case "renewedRevisions":
      case "askedServiceApps":
      case "listedApps":
        this.#applications.step(event, nowMs);
        break;
      case "setOwnRule":
        this.#rulesChanged(this.rules.setOwn(event.rule), nowMs);
        break;
      case "leased":
      case "leaseEnded":
      case "leaseRenewed":
        this.#leases.step(event, nowMs);
        break;
      case "drain":
        this.#isDraining = true;
        this.#membership.leave();
        break;
      case "woken":
        this.#pusher.beginTurn();
        break;
      default:
        if ("asker" in event) this.#questions.step(event, nowMs);
        else this.#fromClient(event, nowMs);
    }
    this.#wake(nowMs);
  }

  /** Departed clients get their grace anew: their input from that time may still be unread. */
  resumed(lateMs: number, nowMs: number): void {
    this.#departed.resumed(nowMs);
    this.#pusher.resumed(nowMs);
    this.#configs.resumed(nowMs);
    this.#applications.resumed(nowMs);
    if (lateMs <= ABSENCE_MS) return;
    // The next input may have waited in its sockets for long, from clients that are elsewhere by now. If a connection
    // turns out to be closed, nothing is published in its client's name.
    this.#resumedMs = nowMs;
    this.#links.pause(nowMs + CATCH_UP_MS);
  }

  /** The time of the next `woken`. */
  nextWakeMs(): number {
    return Math.min(
      this.#departed.nextMs(),
      this.#pusher.nextWakeMs(),
      this.#links.nextMs(),
      this.#claims.nextMs(),
      this.#repair.nextMs(),
      this.#leases.nextMs(),
      this.#membership.nextMs(),
      this.#configs.nextMs(),
      this.#scan.nextMs(),
      this.#questions.nextMs(),
      this.#applications.nextMs(),
    );
  }

  #fromClient(event: ClientEvent, nowMs: number): void {
    if (event.kind === "connected") return this.#connected(event, nowMs);
    const client = this.#clients.get(event.client);
    assert(client !== undefined, "a gateway speaks for clients that it has connected and not disconnected");
    switch (event.kind) {
      case "published":
        return this.#applications.gate.published(client, event, nowMs);
      case "unpublished":
        this.#applications.gate.superseded(client, event.key);
        return this.#requests.unpublish(client, event, { nowMs, resumedMs: this.#resumedMs });
      case "subscribed":
        return this.#requests.subscribe(client, event, nowMs);
      case "unsubscribed":
        return this.#requests.unsubscribe(client, event, nowMs);
      case "watchedConfig":
        return this.#requests.watchConfig(client, event, nowMs);
      case "unwatchedConfig":
        return this.#requests.unwatchConfig(client, event, nowMs);
      case "cleared":
        return this.#requests.clear(client, event.of, nowMs);
      case "pushAnswered":
        this.#configs.answered(client, event.push, { isTaken: event.isTaken, nowMs });
        return this.#pusher.answered(client, event.push, { isTaken: event.isTaken, nowMs });
      case "drained":
        this.#configs.drained(client, nowMs);
        return this.#pusher.drained(client, nowMs);
      case "disconnected":
        return this.#disconnected(client, nowMs);
      default:
        return unreachable(event);
    }
  }

  #connected(event: ClientEvent & { kind: "connected" }, nowMs: number): void {
    assert(!this.#clients.has(event.client), "a client id is one connection");
    const client = new Client(event.client, event, { order: this.#connectionsMade++, connectedMs: Math.floor(nowMs) });
    this.#clients.set(event.client, client);
    this.#byHost.add(client);
  }

  /** A closed connection is not yet a dead client: its registrations wait for its return. */
  #disconnected(client: Client, nowMs: number): void {
    this.#clients.delete(client.id);
    this.#byHost.delete(client);
    client.departedMs = nowMs;
    if (this.#links.isPaused) {
      for (const late of this.#publications.withdraw(client, this.#resumedMs)) this.#links.withdraw(late);
    }
    this.#subscriptions.depart(client);
    this.#pusher.departed(client);
    this.#applications.gate.departed(client);
    const unwatched = this.#configs.dropClient(client);
    if (unwatched.length > 0) this.#output.toMeta({ kind: "unwatchConfig", serviceKeys: unwatched });
    // A client that leaves a stopping node is on its way to another: the data tier keeps its publications meanwhile.
    if (!this.#isDraining) this.#departed.add(client, nowMs);
  }

  #dropDeparted(nowMs: number): void {
    const { removals, services } = this.#departed.drop(nowMs);
    for (const removal of removals) this.#links.publish({ kind: "remove", removal });
    if (services.length === 0) return;
    this.#lists.releaseUnused(services);
    this.#metrics.set("roster_subscribers", this.#subscriptions.size);
  }

  #fromData(from: NodeId, message: DataToSession, nowMs: number): void {
    switch (message.kind) {
      case "taken":
        this.#fullness.told(from, message, nowMs);
        this.#repair.taken(...this.#leases.taken(from, this.#links.taken(from, message.batch), message));
        if (this.#publications.isContested) this.#claims.told(nowMs);
        return this.#metrics.set("roster_publishers_unlisted", this.#publications.unlisted);
      case "moved":
        if (message.epoch > this.#links.tableEpoch) this.#membership.heartbeatSoon();
        return this.#links.moved(from, message.batch, nowMs);
      case "snapshot":
      case "delta":
      case "changed":
      case "current":
        return this.#lists.received(from, message, nowMs);
      case "recall":
        return this.#lists.recall(from, message.serviceKey);
      case "notReady":
        // It follows unasked; the scan asks again in case it does not.
        return;
      case "synced":
        return this.#synced(from, message.slots);
      case "differs":
        return this.#repair.differs(from, message.slots);
      case "wanted":
        return this.#repair.wanted(message);
      case "challenged":
        return this.#claims.challenged(message.registrations, { nowMs, resumedMs: this.#resumedMs });
      case "catalogue":
      case "catalogueChanged":
      case "addressAnswer":
      case "surveyAsked":
      case "surveyEnded":
      case "surveySpread":
      case "surveyAnswer":
      case "surveyLost":
        return this.#questions.received(from, message, nowMs);
      case "renewed":
        return this.#leases.renewed(from, message, nowMs);
      default:
        return unreachable(message);
    }
  }

  #fromMeta(message: MetaToMember, nowMs: number): void {
    switch (message.kind) {
      case "slotTable":
        return this.#adopt(message.table, nowMs);
      case "members":
        return this.#joined(message.members, nowMs);
      case "config":
        return this.#configs.changed(message.value, nowMs);
      case "rules":
        return this.#rulesChanged(this.rules.received(message), nowMs);
      case "refused":
        return this.#output.refused(message.reason);
      // The host handles it.
      case "clientCounts":
        return;
      case "revisions":
      case "revisionsStored":
      case "revisionRefused":
      case "serviceApps":
      case "appsListed":
        return this.#applications.received(message, nowMs);
      default:
        return unreachable(message);
    }
  }

  #joined(members: Members, nowMs: number): void {
    const before = this.#membership.members?.epoch;
    if (!this.#membership.joined(members)) return;
    this.#linkData();
    this.#questions.membersChanged(nowMs);
    if (members.epoch !== before) this.#applications.metaUp(nowMs);
  }

  #rulesChanged(taken: RulesOutcome, nowMs: number): void {
    if (taken !== "known") this.#membership.heartbeatSoon();
    // Clients whose pushes were held, and are not any more, are behind.
    if (taken === "changed") this.#scan.beginAnew(nowMs);
  }

  #adopt(table: SlotTable, nowMs: number): void {
    if (table.epoch <= this.#links.tableEpoch) return;
    this.#publications.divide(table.slots.length);
    const moved = this.#links.adopt(table);
    this.#linkData();
    for (const slot of moved) this.#unsettled.add(slot);
    if (moved.size > 0) this.#claims.moved(moved, nowMs);
    this.#repair.moved(moved);
    this.#lists.moved(moved);
    this.#questions.moved(moved);
    this.#leases.dataChanged(nowMs);
  }

  #linkData(): void {
    const leaders = new Set(this.#links.table?.slots.map(({ leader }) => leader));
    this.#membership.link(({ role, id }, isListed) => role === "data" && (isListed || leaders.has(id)));
  }

  /** A leader that has just begun may have been asked before it knew that it leads. */
  #synced(from: NodeId, slots: readonly number[]): void {
    // A former leader may have had more than the present one.
    const led = slots.filter((slot) => this.#links.leaderOfSlot(slot) === from);
    this.#repair.confirmed(led);
    const settled = new Set(led.filter((slot) => this.#unsettled.delete(slot)));
    this.#lists.moved(settled);
    this.#questions.moved(settled);
  }

  #dataUp(node: NodeId, nowMs: number): void {
    this.#links.nodeUp(node);
    this.#repair.begin(node, nowMs);
    this.#leases.dataChanged(nowMs);
    // Notices may have been lost with the connection.
    this.#scan.begin(node);
    this.#questions.dataUp(node, nowMs);
  }

  #wake(nowMs: number): void {
    this.#dropDeparted(nowMs);
    this.#applications.wake(nowMs);
    this.#pusher.wake(nowMs);
    this.#configs.wake(nowMs);
    this.#links.wake(nowMs);
    this.#questions.wake(nowMs);
    this.#claims.wake({ nowMs, resumedMs: this.#resumedMs });
    this.#repair.wake(nowMs);
    this.#leases.wake(nowMs);
    this.#repairLists(nowMs);
    if (nowMs >= this.#membership.nextMs()) {
      this.#membership.heartbeat({ tableEpoch: this.#links.tableEpoch, rulesEpoch: this.rules.rules.epoch, nowMs });
      measureSession(this.#metrics, { ...this.#parts, leases: this.#leases, rules: this.rules });
    }
  }

  /** The safety net: finds everything lost on the way, within one interval. */
  #repairLists(nowMs: number): void {
    const isRound = this.#scan.beginIfDue(nowMs);
    if (isRound) this.#links.pump();
    this.#pusher.repair(this.#scan.tell(nowMs), nowMs);
    if (!isRound) return;
    this.#configs.repair(nowMs);
    this.#questions.repair(nowMs);
    this.#watchConfigs();
  }

  #watchConfigs(): void {
    const serviceKeys = this.#configs.watched();
    if (serviceKeys.length > 0) this.#output.toMeta({ kind: "watchConfig", serviceKeys });
  }
}
