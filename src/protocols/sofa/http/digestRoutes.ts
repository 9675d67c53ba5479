// The registrations of a session's clients, in SOFARegistry's paths and shapes. As in SOFARegistry most paths answer
// for the clients of the asked session, and some for all sessions of the zone, which in Roster are all;
// `?reach=cluster` asks any of them for all sessions.

import { fail } from "../../../base/errors.ts";
import { type HttpExchange, type HttpResponse, type HttpRoute, jsonResponse, queryValue } from "../../../base/http.ts";
import { readHost } from "../../../model/hostAddress.ts";
import { type ClientId, hostOf, type ServiceKey } from "../../../model/ids.ts";
import type { Publication } from "../../../model/publication.ts";
import { readServiceKey } from "../../../model/serviceKey.ts";
import type { PublisherRow, SubscriberRow, SurveyRow, SurveyRows, WatchRow } from "../../../model/survey.ts";
import type { ClusterView, SessionNodeView } from "../../kit/gateway.ts";
import {
  type AskedNode,
  askSurvey,
  checkCount,
  generic,
  longJsonResponse,
  marked,
  notAnswered,
  rawResponse,
  respondList,
  respondSurvey,
  type Surveyed,
} from "./answers.ts";
import { endsOf, publisherShape, subscriberShape, watcherShape } from "./shapes.ts";

/** The view of the node that the paths need. */
export type DigestNode = AskedNode & Pick<SessionNodeView, "id" | "own"> & Pick<ClusterView, "zone">;

type Type = "PUB" | "SUB" | "WAT";

const STRINGS = { type: "array", items: { type: "string" } } as const;

export function digestRoutes(node: DigestNode): readonly HttpRoute[] {
  return [
    {
      method: "GET",
      path: "/digest/:type/data/query",
      handle: (exchange) => dataQuery(node, exchange),
    },
    {
      method: "POST",
      path: "/digest/:type/connect/query",
      schema: { body: STRINGS },
      handle: (exchange) => connectQuery(node, exchange),
    },
    { method: "GET", path: "/digest/data/queryDetail", handle: (exchange) => queryDetail(node, exchange) },
    { method: "GET", path: "/digest/data/count", handle: (exchange) => count(node, exchange) },
    {
      method: "GET",
      path: "/digest/getDataInfoIdList",
      handle: (exchange) => services(node, exchange, (names) => jsonResponse(names)),
    },
    {
      method: "GET",
      path: "/digest/checkSumDataInfoIdList",
      handle: (exchange) => services(node, exchange, (names) => jsonResponse(sumOf(names))),
    },
    {
      method: "GET",
      path: "/digest/data/zone/queryPublisher",
      handle: (exchange) => {
        const survey = { of: "publishers", serviceKey: serviceIn(exchange) } as const;
        const shown = (answer: Surveyed) =>
          jsonResponse(generic(rowsOf<PublisherRow>(answer).map(simplePublisher), notAnswered(answer)));
        respondSurvey(node, exchange, { survey, reach: "cluster", shown });
      },
    },
    {
      method: "GET",
      path: "/digest/data/queryPublisher",
      handle: (exchange) =>
        respondList(node, exchange, serviceIn(exchange), ({ publications }) =>
          jsonResponse(
            generic(
              [...publications.values()].map(({ owner, appName }) =>
                simplePublisher({ client: owner.client, appName }),
              ),
            ),
          ),
        ),
    },
    {
      method: "GET",
      path: "/connections/query",
      handle: (exchange) => {
        const shown = (answer: Surveyed) =>
          jsonResponse(rowsOf<{ client: ClientId }>(answer).map(({ client }) => endsOf(client)[0]));
        respondSurvey(node, exchange, { survey: { of: "clients" }, reach: reachIn(exchange), shown });
      },
    },
    // Clients behind a proxy may tell SOFARegistry their own addresses. Roster knows a client by the address that its
    // connection comes from.
    {
      method: "GET",
      path: "/api/clientManager/connectionMapper.json",
      handle: ({ respond }) => respond(jsonResponse({})),
    },
  ];
}

