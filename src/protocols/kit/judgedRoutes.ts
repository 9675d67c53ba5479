// HTTP routes whose callers are judged before their handlers are called. Each says what it asks for, and of which
// services or values; the same parsed request is judged and handled.

import type { Reach } from "../../access/accessSet.ts";
import type { ClientAction, Permission, ServiceAction, ValueAction, ValueKey } from "../../access/policy.ts";
import type { Principal } from "../../access/principal.ts";
import { fail, RegistryError } from "../../base/errors.ts";
import type { HttpExchange, HttpRoute } from "../../base/http.ts";
import type { ServiceKey } from "../../model/ids.ts";
import { type ClientAccess, type ClientCredentials, type ClientWish, credentialsIn } from "./clientAccess.ts";

/** The subjects of a request. Throws a RegistryError if it names none. */
type SubjectsOf<Subject> = (exchange: HttpExchange) => Subject | readonly Subject[];

/**
 * The wish of a route's callers. `each`: the handler judges every service or value that it shows or changes, by its
 * caller; it is not called for a caller who may do that with none at all.
 */
export type RouteWish =
  | { readonly asks: "open" | Permission }
  | { readonly asks: ServiceAction; readonly of: "each" | SubjectsOf<ServiceKey> }
  | { readonly asks: ValueAction; readonly of: "each" | SubjectsOf<ValueKey> };

/** A route, and what it asks for. */
export type JudgedRoute = Omit<HttpRoute, "asks" | "handle"> &
  RouteWish & { handle(exchange: HttpExchange, caller: Caller): void };

/** The principal of a request, and what it may do. */
export class Caller {
  readonly principal: Principal;
  readonly #access: ClientAccess;

  constructor(principal: Principal, access: ClientAccess) {
    this.principal = principal;
    this.#access = access;
  }

  /** CREDENTIALS_NEEDED or PERMISSION_NEEDED; undefined if the caller may do that. */
  refusal(wish: ClientWish): RegistryError | undefined {
    return this.#access.refusal(this.principal, wish);
  }

  mayDo(wish: ClientWish): boolean {
    return this.refusal(wish) === undefined;
  }

  reach(action: ClientAction): Reach {
    return this.#access.reach(this.principal, action);
  }
}

export interface Judging {
  readonly access: ClientAccess;
  /** The credentials of a request; those of its authorization header, unless the protocol has others. */
  readonly credentialsOf?: (exchange: HttpExchange) => ClientCredentials;
}

const BY_HEADER = ({ headers }: HttpExchange) => credentialsIn(headers["authorization"]);

/** The routes as a server binds them. */
export function judgedRoutes(routes: readonly JudgedRoute[], judging: Judging): HttpRoute[] {
  return routes.map((route) => ({ ...route, handle: (exchange) => judge(route, exchange, judging) }));
}

function judge(route: JudgedRoute, exchange: HttpExchange, { access, credentialsOf = BY_HEADER }: Judging): void {
  const { remoteAddress: from, certificate } = exchange;
  // The request is refused at once: its parameters may not be looked at before its caller is known to be someone.
  const credentials = credentialsOf(exchange);
  const isOperator = !("of" in route) && route.asks !== "open";
  access.identify({ from, certificate, credentials, isOperator }, (found) => {
    if (found instanceof RegistryError) return exchange.refuse(found);
    refusing(exchange, () => {
      const caller = new Caller(found, access);
      const refusal = refusalOf(route, exchange, caller);
      if (refusal !== undefined) throw refusal;
      route.handle(exchange, caller);
    });
  });
}

function refusalOf(route: JudgedRoute, exchange: HttpExchange, caller: Caller): RegistryError | undefined {
  const wishes = wishesOf(route, exchange);
  // A request that names nothing may show everything: its handler judges each, as with `each`.
  if ("of" in route && wishes.length === 0 && caller.reach(route.asks) === "none") return nothing(route.asks, caller);
  for (const wish of wishes) {
    const refusal = caller.refusal(wish);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

function wishesOf(route: JudgedRoute, exchange: HttpExchange): readonly ClientWish[] {
  switch (route.asks) {
    case "open":
      return [];
    case "publish":
    case "subscribe":
    case "list": {
      const { asks: action, of } = route;
      return of === "each" ? [] : many(of(exchange)).map((about) => ({ action, about }));
    }
    case "fetch":
    case "store": {
      const { asks: action, of } = route;
      return of === "each" ? [] : many(of(exchange)).map((about) => ({ action, about }));
    }
    default:
      return [{ action: route.asks }];
  }
}

function many<Subject extends ServiceKey | ValueKey>(subjects: Subject | readonly Subject[]): readonly Subject[] {
  return isMany(subjects) ? subjects : [subjects];
}

function isMany<Subject>(subjects: Subject | readonly Subject[]): subjects is readonly Subject[] {
  return Array.isArray(subjects);
}

function nothing(action: ClientAction, { principal: { kind, name, from } }: Caller): RegistryError {
  if (kind === "anonymous") return fail("CREDENTIALS_NEEDED", { action, from });
  return fail("PERMISSION_NEEDED", { principal: name, action });
}

/** Runs what a request asks for, maybe later than the request: what it throws is the request's refusal. */
export function refusing(exchange: HttpExchange, run: () => void): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    exchange.refuse(error);
  }
}
