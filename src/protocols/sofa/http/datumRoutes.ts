// The publications that a data node has, in SOFARegistry's paths and shapes. As in SOFARegistry a data node answers for
// the slots that it leads; for one service, also if it follows its slot.

import { fail } from "../../../base/errors.ts";
import {
  type HttpExchange,
  type HttpResponse,
  type HttpRoute,
  jsonResponse,
  queryValue,
  respondWith,
} from "../../../base/http.ts";
import { type ClientId, hostOf, type ServiceKey } from "../../../model/ids.ts";
import { readServiceKey } from "../../../model/serviceKey.ts";
import type { DataNodeView, DatumView } from "../../kit/gateway.ts";
import { serviceKeyOf, serviceNameOf } from "../serviceName.ts";
import { checkCount, common, longJson, longJsonResponse, rawResponse } from "./answers.ts";
import { endsOf, publisherShape, publisherText } from "./shapes.ts";

/** The view of the node that the paths need. */
export type DatumNode = Pick<DataNodeView, "cluster" | "datum" | "eachDatum">;

export interface DatumParam {
  readonly dataCenter?: string | null;
  readonly dataInfoId?: string | null;
}

const TEXT = { type: ["string", "null"] } as const;
const DATUM_PARAM = { type: "object", properties: { dataCenter: TEXT, dataInfoId: TEXT } } as const;
const CONNECTIONS = { type: "object", additionalProperties: { type: "string" } } as const;

export function datumRoutes(node: DatumNode): readonly HttpRoute[] {
  const { dataCenter } = node.cluster;
  return [
    {
      method: "GET",
      path: "/digest/datum/query",
      handle: (exchange) => {
        const name = { dataId: "", group: "", instanceId: "" };
        for (const part of ["dataId", "group", "instanceId"] as const) name[part] = queryValue(exchange, part);
        const datum = isOwn(node, queryValue(exchange, "dataCenter")) ? node.datum(serviceKeyOf(name)) : undefined;
        exchange.respond(longJsonResponse(datum === undefined ? {} : { [dataCenter]: datumShape(datum, dataCenter) }));
      },
    },
    {
      method: "POST",
      path: "/digest/connect/query",
      schema: { body: CONNECTIONS },
      handle: (exchange) => connectQuery(node, exchange),
    },
    {
      method: "GET",
      path: "/digest/datum/count",
      handle: (exchange) => {
        let [datums, publishers] = [0, 0];
        const counted = node.eachDatum(({ size }) => {
          datums++;
          publishers += size;
        });
        const text = () =>
          `CacheDigest [Datum] size of datum in ${dataCenter} is ${datums},` +
          `[Publisher] size of publisher in ${dataCenter} is ${publishers}`;
        respondWith(
          exchange,
          counted.then(() => rawResponse(text())),
        );
      },
    },
    {
      method: "GET",
      path: "/digest/datum/getDataInfoIdList",
      handle: (exchange) => {
        const names: string[] = [];
        const told = node.eachDatum(({ serviceKey, size }) => void names.push(`${dataCenter},${serviceKey},${size}`));
        respondWith(
          exchange,
          told.then(() => jsonResponse(names)),
        );
      },
    },
    {
      method: "POST",
      path: "/datum/api/get",
      schema: { body: DATUM_PARAM },
      handle: (exchange) => exchange.respond(textOfDatum(node, exchange.body as DatumParam)),
    },
    mapRoute(node, "GET", { path: "/datum/api/summary/query", value: ({ size }) => size }),
    mapRoute(node, "POST", { path: "/datum/api/getDatumVersions", value: ({ version }) => version }),
    {
      method: "POST",
      path: "/datum/api/getRemoteDatumVersions",
      schema: { body: DATUM_PARAM },
      // SOFARegistry answers 500; a cluster without others has no versions of theirs.
      handle: ({ respond }) => respond(jsonResponse({})),
    },
    {
      method: "GET",
      path: "/datum/api/getDatumSizes",
      handle: (exchange) => {
        let datums = 0;
        const counted = node.eachDatum(() => void datums++);
        respondWith(
          exchange,
          counted.then(() => jsonResponse({ [dataCenter]: datums })),
        );
      },
    },
    {
      method: "POST",
      path: "/datum/api/getDatumVersion",
      schema: { body: DATUM_PARAM },
      handle: (exchange) => {
        const { dataCenter: asked, dataInfoId } = exchange.body as DatumParam;
        const service = serviceIn(dataInfoId);
        const version = isOwn(node, asked) ? node.datum(service)?.version : undefined;
        const of = `dataCenter:${asked ?? dataCenter}, dataInfoId:${service}`;
        exchange.respond(rawResponse(`${of}, dataServer:null, version:${version ?? null}`));
      },
    },
  ];
}

