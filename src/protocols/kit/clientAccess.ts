// The questions of a gateway about its clients: which principal is this one, with these credentials or none, and may it
// do that?
//
// A gateway asks for every request, with what its protocol carries. First `identify`, once for each request or once for
// each connection, then `refusal` with the action and the service or value. HTTP routes have this done for them
// (judgedRoutes.ts). Lists of names are judged name by name before any filter, count or page, so that no total tells
// what is hidden; `reach` says whether one answer can be shared by all callers that it holds for.

import type { Reach } from "../../access/accessSet.ts";
import type { ClientAction, Permission, ServiceAction, ValueAction, ValueKey } from "../../access/policy.ts";
import { anonymous, type Principal } from "../../access/principal.ts";
import type { RegistryError } from "../../base/errors.ts";
import type { PeerCertificate } from "../../base/ports.ts";
import type { ServiceKey } from "../../model/ids.ts";

/** A signature as a client's protocol carries it. */
export interface ClientProof {
  /** The name of the client key. */
  readonly accessKey: string;
  /** The hash of the signature; empty for HmacSHA256. */
  readonly algorithm: string;
  /** When it was signed: milliseconds since 1970, as a text. */
  readonly timestamp: string;
  /** In base64. */
  readonly signature: string;
  /** The text that was signed. */
  readonly text: string;
}

/** A name with a password, as people and programs type them. */
export interface Login {
  readonly name: string;
  readonly password: string;
}

/** Credentials as protocols carry them. */
export type ClientCredentials =
  | { readonly kind: "none" }
  | ({ readonly kind: "login" } & Login)
  /** The text after `Basic ` of an authorization header. */
  | { readonly kind: "basic"; readonly text: string }
  /** A token of `roster token create`, or one that `logIn` has issued. */
  | { readonly kind: "token"; readonly token: string }
  | ({ readonly kind: "signature" } & ClientProof)
  /** They are in no form that the protocol has. */
  | { readonly kind: "unreadable"; readonly expected: string };

export const NO_CREDENTIALS: ClientCredentials = { kind: "none" };

/** A client that wants something. */
export interface AskingClient {
  /** The host that it comes from, as the socket says it. */
  readonly from: string;
  /** The certificate that it has shown on its connection. Credentials of the request go before it. */
  readonly certificate?: PeerCertificate | undefined;
  readonly credentials: ClientCredentials;
  /**
   * It asks for an operation of operators. As long as operators have set nothing about clients, the credentials of
   * other requests are not looked at: they may be those of the registry that was here before.
   */
  readonly isOperator?: boolean;
}

/** The wish of a client: an action with a service or a value, or the permission that an operation needs. */
export type ClientWish =
  | { readonly action: ServiceAction; readonly about: ServiceKey }
  | { readonly action: ValueAction; readonly about: ValueKey }
  | { readonly action: Permission };

/** The action by which a kind of request is judged; `open`: it needs no proof. */
export type Asked = ClientAction | Permission | "open";

/** A kind of request of a protocol without HTTP routes, by the name that the protocol has for it. */
export interface GatewayRequest {
  readonly name: string;
  readonly asks: Asked;
}

/** A token for a client that has logged in. */
export interface ClientToken {
  readonly token: string;
  /** The time for which it is good. */
  readonly ttlMs: number;
  readonly principal: Principal;
}

export interface ClientAccess {
  /**
   * Calls `then` once with the principal, or with CREDENTIALS_REFUSED, CREDENTIALS_LOCKED or ACCESS_UNAVAILABLE: at
   * once, but for a password that was not checked of late, which takes a tenth of a second.
   */
  identify(client: AskingClient, then: (found: Principal | RegistryError) => void): void;
  /** CREDENTIALS_NEEDED or PERMISSION_NEEDED; undefined if the principal may do that. Takes microseconds. */
  refusal(principal: Principal, wish: ClientWish): RegistryError | undefined;
  /** The part of all services, or values, for which the principal may do that. Takes microseconds. */
  reach(principal: Principal, action: ClientAction): Reach;
  /**
   * Calls `then` once with a token for a user, or with the refusals of `identify`, or with the error that kept the
   * token from being stored. `not needed`: operators have set nothing about clients, and the password was not looked
   * at.
   */
  logIn(from: string, login: Login, then: (outcome: ClientToken | "not needed" | RegistryError) => void): void;
  /**
   * `identify` and `refusal` for a registration that may be signed. Throws CREDENTIALS_REFUSED, CREDENTIALS_NEEDED or
   * PERMISSION_NEEDED. Takes microseconds.
   */
  check(asked: AskedClient): void;
}

export interface AskedClient {
  /** The host that the client comes from. */
  readonly from: string;
  readonly certificate?: PeerCertificate | undefined;
  readonly action: ServiceAction;
  readonly serviceKey: ServiceKey;
  /** Undefined: the client gives none. */
  readonly proof: ClientProof | undefined;
}

/** Every client may do everything: for tests and worlds without identities. */
export const OPEN_ACCESS: ClientAccess = {
  identify: ({ from }, then) => then(anonymous(from)),
  refusal: () => undefined,
  reach: () => "all",
  logIn: (_from, _login, then) => then("not needed"),
  check: () => undefined,
};

/** The credentials in the authorization header of a request. */
export function credentialsIn(authorization: string | readonly string[] | undefined): ClientCredentials {
  if (authorization === undefined) return NO_CREDENTIALS;
  const [, scheme = "", text = ""] = /^([A-Za-z]+) +([\x21-\x7e]+) *$/.exec(String(authorization)) ?? [];
  switch (scheme.toLowerCase()) {
    case "bearer":
      return { kind: "token", token: text };
    case "basic":
      return { kind: "basic", text };
    default:
      return { kind: "unreadable", expected: "authorization: Bearer TOKEN, or Basic" };
  }
}
