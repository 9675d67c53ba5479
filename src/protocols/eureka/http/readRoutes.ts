// The paths that show instances.

import type { HttpExchange, HttpResponse, HttpRoute } from "../../../base/http.ts";
import { type Applications, instancesIn } from "../applications.ts";
import { type Bodies, documentOf } from "../bodies.ts";
import { applicationDocument, CONTENT_TYPES, type Form, instanceDocument } from "../codec/documents.ts";
import type { EurekaInstance } from "../codec/instance.ts";
import { eurekaRefusal } from "../errors.ts";
import { formOf, takesGzip } from "./forms.ts";
import { routesAt } from "./paths.ts";

/** The applications, and the bodies made of them. */
export interface Shown {
  readonly applications: Applications;
  readonly bodies: Bodies;
}

/** The lists of all services. */
export interface Reading {
  /**
   * Calls `then` when the lists are here, at once if they are; `refuse` if they do not come in time, as after the start
   * of a cluster. `shown`: all lists. `known`: all but those that are held since a restart, until their clients have
   * registered again.
   */
  when(state: "known" | "shown", nowMs: number, then: (shown: Shown, nowMs: number) => void, refuse: () => void): void;
}

export interface ReadParts {
  readonly lists: Reading;
  readonly nowMs: () => number;
}

type Answer = (shown: Shown, exchange: HttpExchange, nowMs: number) => HttpResponse;

// The real server's answer while it has not got its instances from another one: clients try the next server.
const NOT_READY = eurekaRefusal("the lists of all services have not come yet", 403);

export function readRoutes({ lists, nowMs }: ReadParts): HttpRoute[] {
  const read = (path: string, answer: Answer) =>
    routesAt("GET", path, (exchange) => {
      const then = (shown: Shown, atMs: number) => exchange.respond(answer(shown, exchange, atMs));
      lists.when("shown", nowMs(), then, () => exchange.respond(NOT_READY));
    });
  return [
    ...read("/apps", bodyResponse("all")),
    ...read("/apps/delta", bodyResponse("changes")),
    ...read("/apps/:app", applicationResponse),
    ...read("/apps/:app/:id", ({ applications }, exchange) => {
      const { app = "", id = "" } = exchange.params;
      return instanceResponse(applications.instance(app, id)?.instance, exchange);
    }),
    ...read("/instances/:id", ({ applications }, exchange) => {
      return instanceResponse(applications.instanceById(exchange.params["id"] ?? "")?.instance, exchange);
    }),
    ...read("/vips/:vip", vipResponse("vipAddress")),
    ...read("/svips/:vip", vipResponse("secureVipAddress")),
  ];
}

function documentResponse(body: string | Uint8Array, { kind }: Pick<Form, "kind">, isGzip = false): HttpResponse {
  const headers = { "content-type": CONTENT_TYPES[kind], ...(isGzip && { "content-encoding": "gzip" }) };
  return { status: 200, headers, body };
}

function bodyResponse(which: "all" | "changes"): Answer {
  return ({ bodies }, exchange, nowMs) => {
    const form = formOf(exchange);
    const isGzip = takesGzip(exchange);
    return documentResponse(bodies[which](form, { isGzip, nowMs }), form, isGzip);
  };
}

function applicationResponse({ applications }: Shown, exchange: HttpExchange): HttpResponse {
  const { app = "" } = exchange.params;
  const application = applications.find(app);
  if (application === undefined) return eurekaRefusal(`no application ${app}`, 404);
  const form = formOf(exchange);
  return documentResponse(applicationDocument(application.name, instancesIn(application), form), form);
}

/** The document of an instance, or the refusal if there is none. */
function instanceResponse(instance: EurekaInstance | undefined, exchange: HttpExchange): HttpResponse {
  if (instance === undefined) return eurekaRefusal(`no instance ${exchange.params["id"] ?? ""}`, 404);
  const form = formOf(exchange);
  return documentResponse(instanceDocument(instance, form), form);
}

/** An unknown virtual host has no applications, and is no error. */
function vipResponse(field: "vipAddress" | "secureVipAddress"): Answer {
  return ({ applications }, exchange) => {
    const form = formOf(exchange);
    return documentResponse(documentOf(applications.ofVip(field, exchange.params["vip"] ?? ""), form), form);
  };
}
