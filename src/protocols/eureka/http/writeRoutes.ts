// The paths that change instances, and that of heartbeats.

import { fail } from "../../../base/errors.ts";
import { type HttpExchange, queryValue } from "../../../base/http.ts";
import type { XmlReader } from "../../../base/xml.ts";
import { type JudgedRoute, refusing } from "../../kit/judgedRoutes.ts";
import { CONTENT_TYPES, instanceDocument } from "../codec/documents.ts";
import { isStatus, type Named, STATUSES, type Status } from "../codec/instance.ts";
import { METADATA_ENTRIES_MAX, readInstance } from "../codec/readInstance.ts";
import { bodyKind, decodeBody } from "../decode.ts";
import { eurekaRefusal } from "../errors.ts";
import { serviceKeyOf } from "../map.ts";
import type { By, Registrations, Result } from "../registrations.ts";
import { formOf, headerOf } from "./forms.ts";
import { routesAt } from "./paths.ts";
import type { Reading } from "./readRoutes.ts";

export interface WriteParts {
  readonly registrations: Registrations;
  readonly lists: Reading;
  readonly readXml: XmlReader;
  readonly nowMs: () => number;
}

/** The header of one server's requests to another. */
const REPLICATION_HEADER = "x-netflix-discovery-replication";
// Clients try the next server.
const NOT_READY = eurekaRefusal("the lists of all services have not come yet", 503);

/** Each asks to publish the application: an operator's word about an instance is a publication like a client's. */
export function writeRoutes({ registrations, lists, readXml, nowMs }: WriteParts): JudgedRoute[] {
  const publishing = (method: JudgedRoute["method"], path: string, handle: JudgedRoute["handle"]) =>
    routesAt({ method, path, asks: "publish", of: ({ params }) => serviceKeyOf(params["app"] ?? ""), handle });
  // A change depends on what is listed.
  const changing = (method: JudgedRoute["method"], path: string, change: (exchange: HttpExchange, by: By) => void) =>
    publishing(method, path, (exchange) => {
      const then = (_: unknown, atMs: number) => refusing(exchange, () => change(exchange, byOf(exchange, atMs)));
      lists.when("known", nowMs(), then, () => exchange.respond(NOT_READY));
    });
  return [
    ...changing("POST", "/apps/:app", (exchange, by) => {
      const incoming = readInstance(instanceOf(exchange, readXml), by.nowMs);
      if ("missing" in incoming) return exchange.respond(eurekaRefusal(`Missing ${incoming.missing}`, 400));
      registrations.register(exchange.params["app"] ?? "", incoming, by, (result) => answer(exchange, result));
    }),
    ...publishing("PUT", "/apps/:app/:id", (exchange) => {
      const by = byOf(exchange, nowMs());
      registrations.renew(namedIn(exchange), dirtyOf(exchange), by, (result) => answerHeartbeat(exchange, result));
    }),
    ...changing("DELETE", "/apps/:app/:id", (exchange, by) => {
      registrations.cancel(namedIn(exchange), by, (result) => answer(exchange, result));
    }),
    ...changing("PUT", "/apps/:app/:id/status", (exchange, by) => {
      const change = { status: statusIn(exchange), dirtyMs: dirtyOf(exchange) };
      registrations.setStatus(namedIn(exchange), change, by, (result) => answer(exchange, result));
    }),
    ...changing("DELETE", "/apps/:app/:id/status", (exchange, by) => {
      const status = queryValue(exchange, "value") === "" ? "UNKNOWN" : statusIn(exchange);
      const change = { status, dirtyMs: dirtyOf(exchange) };
      registrations.removeStatus(namedIn(exchange), change, by, (result) => answer(exchange, result));
    }),
    ...changing("PUT", "/apps/:app/:id/metadata", (exchange, by) => {
      registrations.putMetadata(namedIn(exchange), entriesIn(exchange), by, (result) => answer(exchange, result));
    }),
  ];
}

function byOf(exchange: HttpExchange, nowMs: number): By {
  const isReplication = headerOf(exchange, REPLICATION_HEADER) === "true";
  return { address: exchange.remoteAddress, isReplication, nowMs };
}

function namedIn({ params }: HttpExchange): Named {
  return { app: params["app"] ?? "", instanceId: params["id"] ?? "" };
}

/** The fields of the instance in the body. Throws EUREKA_BODY_INVALID, XML_INVALID or HTTP_BAD_REQUEST. */
function instanceOf(exchange: HttpExchange, readXml: XmlReader) {
  const { body } = exchange;
  const contentType = headerOf(exchange, "content-type");
  const kind = bodyKind(contentType);
  if (kind === undefined) {
    const expected = Object.values(CONTENT_TYPES).join(" or ");
    throw fail("HTTP_BAD_REQUEST", { contentType: contentType.slice(0, 100), expected });
  }
  return decodeBody(body instanceof Uint8Array ? body : new Uint8Array(0), kind, "instance", readXml);
}

function statusIn(exchange: HttpExchange): Status {
  const value = queryValue(exchange, "value");
  if (isStatus(value)) return value;
  throw fail("FIELD_INVALID", { field: "value", value: value.slice(0, 100), expected: STATUSES.join(", ") });
}

/** The time in the query; undefined without one. */
function dirtyOf(exchange: HttpExchange): number | undefined {
  const text = queryValue(exchange, "lastDirtyTimestamp");
  // Some clients send the words of their languages for nothing.
  if (text === "" || text === "null" || text === "None" || text === "undefined") return undefined;
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  const expected = "milliseconds since 1970";
  throw fail("FIELD_INVALID", { field: "lastDirtyTimestamp", value: text.slice(0, 100), expected });
}

/** The entries in the query; of a key that is given several times the first value, as the real server takes it. */
function entriesIn({ query }: HttpExchange): [key: string, value: string][] {
  const entries = Object.entries(query);
  if (entries.length > METADATA_ENTRIES_MAX) {
    throw fail("FIELD_INVALID", { field: "metadata", entries: entries.length, entriesMax: METADATA_ENTRIES_MAX });
  }
  return entries.map(([key, value]) => [key, typeof value === "string" ? value : (value[0] ?? "")]);
}

/**
 * Netflix' clients read whatever body this answer has as an instance, and fail with a line of text: after a 404 with
 * one they would never register again. So there is no reason for people here, as in the real server's answer.
 */
function answerHeartbeat(exchange: HttpExchange, { status, instance }: Result): void {
  answer(exchange, instance === undefined ? { status } : { status, instance });
}

function answer(exchange: HttpExchange, { status, reason, instance }: Result): void {
  if (instance !== undefined) {
    const { kind } = formOf(exchange);
    const headers = { "content-type": CONTENT_TYPES[kind] };
    return exchange.respond({ status, headers, body: instanceDocument(instance, { kind }) });
  }
  exchange.respond(reason === undefined ? { status, body: "" } : eurekaRefusal(reason, status));
}
