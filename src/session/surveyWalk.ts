// The rows of one session for a survey, found by the shortest way: through the service that is asked for, else through
// the clients at the host, else through all clients. A walk takes as many turns as it needs, and clients come and go
// meanwhile: a Map or a Set may change while it is iterated. Only what belongs to connected clients is told.

import { unreachable } from "../base/assert.ts";
import { type ClientId, hostOf, type NodeId, type ServiceKey } from "../model/ids.ts";
import type { ClientRow, CountRow, PublisherRow, SubscriberRow, Survey, SurveyRow, WatchRow } from "../model/survey.ts";
import type { Client, ConfigWatch, HeldPublication, Subscriber } from "./client.ts";
import type { ClientsByHost } from "./clientsByHost.ts";
import type { ConfigWatches } from "./configWatches.ts";
import type { Publications } from "./publications.ts";
import type { Subscriptions } from "./subscriptions.ts";

/** The parts of the session that know what its clients have. */
export interface SurveyedParts {
  readonly session: NodeId;
  readonly clients: ReadonlyMap<ClientId, Client>;
  readonly byHost: ClientsByHost;
  readonly publications: Publications;
  readonly subscriptions: Subscriptions;
  readonly configs: ConfigWatches;
}

/**
 * A unit of work of a walk: with a row, or with nothing to tell. At the end a walk returns whether it left rows out.
 */
export type Walk = Iterator<SurveyRow | undefined, boolean>;

// A session of 100,000 clients has some hundred applications.
const APPLICATIONS_MAX = 10_000;

/** Everything that the survey asks for, one unit of work after another. */
export function walk(parts: SurveyedParts, survey: Survey): Walk {
  switch (survey.of) {
    case "publishers":
      return rowsOf(publishers(parts, survey), publisherRow);
    case "subscribers":
      return rowsOf(subscribers(parts, survey), subscriberRow);
    case "watches":
      return rowsOf(watches(parts, survey), watchRow);
    case "clients":
      return rowsOf(clients(parts, survey), clientRow);
    case "services":
      return serviceCounts(parts, survey);
    case "applications":
      return applicationCounts(parts, survey);
    case "sessions":
      return sessionCount(parts, survey);
    default:
      return unreachable(survey.of);
  }
}

type Condition = Pick<Survey, "serviceKey" | "host" | "appName">;

function* rowsOf<T>(
  all: Iterable<T | undefined>,
  row: (one: T) => SurveyRow,
): Generator<SurveyRow | undefined, boolean> {
  for (const one of all) yield one === undefined ? undefined : row(one);
  return false;
}

/** The publishers that meet the condition; undefined for each of the others that were looked at. */
function* publishers(parts: SurveyedParts, condition: Condition): Generator<HeldPublication | undefined> {
  const { serviceKey, appName } = condition;
  const meets = ({ publication, client }: HeldPublication) =>
    isAt(client, condition) && (appName === "" || publication.appName === appName);
  if (serviceKey !== undefined) {
    for (const held of parts.publications.ofService(serviceKey)) yield meets(held) ? held : undefined;
    return;
  }
  for (const client of clientsAt(parts, condition)) {
    yield undefined;
    // A claim that waits behind the holding of another client is not told.
    for (const held of client.publications) {
      yield meets(held) && parts.publications.held(held.publication) === held ? held : undefined;
    }
  }
}

function* subscribers(parts: SurveyedParts, condition: Condition): Generator<Subscriber | undefined> {
  const { serviceKey, appName } = condition;
  const meets = (subscriber: Subscriber) =>
    isAt(subscriber.target.client, condition) && (appName === "" || subscriber.appName === appName);
  if (serviceKey !== undefined) {
    for (const target of parts.subscriptions.get(serviceKey)?.targets.values() ?? []) {
      yield undefined;
      for (const subscriber of target.subscribers.values()) yield meets(subscriber) ? subscriber : undefined;
    }
    return;
  }
  for (const client of clientsAt(parts, condition)) {
    yield undefined;
    for (const subscriber of client.subscribers.values()) yield meets(subscriber) ? subscriber : undefined;
  }
}

function* watches(parts: SurveyedParts, condition: Condition): Generator<ConfigWatch | undefined> {
  const { serviceKey, appName } = condition;
  if (appName !== "") return;
  if (serviceKey !== undefined) {
    for (const watch of parts.configs.ofService(serviceKey)) yield isAt(watch.client, condition) ? watch : undefined;
    return;
  }
  for (const client of clientsAt(parts, condition)) {
    yield undefined;
    yield* client.configWatches.values();
  }
}

function* clients(parts: SurveyedParts, condition: Condition): Generator<Client | undefined> {
  const { serviceKey, appName } = condition;
  const isAny = serviceKey === undefined && appName === "";
  for (const client of clientsAt(parts, condition)) {
    yield isAny || (yield* registersFor(client, condition)) ? client : undefined;
  }
}

function clientsAt({ clients: all, byHost }: SurveyedParts, { host }: Condition): Iterable<Client> {
  return host === "" ? all.values() : byHost.at(host);
}

/** Whether the client has a registration that meets the condition; each one that is looked at is a unit of work. */
function* registersFor(client: Client, { serviceKey, appName }: Condition): Generator<undefined, boolean> {
  const isMeant = (of: ServiceKey, app: string) =>
    (serviceKey === undefined || of === serviceKey) && (appName === "" || app === appName);
  for (const { publication } of client.publications) {
    if (isMeant(publication.serviceKey, publication.appName)) return true;
    yield undefined;
  }
  for (const { target, appName: app } of client.subscribers.values()) {
    if (isMeant(target.serviceKey, app)) return true;
    yield undefined;
  }
  for (const watch of client.configWatches.values()) {
    if (isMeant(watch.serviceKey, "")) return true;
    yield undefined;
  }
  return false;
}