/** A map from each service to one of its values. */
function mapRoute(
  node: DatumNode,
  method: "GET" | "POST",
  { path, value }: { readonly path: string; readonly value: (datum: DatumView) => unknown },
): HttpRoute {
  return {
    method,
    path,
    ...(method === "POST" && { schema: { body: DATUM_PARAM } }),
    handle: (exchange) => {
      const { dataCenter: asked } = (exchange.body ?? {}) as DatumParam;
      // A service may have any name, "__proto__" too.
      const entries: string[] = [];
      const isMeant = isOwn(node, asked);
      const told = node.eachDatum((datum) => {
        if (isMeant) entries.push(`${JSON.stringify(datum.serviceKey)}:${longJson(value(datum))}`);
      });
      const headers = { "content-type": "application/json; charset=utf-8" };
      respondWith(
        exchange,
        told.then(() => ({ status: 200, headers, body: `{${entries.join(",")}}` })),
      );
    },
  };
}

/** The publications of some connections, named `ip:port` of the client with that of its session. */
function connectQuery(node: DatumNode, exchange: HttpExchange): void {
  const asked = Object.entries(exchange.body as Readonly<Record<string, string>>);
  checkCount("connections", asked.length);
  const wanted = new Set(asked.map(([client, session]) => `${client}_${session}`));
  const hosts = new Set(asked.map(([client]) => hostOf(client as ClientId)));
  const found = new Map<string, Record<string, object>>();
  const told = node.eachDatum((datum) => {
    for (const publication of datum.publicationsAt(hosts)) {
      const { owner, registId } = publication;
      const [source, target] = endsOf(owner.client);
      if (!wanted.has(`${source}_${target}`)) continue;
      const ofClient = found.get(source) ?? {};
      found.set(source, Object.assign(ofClient, { [registId]: publisherShape(publication) }));
    }
  });
  respondWith(
    exchange,
    told.then(() => longJsonResponse(Object.fromEntries(found))),
  );
}

/** A service with its publishers, in words. Throws FIELD_INVALID. */
export function textOfDatum(node: DatumNode, { dataCenter: asked, dataInfoId }: DatumParam): HttpResponse {
  const { dataCenter } = node.cluster;
  const service = serviceIn(dataInfoId);
  const datum = isOwn(node, asked) ? node.datum(service) : undefined;
  if (datum === undefined) {
    return common(`datum not found by dataCenter=${asked || dataCenter}, dataInfoId=${service}`, false);
  }
  const { size, version } = datum;
  const publishers = [...datum.publications()].map((one) => `${one.registId}=${publisherText(one)}`);
  const head = `datum=Datum={${service}, dataCenter=${dataCenter}, size=${size}, ver=${version}}`;
  return common(`${head}, publishers={${publishers.join(", ")}}`);
}

function datumShape(datum: DatumView, dataCenter: string): object {
  const { serviceKey, version } = datum;
  const { dataId, instanceId, group } = serviceNameOf(serviceKey);
  const pubMap = Object.fromEntries([...datum.publications()].map((one) => [one.registId, publisherShape(one)]));
  return { dataInfoId: serviceKey, dataCenter, dataId, instanceId, group, pubMap, version };
}

/** The service that a body names. Throws FIELD_INVALID. */
export function serviceIn(dataInfoId: string | null | undefined): ServiceKey {
  if (dataInfoId === undefined || dataInfoId === null || dataInfoId === "") {
    throw fail("FIELD_INVALID", { field: "dataInfoId", value: "", expected: "the key of a service" });
  }
  return readServiceKey(dataInfoId, "dataInfoId");
}

/** Empty stands for the own one. */
export function isOwn({ cluster }: DatumNode, asked: string | null | undefined): boolean {
  return asked === undefined || asked === null || asked === "" || asked === cluster.dataCenter;
}
