// The paths that show instances.

import type { HttpExchange, HttpResponse } from "../../../base/http.ts";
import type { Caller, JudgedRoute } from "../../kit/judgedRoutes.ts";
import { type Applications, instancesIn, SEES_ALL, type Sees } from "../applications.ts";
import { type Bodies, documentOf, partialBody } from "../bodies.ts";
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

/** A question, and the part of the services that its caller sees. */
interface Question {
  readonly exchange: HttpExchange;
  readonly sees: Sees;
  readonly nowMs: number;
}

type Answer = (shown: Shown, question: Question) => HttpResponse;

// The real server's answer while it has not got its instances from another one: clients try the next server.
const NOT_READY = eurekaRefusal("the lists of all services have not come yet", 403);

/** Each asks to list every service that it shows; what a caller may not see is not there. */
export function readRoutes({ lists, nowMs }: ReadParts): JudgedRoute[] {
  const read = (path: string, answer: Answer) =>
    routesAt({
      ...{ method: "GET", path, asks: "list", of: "each" },
      handle: (exchange, caller) => {
        const sees = seenBy(caller);
        const then = (shown: Shown, atMs: number) => exchange.respond(answer(shown, { exchange, sees, nowMs: atMs }));
        lists.when("shown", nowMs(), then, () => exchange.respond(NOT_READY));
      },
    });
  return [
    ...read("/apps", bodyResponse("all")),
    ...read("/apps/delta", bodyResponse("changes")),
    ...read("/apps/:app", applicationResponse),
    ...read("/apps/:app/:id", ({ applications }, { exchange, sees }) => {
      const { app = "", id = "" } = exchange.params;
      return instanceResponse(applications.instance(app, id, sees)?.instance, exchange);
    }),
    ...read("/instances/:id", ({ applications }, { exchange, sees }) => {
      return instanceResponse(applications.instanceById(exchange.params["id"] ?? "", sees)?.instance, exchange);
    }),
    ...read("/vips/:vip", vipResponse("vipAddress")),
    ...read("/svips/:vip", vipResponse("secureVipAddress")),
  ];
}

function seenBy(caller: Caller): Sees {
  if (caller.reach("list") === "all") return SEES_ALL;
  return (about) => caller.mayDo({ action: "list", about });
}

function documentResponse(body: string | Uint8Array, { kind }: Pick<Form, "kind">, isGzip = false): HttpResponse {
  const headers = { "content-type": CONTENT_TYPES[kind], ...(isGzip && { "content-encoding": "gzip" }) };
  return { status: 200, headers, body };
}

function bodyResponse(which: "all" | "changes"): Answer {
  return ({ applications, bodies }, { exchange, sees, nowMs }) => {
    const form = formOf(exchange);
    if (sees !== SEES_ALL) return documentResponse(partialBody(which, applications, { sees, form, nowMs }), form);
    const isGzip = takesGzip(exchange);
    return documentResponse(bodies[which](form, { isGzip, nowMs }), form, isGzip);
  };
}

function applicationResponse({ applications }: Shown, { exchange, sees }: Question): HttpResponse {
  const { app = "" } = exchange.params;
  const application = applications.find(app);
  const instances = application === undefined ? [] : [...instancesIn(application, sees)];
  if (application === undefined || instances.length === 0) return eurekaRefusal(`no application ${app}`, 404);
  const form = formOf(exchange);
  return documentResponse(applicationDocument(application.name, instances, form), form);
}

/** The document of an instance, or the refusal if there is none. */
function instanceResponse(instance: EurekaInstance | undefined, exchange: HttpExchange): HttpResponse {
  if (instance === undefined) return eurekaRefusal(`no instance ${exchange.params["id"] ?? ""}`, 404);
  const form = formOf(exchange);
  return documentResponse(instanceDocument(instance, form), form);
}

/** An unknown virtual host has no applications, and is no error. */
function vipResponse(field: "vipAddress" | "secureVipAddress"): Answer {
  return ({ applications }, { exchange, sees }) => {
    const form = formOf(exchange);
    return documentResponse(documentOf(applications.ofVip(field, exchange.params["vip"] ?? "", sees), form), form);
  };
}
