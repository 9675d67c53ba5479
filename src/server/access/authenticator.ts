// Finds out which principal sends a request: by a token, by a name and a password, or anonymous. Nothing else in a
// request is believed: no header of a proxy, no name of a host.

import { type AccessSet, principalOf } from "../../access/accessSet.ts";
import { CONFIGURED_OPERATOR, LOCAL_OPERATOR } from "../../access/identity.ts";
import { anonymous, certified, type Principal } from "../../access/principal.ts";
import { identityOfToken } from "../../access/proofs.ts";
import { fail } from "../../base/errors.ts";
import type { HttpExchange } from "../../base/http.ts";
import type { Clock, Secrets } from "../../base/ports.ts";
import { type ClientCredentials, credentialsIn, type Login } from "../../protocols/kit/clientAccess.ts";
import { isLoopback } from "../config/loopback.ts";
import { PasswordChecks } from "./passwordChecks.ts";

export interface AuthenticatorEnvironment {
  /** The newest that is known. */
  readonly set: () => AccessSet;
  readonly secrets: Secrets;
  readonly clock: Clock;
  /** The token of operators at this machine; it proves nothing elsewhere. */
  readonly localToken: string;
  /** The token of admin-token-file; undefined: there is none. */
  readonly configuredToken: string | undefined;
}

type Request = Pick<HttpExchange, "headers" | "remoteAddress" | "localAddress" | "certificate">;

/** The ends of a connection, and the certificate that was shown on it. */
interface Ends {
  readonly from: string;
  /** The host at which it reached us; undefined if that is not known. */
  readonly to?: string;
  readonly certificate?: HttpExchange["certificate"];
}

export class Authenticator {
  readonly #environment: AuthenticatorEnvironment;
  readonly #passwords: PasswordChecks;

  constructor(environment: AuthenticatorEnvironment) {
    this.#environment = environment;
    this.#passwords = new PasswordChecks(environment);
  }

  /**
   * The principal of a request. Rejects with CREDENTIALS_REFUSED, CREDENTIALS_LOCKED or ACCESS_UNAVAILABLE: wrong
   * credentials are refused, also where none are needed.
   */
  async identify({ headers, remoteAddress: from, localAddress: to, certificate }: Request): Promise<Principal> {
    const credentials = credentialsIn(headers["authorization"]);
    // An operator's page and the client of an operation have no certificate that a policy could mean.
    if (credentials.kind === "none") return anonymous(from);
    return this.prove(credentials, { from, to, certificate });
  }

  /**
   * The principal that credentials prove; a promise only for a password that was not checked of late. Throws or rejects
   * as `identify` does.
   */
  prove(credentials: ClientCredentials, ends: Ends): Principal | Promise<Principal> {
    const { from, certificate } = ends;
    switch (credentials.kind) {
      case "none":
        return certificate === undefined ? anonymous(from) : certified(certificate, from);
      case "token":
        return this.#ofToken(credentials.token, ends);
      case "login":
        return this.#ofLogin(credentials, from);
      case "basic":
        return this.#ofLogin(readLogin(credentials.text), from);
      case "unreadable":
        throw fail("CREDENTIALS_REFUSED", { expected: credentials.expected });
      case "signature":
        throw fail("CREDENTIALS_REFUSED", { kind: "signature", expected: "a request that can be signed" });
    }
  }

  #ofToken(token: string, { from, to }: Ends): Principal {
    const { secrets, set, localToken, configuredToken, clock } = this.#environment;
    const admin = { kind: "token", roles: ["admin"], from } as const;
    const isSameMachine = isLoopback(from) || from === to;
    if (isSameMachine && secrets.isEqual(token, localToken)) return { ...admin, name: LOCAL_OPERATOR };
    if (configuredToken !== undefined && secrets.isEqual(token, configuredToken)) {
      return { ...admin, name: CONFIGURED_OPERATOR };
    }
    const identity = identityOfToken(set(), token, secrets, clock.nowMs());
    if (identity === undefined) throw fail("CREDENTIALS_REFUSED", { kind: "token", from });
    return principalOf(identity, from);
  }

  #ofLogin(login: Login, from: string): Principal | Promise<Principal> {
    const known = this.#passwords.known(login);
    if (known !== undefined) return principalOf(known, from);
    return this.#passwords.check(login, from).then((identity) => principalOf(identity, from));
  }
}

function readLogin(credentials: string): Login {
  const text = Buffer.from(credentials, "base64").toString("utf8");
  const at = text.indexOf(":");
  if (at < 1) throw fail("CREDENTIALS_REFUSED", { expected: "a name, a colon and a password, in base64" });
  return { name: text.slice(0, at), password: text.slice(at + 1) };
}
