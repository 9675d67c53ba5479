// A path about configurations: how its caller is judged, and the two forms in which answers come. Version 1 of Nacos'
// interface answers with a text or the bare value; the later ones with a code, a message and the data.

import type { Permission, ValueAction, ValueKey } from "../../../../access/policy.ts";
import { RegistryError } from "../../../../base/errors.ts";
import type { HttpExchange, HttpResponse, HttpRoute } from "../../../../base/http.ts";
import type { ClientAccess } from "../../../kit/clientAccess.ts";
import { type Caller, type JudgedRoute, judgedRoutes, refusing } from "../../../kit/judgedRoutes.ts";
import { exchangeCredentials } from "../../callers.ts";
import { HTTP_CODE, type Refusal, refusalOf, refusalResponse, successResponse } from "../../http/forms.ts";
import { Params } from "../../params.ts";
import type { ConfigStore } from "../configStore.ts";

export type Form = "v1" | "result";

/** A request whose caller may make it. */
export interface Asked {
  readonly params: Params;
  readonly exchange: HttpExchange;
  readonly caller: Caller;
}

export type ConfigPath = {
  readonly method: HttpRoute["method"];
  /** After `/nacos`. */
  readonly path: string;
  readonly form: Form;
  /** Undefined: the bound of the port. */
  readonly bodyBytesMax?: number;
  /** The data of the answer, or for version 1 the whole answer. Undefined: it answers later. */
  handle(asked: Asked): unknown;
} & PathWish;

/** `of`: the configurations that the request is about. `each`: the handler judges those that it shows or changes. */
type PathWish =
  | { readonly asks: Permission }
  | { readonly asks: ValueAction; readonly of: "each" | ((params: Params) => readonly ValueKey[]) };

export interface RouteParts {
  readonly access: ClientAccess;
  readonly store: ConfigStore;
}

/** The refusals that naming has not got. */
const REFUSALS: Readonly<Record<string, Omit<Refusal, "message">>> = {
  NACOS_CAS_FAILED: { status: 500, code: HTTP_CODE.CONFLICT },
  NACOS_CONFIG_UNKNOWN: { status: 404, code: HTTP_CODE.NOT_FOUND },
  NACOS_CONFIGS_EXHAUSTED: { status: 500, code: HTTP_CODE.QUOTA_REACHED },
  NACOS_NAMESPACE_EXISTS: { status: 400, code: HTTP_CODE.NAMESPACE_EXISTS },
  NACOS_NAMESPACE_INVALID: { status: 400, code: HTTP_CODE.NAMESPACE_INVALID },
  NACOS_NAMESPACE_UNKNOWN: { status: 404, code: HTTP_CODE.NAMESPACE_UNKNOWN },
  RECORD_TOO_LARGE: { status: 400, code: HTTP_CODE.CONTENT_TOO_LARGE },
};

/** The route that a server binds. */
export function configRoute(path: ConfigPath, { access, store }: RouteParts): HttpRoute[] {
  const { form } = path;
  const judged = judgedRoutes([judgedRoute(path, store)], { access, credentialsOf: exchangeCredentials });
  return judged.map((route) => ({
    ...route,
    handle: (exchange) => {
      const refuse = (error: Error) => {
        if (error instanceof RegistryError) exchange.respond(refusedBy(error, form));
        else exchange.refuse(error);
      };
      refusing({ ...exchange, refuse }, () => route.handle({ ...exchange, refuse }));
    },
  }));
}

function judgedRoute(path: ConfigPath, store: ConfigStore): JudgedRoute {
  const { method, form, bodyBytesMax } = path;
  const route = {
    method,
    path: `/nacos${path.path}`,
    isForClients: true,
    ...(bodyBytesMax !== undefined && { bodyBytesMax }),
    handle: (exchange: HttpExchange, caller: Caller) => {
      const { refuse } = exchange;
      const read = () => answer(path.handle({ params: Params.of(exchange), exchange, caller }), form, exchange);
      store.whenRead(read, refuse);
    },
  };
  if (!("of" in path)) return { ...route, asks: path.asks };
  const { asks, of } = path;
  return { ...route, asks, of: of === "each" ? of : (exchange) => of(Params.of(exchange)) };
}

function answer(found: unknown, form: Form, { respond, refuse }: HttpExchange): void {
  if (found instanceof Promise) found.then((data: unknown) => respond(responseOf(data, form)), refuse);
  else if (found !== undefined) respond(responseOf(found, form));
}

function responseOf(data: unknown, form: Form): HttpResponse {
  return data instanceof WholeAnswer ? data : successResponse(versionOf(form), data);
}

function refusedBy(error: RegistryError, form: Form): HttpResponse {
  const refusal = REFUSALS[error.code];
  const { message } = error;
  return refusalResponse(versionOf(form), refusal === undefined ? refusalOf(error) : { ...refusal, message });
}

/** The versions 2 and 3 have one form. */
function versionOf(form: Form) {
  return form === "v1" ? "v1" : "v3";
}

/** A whole answer of version 1, which is not the data of one. */
export class WholeAnswer implements HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;

  constructor({ status, headers = {}, body }: HttpResponse) {
    this.status = status;
    this.headers = headers;
    this.body = body;
  }
}
