// The actions of a scenario's clients: every service has publishers and subscribers at every session, and every data
// node leads some of the services.

import { setTimeout as sleep } from "node:timers/promises";
import { type Cluster, DATAS, SESSIONS } from "../cluster/cluster.ts";
import { type ClusterStatus, slotOfService } from "../cluster/status.ts";
import { arrivalMs } from "../history/records.ts";
import type { ClientHost, Fleet } from "./fleet.ts";

export const PUBLISHER_HOST = "client1";
export const SUBSCRIBER_HOST = "client2";
/** Clients that are harmed live on a host of their own; all of them begin at `session1`. */
export const VICTIM_HOST = "client3";
/** Real Java clients, if the scenario has any. */
export const JAVA_HOST = "java";
export const VICTIM_SESSION = "session1";

export interface WorkloadSize {
  /** For each data node so many services that it leads. */
  readonly servicesPerData: number;
  readonly publishers: number;
  readonly publishersPerService: number;
  readonly subscribers: number;
  /** All of them if nothing is said. */
  readonly servicesPerSubscriber?: number;
  readonly victims: number;
}

export const USUAL_SIZE: WorkloadSize = {
  servicesPerData: 4,
  publishers: 12,
  publishersPerService: 4,
  subscribers: 9,
  victims: 3,
};

export interface WatchedService {
  readonly name: string;
  /** The data node that led it when the scenario began. */
  readonly leader: string;
}

export interface OwnRegistration {
  readonly name: string;
  readonly client: string;
  readonly service: string;
  /** It is changed and never taken back: of a Java client, whose publishers can't be used again after that. */
  readonly isSteady: boolean;
}

/** A version of a registration that subscribers have to show. */
export interface Change {
  readonly registration: OwnRegistration;
  readonly version: number;
}

export interface WorkloadOptions {
  readonly fleet: Fleet;
  readonly cluster: Cluster;
  /** Begins all names of the scenario. */
  readonly tag: string;
  readonly size?: WorkloadSize;
  /** Starts the Java process; undefined for a workload without. */
  readonly startJava?: (() => ClientHost) | undefined;
}

const JAVA_CLIENTS = 3;

export class Workload {
  readonly services: readonly WatchedService[];
  readonly registrations: readonly OwnRegistration[];
  readonly #fleet: Fleet;
  /** By registration, the last version and whether it is published. */
  readonly #states = new Map<string, { version: number; isPublished: boolean }>();
  /** An awaited change is not taken back meanwhile: it might never be shown. */
  readonly #awaited = new Set<string>();

  private constructor(fleet: Fleet, services: readonly WatchedService[], registrations: readonly OwnRegistration[]) {
    this.#fleet = fleet;
    this.services = services;
    this.registrations = registrations;
  }

  /** Makes the clients and all their registrations; they are under way then. */
  static async start(options: WorkloadOptions): Promise<Workload> {
    const { fleet, cluster, tag, size = USUAL_SIZE, startJava } = options;
    const services = await chooseServices(cluster, tag, size.servicesPerData);
    for (const host of [PUBLISHER_HOST, SUBSCRIBER_HOST, VICTIM_HOST]) fleet.startWorker(host);
    if (startJava !== undefined) fleet.addHost(JAVA_HOST, startJava());
    const registrations = [
      ...openPublishers(fleet, services, size),
      ...openVictims(fleet, services, size.victims),
      ...(startJava === undefined ? [] : openJava(fleet, services)),
    ];
    const workload = new Workload(fleet, services, registrations);
    for (const registration of registrations) workload.publish(registration);
    subscribeAll(fleet, services, size);
    return workload;
  }