/** All registrations of a kind for a service. */
function dataQuery(node: DigestNode, exchange: HttpExchange): void {
  const wanted = typesIn(exchange);
  const serviceKey = serviceIn(exchange);
  const reach = reachIn(exchange);
  if (wanted.includes("PUB")) {
    return respondList(node, exchange, serviceKey, ({ publications }) => {
      const isMeant = ({ owner }: Publication) => reach === "cluster" || owner.session === node.id;
      return longJsonResponse(some({ PUB: [...publications.values()].filter(isMeant).map(publisherShape) }));
    });
  }
  if (wanted.includes("SUB")) {
    const shown = (answer: Surveyed) =>
      longJsonResponse(some({ SUB: rowsOf<SubscriberRow>(answer).map(subscriberShape) }));
    return respondSurvey(node, exchange, { survey: { of: "subscribers", serviceKey }, reach, shown });
  }
  const shown = (answer: Surveyed) =>
    longJsonResponse(some({ WAT: rowsOf<WatchRow>(answer).map((row) => watcherShape(row, node.zone)) }));
  respondSurvey(node, exchange, { survey: { of: "watches", serviceKey }, reach, shown });
}

/** All registrations of a kind of some connections to this session, named `ip:port` or with the session's end too. */
function connectQuery(node: DigestNode, exchange: HttpExchange): void {
  const [type] = typesIn(exchange);
  const names = exchange.body as readonly string[];
  checkCount("connectIds", names.length);
  const isAsked = new Set(names);
  const hosts = new Set(names.map((name) => hostOf(name as ClientId)));
  const atHosts = [...hosts].flatMap((host) => [...node.own.clientsAt(host)]);
  const ids = atHosts.filter((id) => isAsked.has(endsOf(id).join("_")) || isAsked.has(endsOf(id)[0]));
  if (type === "PUB") {
    const publications = ids.flatMap((id) => [...node.own.publicationsOf(id)].map(publisherShape));
    return exchange.respond(longJsonResponse(some({ PUB: publications })));
  }
  const meant = new Set(ids);
  const isOf = ({ client }: { client: ClientId }) => meant.has(client);
  if (type === "SUB") {
    const shown = (answer: Surveyed) =>
      longJsonResponse(some({ SUB: rowsOf<SubscriberRow>(answer).filter(isOf).map(subscriberShape) }));
    return respondSurvey(node, exchange, { survey: { of: "subscribers" }, reach: "session", shown });
  }
  const shown = (answer: Surveyed) =>
    longJsonResponse(
      some({
        WAT: rowsOf<WatchRow>(answer)
          .filter(isOf)
          .map((row) => watcherShape(row, node.zone)),
      }),
    );
  respondSurvey(node, exchange, { survey: { of: "watches" }, reach: "session", shown });
}

/** The services that clients at some addresses publish and subscribe, at any session. */
function queryDetail(node: DigestNode, exchange: HttpExchange): void {
  const ips = queryValue(exchange, "ips").split(",");
  checkCount("ips", ips.length);
  const hosts = new Set<string>();
  for (const ip of ips) {
    const host = readHost(ip);
    if (typeof host !== "string") throw host;
    hosts.add(host);
  }
  const [only = "", ...more] = hosts;
  const condition = more.length === 0 ? { host: only } : {};
  const answers: { publishers?: Surveyed; subscribers?: Surveyed } = {};
  for (const kind of ["publishers", "subscribers"] as const) {
    askSurvey(node, exchange, { survey: { of: kind, ...condition }, reach: "cluster" }, (answer) => {
      answers[kind] = answer;
      const { publishers, subscribers } = answers;
      if (publishers === undefined || subscribers === undefined) return;
      const [pubDataInfoIds, subDataInfoIds] = [servicesAt(hosts, publishers), servicesAt(hosts, subscribers)];
      const message = notAnswered(publishers) ?? notAnswered(subscribers);
      const response = jsonResponse(generic({ pubDataInfoIds, subDataInfoIds }, message));
      exchange.respond(marked(response, publishers, subscribers));
    });
  }
}

