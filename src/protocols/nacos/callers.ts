// The callers: the credentials that their requests carry, and what their principals may do.

import type { HttpExchange } from "../../base/http.ts";
import type { ServiceKey } from "../../model/ids.ts";
import { type ClientCredentials, type ClientWish, credentialsIn, NO_CREDENTIALS } from "../kit/clientAccess.ts";
import type { Caller } from "../kit/judgedRoutes.ts";
import { headerOf, Params } from "./params.ts";

const TOKEN = "accessToken";

/** The credentials of a request by gRPC: the token of a login, in the headers of its metadata. */
export function requestCredentials(headers: ReadonlyMap<string, string>): ClientCredentials {
  const token = headers.get(TOKEN) ?? "";
  return token === "" ? NO_CREDENTIALS : { kind: "token", token };
}

/**
 * The credentials of a request by HTTP: the token of a login, as a parameter or a header; or name and password, which
 * clients for Node send with each request. Throws HTTP_BAD_REQUEST.
 */
export function exchangeCredentials(exchange: HttpExchange): ClientCredentials {
  const params = Params.of(exchange);
  const token = params.text(TOKEN) || headerOf(exchange, TOKEN.toLowerCase());
  if (token !== "") return { kind: "token", token };
  const name = params.text("username");
  if (name !== "") return { kind: "login", name, password: params.text("password") };
  return credentialsIn(exchange.headers["authorization"]);
}

/** Throws CREDENTIALS_NEEDED or PERMISSION_NEEDED. */
export function checkCaller(caller: Caller, wish: ClientWish): void {
  const refusal = caller.refusal(wish);
  if (refusal !== undefined) throw refusal;
}

/**
 * The services whose names a caller may list. Throws CREDENTIALS_NEEDED or PERMISSION_NEEDED if there can be none, as
 * for `one` of them.
 */
export function seenBy(caller: Caller, one: ServiceKey): (serviceKey: ServiceKey) => boolean {
  const reach = caller.reach("list");
  if (reach === "all") return () => true;
  if (reach === "none") checkCaller(caller, { action: "list", about: one });
  return (about) => caller.mayDo({ action: "list", about });
}