  /** Publishes, or changes what is published. */
  publish(registration: OwnRegistration): Change {
    const { name, client, service } = registration;
    const version = (this.#states.get(name)?.version ?? 0) + 1;
    this.#states.set(name, { version, isPublished: true });
    this.#fleet.publish(client, name, service);
    return { registration, version };
  }

  unpublish({ name, client }: OwnRegistration): void {
    const version = (this.#states.get(name)?.version ?? 0) + 1;
    this.#states.set(name, { version, isPublished: false });
    this.#fleet.unpublish(client, name);
  }

  /** Changes one registration in every service, of clients that the filter lets through. */
  changeEverything(mayChange: (registration: OwnRegistration) => boolean = () => true): Change[] {
    return this.services.flatMap((service) => {
      const own = this.registrations.filter((each) => each.service === service.name && this.#isAlive(each));
      const chosen = own.find(mayChange);
      return chosen === undefined ? [] : [this.publish(chosen)];
    });
  }

  /** Keeps the churn off these changes until the returned function is called. */
  guard(changes: readonly Change[]): () => void {
    for (const { registration } of changes) this.#awaited.add(registration.name);
    return () => {
      for (const { registration } of changes) this.#awaited.delete(registration.name);
    };
  }

  /** When the last living subscriber of these clients came to show the change; undefined as long as one does not. */
  shownEverywhere({ registration, version }: Change, isAwaited: (client: string) => boolean): number | undefined {
    let lastMs = 0;
    const { subscriptions, deaths } = this.#fleet.records;
    for (const subscription of subscriptions.values()) {
      if (subscription.service !== registration.service || deaths.has(subscription.client)) continue;
      if (!isAwaited(subscription.client)) continue;
      const atMs = arrivalMs(subscription, registration.name, version);
      if (atMs === undefined) return undefined;
      lastMs = Math.max(lastMs, atMs);
    }
    return lastMs;
  }

  /** Changes, takes back and publishes anew, so many times a second, until the returned function is called. */
  churn(perSecond: number, mayChange: (registration: OwnRegistration) => boolean = () => true): () => Promise<void> {
    const stopping = new AbortController();
    const running = this.#churn(perSecond, mayChange, stopping.signal);
    return async () => {
      stopping.abort();
      await running;
      for (const registration of this.registrations) {
        if (this.#states.get(registration.name)?.isPublished === false && this.#isAlive(registration)) {
          this.publish(registration);
        }
      }
    };
  }

  async #churn(
    perSecond: number,
    mayChange: (registration: OwnRegistration) => boolean,
    signal: AbortSignal,
  ): Promise<void> {
    const startMs = performance.now();
    const changing = this.registrations.filter(mayChange);
    for (let done = 0; !signal.aborted && changing.length > 0; ) {
      const due = ((performance.now() - startMs) / 1_000) * perSecond;
      for (; done < due; done++) {
        const registration = changing[Math.floor(Math.random() * changing.length)];
        if (registration === undefined || this.#awaited.has(registration.name)) continue;
        if (this.#isAlive(registration)) this.#change(registration);
      }
      await sleep(10);
    }
  }

  // One of ten goes, and comes back when its turn is next.
  #change(registration: OwnRegistration): void {
    const { isPublished = false } = this.#states.get(registration.name) ?? {};
    if (isPublished && !registration.isSteady && Math.random() < 0.1) this.unpublish(registration);
    else this.publish(registration);
  }

  #isAlive({ client }: OwnRegistration): boolean {
    return !this.#fleet.records.deaths.has(client);
  }
}

function openPublishers(fleet: Fleet, services: readonly WatchedService[], size: WorkloadSize): OwnRegistration[] {
  const clients = Array.from({ length: size.publishers }, (_, at) => `p${at + 1}`);
  for (const [at, client] of clients.entries()) fleet.open(client, { host: PUBLISHER_HOST, first: sessionAt(at) });
  return services.flatMap(({ name: service }, at) =>
    Array.from({ length: size.publishersPerService }, (_, nth) => {
      const client = clients[(at + nth) % clients.length] ?? "";
      return { name: `${client}.${at}`, client, service, isSteady: false };
    }),
  );
}

function openVictims(fleet: Fleet, services: readonly WatchedService[], victims: number): OwnRegistration[] {
  return Array.from({ length: victims }, (_, at) => {
    const client = `v${at + 1}`;
    fleet.open(client, { host: VICTIM_HOST, first: VICTIM_SESSION });
    const service = services[at % services.length]?.name ?? "";
    return { name: `${client}.${at}`, client, service, isSteady: false };
  });
}

export function isJavaClient(client: string): boolean {
  return client.startsWith("j");
}

/** A few Java clients, of which each publishes in one service and subscribes to all. */
function openJava(fleet: Fleet, services: readonly WatchedService[]): OwnRegistration[] {
  return Array.from({ length: JAVA_CLIENTS }, (_, at) => {
    const client = `j${at + 1}`;
    fleet.open(client, { host: JAVA_HOST, first: sessionAt(at) });
    for (const [nth, { name }] of services.entries()) fleet.subscribe(client, `${client}.${nth}`, name);
    const service = services[at % services.length]?.name ?? "";
    return { name: `${client}.${at}`, client, service, isSteady: true };
  });
}

function subscribeAll(fleet: Fleet, services: readonly WatchedService[], size: WorkloadSize): void {
  const count = size.servicesPerSubscriber ?? services.length;
  for (let at = 0; at < size.subscribers; at++) {
    const client = `s${at + 1}`;
    fleet.open(client, { host: SUBSCRIBER_HOST, first: sessionAt(at) });
    for (let nth = at * count; nth < (at + 1) * count; nth++) {
      fleet.subscribe(client, `${client}.${nth}`, services[nth % services.length]?.name ?? "");
    }
  }
}

function sessionAt(at: number): string {
  return SESSIONS[at % SESSIONS.length] ?? VICTIM_SESSION;
}

async function chooseServices(cluster: Cluster, tag: string, perData: number): Promise<WatchedService[]> {
  let slots: ClusterStatus["slots"] = [];
  // A node that is busy with its start may miss a question.
  await cluster.until(STATUS_MS, async () => {
    ({ slots } = await cluster.status());
    return DATAS.every((data) => slots.some(({ leader }) => leader === data));
  });
  const services: WatchedService[] = [];
  for (let at = 1; services.length < perData * DATAS.length; at++) {
    const name = `${tag}.service${at}`;
    const leader = slots[slotOfService(name, slots.length)]?.leader ?? "gone";
    const known = services.filter((service) => service.leader === leader).length;
    if (known < perData && DATAS.some((data) => data === leader)) services.push({ name, leader });
    if (at > NAMES_MAX) throw new Error("the slots are not spread over all data nodes");
  }
  return services;
}

const NAMES_MAX = 10_000;
const STATUS_MS = 10_000;