/** The services of each host; null for none at all, as in SOFARegistry. */
function servicesAt(hosts: ReadonlySet<string>, answer: Surveyed): object | null {
  const found = new Map<string, Set<ServiceKey>>();
  for (const { client, serviceKey } of rowsOf<PublisherRow>(answer)) {
    const host = hostOf(client);
    if (hosts.has(host)) found.set(host, (found.get(host) ?? new Set()).add(serviceKey));
  }
  return found.size === 0 ? null : Object.fromEntries([...found].map(([host, services]) => [host, [...services]]));
}

function count(node: DigestNode, exchange: HttpExchange): void {
  const shown = (answer: Surveyed) => {
    const sum = { publishers: 0, subscribers: 0, watches: 0 };
    for (const row of rowsOf<typeof sum>(answer)) {
      sum.publishers += row.publishers;
      sum.subscribers += row.subscribers;
      sum.watches += row.watches;
    }
    const { publishers, subscribers, watches } = sum;
    return rawResponse(`Subscriber count: ${subscribers}, Publisher count: ${publishers}, Watcher count: ${watches}`);
  };
  respondSurvey(node, exchange, { survey: { of: "sessions" }, reach: reachIn(exchange), shown });
}

/** The services with publishers or subscribers. */
function services(node: DigestNode, exchange: HttpExchange, shown: (names: readonly string[]) => HttpResponse): void {
  const survey = { of: "services", rowsMax: 100_000 } as const;
  respondSurvey(node, exchange, {
    survey,
    reach: reachIn(exchange),
    shown: (answer) => {
      const rows = rowsOf<{ name: string; publishers: number; subscribers: number }>(answer);
      const isOffered = (row: { publishers: number; subscribers: number }) => row.publishers + row.subscribers > 0;
      return shown([...new Set(rows.filter(isOffered).map(({ name }) => name))]);
    },
  });
}

/** The hash code of a Java set of strings: the sum of theirs, in 32 bits. */
function sumOf(names: readonly string[]): number {
  let sum = 0;
  for (const name of names) {
    let hash = 0;
    for (let at = 0; at < name.length; at++) hash = (Math.imul(hash, 31) + name.charCodeAt(at)) | 0;
    sum = (sum + hash) | 0;
  }
  return sum;
}

function simplePublisher({ client, appName }: { readonly client: ClientId; readonly appName: string }): object {
  return { clientId: null, sourceAddress: endsOf(client)[0], appName };
}

/** SOFARegistry leaves an empty list out. */
function some(lists: Readonly<Record<string, readonly object[]>>): object {
  return Object.fromEntries(Object.entries(lists).filter(([, list]) => list.length > 0));
}

/** The rows of all sessions; of the kind that was asked for. */
function rowsOf<Row>({ sessions }: Surveyed): Row[] {
  const all: (SurveyRow | undefined)[] = [];
  for (const { rows } of sessions) for (const row of (rows as SurveyRows).rows) all.push(row);
  return all as Row[];
}

function serviceIn(exchange: HttpExchange): ServiceKey {
  return readServiceKey(queryValue(exchange, "dataInfoId"), "dataInfoId");
}

function reachIn(exchange: HttpExchange): "cluster" | "session" {
  const reach = queryValue(exchange, "reach");
  if (reach === "" || reach === "session") return "session";
  if (reach === "cluster") return "cluster";
  throw fail("FIELD_INVALID", { field: "reach", value: reach, expected: "session or cluster" });
}

/** Throws FIELD_INVALID for another word: SOFARegistry takes it for all three. */
function typesIn({ params }: HttpExchange): readonly Type[] {
  const { type = "" } = params;
  const word = type.toUpperCase();
  if (word === "PUB" || word === "SUB" || word === "WAT") return [word];
  throw fail("FIELD_INVALID", { field: "type", value: type, expected: "pub, sub or wat" });
}