function* serviceCounts(parts: SurveyedParts, survey: Survey): Generator<CountRow | undefined, boolean> {
  const { publications, subscriptions, configs } = parts;
  const told = new Set<ServiceKey>();
  for (const serviceKey of oneAfterAnother(subscriptions.serviceKeys(), publications.services(), configs.services())) {
    yield undefined;
    if (told.has(serviceKey) || (survey.serviceKey !== undefined && survey.serviceKey !== serviceKey)) continue;
    told.add(serviceKey);
    const count = new Count(serviceKey);
    yield* counted(parts, { ...survey, serviceKey }, count);
    if (count.isSomething) yield count.row;
  }
  return false;
}

function* applicationCounts(parts: SurveyedParts, survey: Survey): Generator<CountRow | undefined, boolean> {
  const counts = new Map<string, Count>();
  let isCut = false;
  const of = (name: string): Count | undefined => {
    const known = counts.get(name);
    if (known !== undefined || (survey.appName !== "" && name !== survey.appName)) return known;
    isCut ||= counts.size >= APPLICATIONS_MAX;
    if (isCut) return undefined;
    const count = new Count(name);
    counts.set(name, count);
    return count;
  };
  const isMeant = (serviceKey: ServiceKey) => survey.serviceKey === undefined || survey.serviceKey === serviceKey;
  for (const client of clientsAt(parts, survey)) {
    yield undefined;
    for (const { publication } of client.publications) {
      yield isMeant(publication.serviceKey) ? of(publication.appName)?.publisher(client) : undefined;
    }
    for (const { target, appName } of client.subscribers.values()) {
      yield isMeant(target.serviceKey) ? of(appName)?.subscriber(client) : undefined;
    }
  }
  for (const { row } of counts.values()) yield row;
  return isCut;
}

function* sessionCount(parts: SurveyedParts, survey: Survey): Generator<CountRow | undefined, boolean> {
  const name = parts.session;
  if (survey.serviceKey !== undefined || survey.appName !== "") {
    const count = new Count(name);
    yield* counted(parts, survey, count);
    yield count.row;
    return false;
  }
  // A client knows the numbers of its registrations.
  const sum = { clients: 0, publishers: 0, subscribers: 0, watches: 0 };
  for (const client of clientsAt(parts, survey)) {
    yield undefined;
    sum.clients++;
    sum.publishers += client.publications.size;
    sum.subscribers += client.subscribers.size;
    sum.watches += client.configWatches.size;
  }
  yield { name, ...sum };
  return false;
}

function* counted(parts: SurveyedParts, condition: Condition, count: Count): Generator<undefined> {
  for (const held of publishers(parts, condition)) yield held && count.publisher(held.client);
  for (const one of subscribers(parts, condition)) yield one && count.subscriber(one.target.client);
  for (const watch of watches(parts, condition)) yield watch && count.watch(watch.client);
}

/** The count under one name. */
class Count {
  readonly #name: string;
  readonly #clients = new Set<Client>();
  #publishers = 0;
  #subscribers = 0;
  #watches = 0;

  constructor(name: string) {
    this.#name = name;
  }

  get row(): CountRow {
    const counts = { publishers: this.#publishers, subscribers: this.#subscribers, watches: this.#watches };
    return { name: this.#name, clients: this.#clients.size, ...counts };
  }

  get isSomething(): boolean {
    return this.#clients.size > 0;
  }

  publisher(client: Client): undefined {
    this.#clients.add(client);
    this.#publishers++;
  }

  subscriber(client: Client): undefined {
    this.#clients.add(client);
    this.#subscribers++;
  }

  watch(client: Client): undefined {
    this.#clients.add(client);
    this.#watches++;
  }
}

function* oneAfterAnother<T>(...all: readonly Iterable<T>[]): Generator<T> {
  for (const each of all) yield* each;
}

/** The client is connected, and from the host that is asked for. */
function isAt(client: Client, { host }: Condition): boolean {
  return client.departedMs === undefined && (host === "" || hostOf(client.id) === host);
}

function publisherRow({ publication, client }: HeldPublication): PublisherRow {
  const { serviceKey, registId, version, appName, zone, registeredMs } = publication;
  return { serviceKey, registId, client: client.id, version, appName, zone, registeredMs };
}

function subscriberRow(subscriber: Subscriber): SubscriberRow {
  const { registId, version, target, appName, registeredMs, pushedVersion, pushedMs, seenVersion } = subscriber;
  const { serviceKey, client, zone, scope } = target;
  const where = { appName, zone, scope, registeredMs };
  return { serviceKey, registId, client: client.id, version, ...where, pushedVersion, pushedMs, seenVersion };
}

function watchRow({ serviceKey, registId, client, version, seenVersion }: ConfigWatch): WatchRow {
  return { serviceKey, registId, client: client.id, version, seenVersion };
}

function clientRow({ id, principal, connectedMs, publications, subscribers, configWatches }: Client): ClientRow {
  const counts = { publishers: publications.size, subscribers: subscribers.size, watches: configWatches.size };
  const name = principal.kind === "anonymous" ? "" : principal.name;
  return { client: id, principal: name, connectedMs, ...counts };
}
