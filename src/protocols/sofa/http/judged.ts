// The proof that SOFARegistry's paths ask for. Its tools send none, so changes need one only from callers on other
// machines, unless `sofa-changes` says otherwise; an operator who sends a token, or a name and a password, may change
// what these allow, from anywhere. Every change, and every one that was refused, is in the audit trail.

import type { Permission } from "../../../access/policy.ts";
import type { Principal } from "../../../access/principal.ts";
import { fail, RegistryError } from "../../../base/errors.ts";
import { type HttpExchange, type HttpResponse, type HttpRoute, refusal } from "../../../base/http.ts";
import type { GatewayAudit } from "../../kit/audit.ts";
import { type Asked, type ClientAccess, credentialsIn } from "../../kit/clientAccess.ts";
import { refusing } from "../../kit/judgedRoutes.ts";
import type { SofaChangesConfig } from "../environment.ts";
import { sofaError } from "../errorTable.ts";

export interface SofaJudging {
  readonly access: Pick<ClientAccess, "identify" | "refusal" | "reach">;
  readonly audit: GatewayAudit;
  readonly config: SofaChangesConfig;
}

/**
 * Routes that ask for this. One that says itself what it asks for keeps that. `open`: clients find servers, health
 * checks. `list` and `fetch`: the answer shows all services, or a value. A permission: it changes something.
 */
export function asking(asks: Asked, routes: readonly HttpRoute[]): HttpRoute[] {
  return routes.map((route) => ({ asks, ...route }));
}

/** The routes with their callers judged. */
export function judged(routes: readonly HttpRoute[], judging: SofaJudging): HttpRoute[] {
  return routes.map((route) => {
    switch (route.asks) {
      case "list":
      case "fetch":
        return { ...route, handle: showing(route.asks, route, judging) };
      case "read":
      case "operate":
      case "configure":
      case "admin":
        return { ...route, handle: changing(route.asks, route, judging) };
      default:
        return route;
    }
  });
}

/** Callers who may see some services only are refused: these answers show all. */
function showing(asks: "list" | "fetch", { handle }: HttpRoute, { access }: SofaJudging): HttpRoute["handle"] {
  return (exchange) =>
    identified(exchange, { access, isOperator: false }, (caller) => {
      if (access.reach(caller, asks) === "all") return handle(exchange);
      const wanted = { action: asks, services: "all" };
      if (caller.kind === "anonymous") throw fail("CREDENTIALS_NEEDED", { ...wanted, from: caller.from });
      throw fail("PERMISSION_NEEDED", { principal: caller.name, ...wanted });
    });
}

function changing(asks: Permission, route: HttpRoute, { access, audit, config }: SofaJudging): HttpRoute["handle"] {
  return (exchange) => {
    const change = new Change(exchange, route, audit);
    identified(
      exchange,
      { access, isOperator: true },
      (caller) => {
        change.caller = caller;
        const denied = access.refusal(caller, { action: asks });
        if (denied === undefined || (!hasCredentials(caller) && isLetIn(exchange, config))) {
          return refusing(change.exchange, () => route.handle(change.exchange));
        }
        if (caller.kind !== "anonymous") return change.refused(denied);
        const { sofaChanges } = config;
        const error = sofaError("CHANGE_NOT_ALLOWED", { caller: exchange.remoteAddress, sofaChanges });
        change.refused(error, refusal(error.message, 403));
      },
      (error) => change.refused(error),
    );
  };
}

/** Calls `then` with the caller; what it throws refuses the request, as credentials do that prove nothing. */
function identified(
  exchange: HttpExchange,
  { access, isOperator }: Pick<SofaJudging, "access"> & { readonly isOperator: boolean },
  then: (caller: Principal) => void,
  refused: (error: RegistryError) => void = exchange.refuse,
): void {
  const { remoteAddress: from, certificate, headers } = exchange;
  const { authorization = bearer(headers[TOKEN_HEADER]) } = headers;
  const credentials = credentialsIn(authorization);
  access.identify({ from, certificate, credentials, isOperator }, (found) => {
    if (found instanceof RegistryError) refused(found);
    else refusing(exchange, () => then(found));
  });
}

/** The header in which SOFARegistry's tools send one of the tokens of its switch `admin.api.token`. */
const TOKEN_HEADER = "x-apiauth-token";

function bearer(token: string | readonly string[] | undefined): string | undefined {
  return token === undefined ? undefined : `Bearer ${String(token)}`;
}

/** A certificate lets a caller in at the port, and is no operator's proof. */
function hasCredentials({ kind }: Principal): boolean {
  return kind !== "anonymous" && kind !== "certificate";
}

function isLetIn(exchange: HttpExchange, { sofaChanges }: SofaChangesConfig): boolean {
  return sofaChanges === "all" || (sofaChanges === "local" && isLocal(exchange));
}

/** The caller is on this machine: it has a loopback address, or the one at which it has reached the node. */
function isLocal({ remoteAddress, localAddress }: HttpExchange): boolean {
  return /^127\.\d+\.\d+\.\d+$/.test(remoteAddress) || remoteAddress === "[::1]" || remoteAddress === localAddress;
}

/** One request for a change, and its entry in the audit trail. */
class Change {
  /** Undefined: its credentials prove nothing. */
  caller: Principal | undefined;
  /** The exchange for the handler: its answer is recorded. */
  readonly exchange: HttpExchange;
  readonly #asked: HttpExchange;
  readonly #route: HttpRoute;
  readonly #audit: GatewayAudit;

  constructor(exchange: HttpExchange, route: HttpRoute, audit: GatewayAudit) {
    this.#asked = exchange;
    this.#route = route;
    this.#audit = audit;
    this.exchange = {
      ...exchange,
      respond: (response) => {
        this.#record(response.status, isDone(response) ? undefined : "CHANGE_REFUSED");
        exchange.respond(response);
      },
      refuse: (error) => this.refused(error),
    };
  }

  refused(error: Error, response?: HttpResponse): void {
    this.#record(response?.status ?? 400, error instanceof RegistryError ? error.code : "INTERNAL");
    if (response === undefined) this.#asked.refuse(error);
    else this.#asked.respond(response);
  }

  #record(status: number, code: string | undefined): void {
    const { method, path } = this.#route;
    const { remoteAddress: from, params, query, body } = this.#asked;
    this.#audit({
      ...{ operation: `${method} ${path}`, principal: this.caller, from, status, code },
      parameters: { ...params, ...query, ...withoutValue(body) },
    });
  }
}

/** Values of clients may hold secrets of theirs; their length has to do. */
function withoutValue(body: unknown): object {
  if (typeof body !== "object" || body === null) return {};
  const { data, ...others } = body as { readonly data?: unknown };
  return data === undefined ? others : { ...others, data: `${String(data).length} characters` };
}

/** SOFARegistry answers 200 also to what was not done. */
function isDone({ status, body }: HttpResponse): boolean {
  return status < 300 && !(typeof body === "string" && body.includes('"success":false'));
}
