// Finds out which principal sends an HTTP request: by a token, by a name and a password, or anonymous. Nothing else in
// a request is believed: no header of a proxy, no name of a host.

import { type AccessSet, principalOf } from "../../access/accessSet.ts";
import { CONFIGURED_OPERATOR, type Identity, LOCAL_OPERATOR } from "../../access/identity.ts";
import { Lockout } from "../../access/lockout.ts";
import { anonymous, type Principal } from "../../access/principal.ts";
import { identityOfToken, identityOfUser } from "../../access/proofs.ts";
import { SECRET_BYTES } from "../../access/secretForm.ts";
import { fail } from "../../base/errors.ts";
import type { HttpExchange } from "../../base/http.ts";
import type { Clock, Secrets } from "../../base/ports.ts";
import { isLoopback } from "../config/loopback.ts";

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

type Request = Pick<HttpExchange, "headers" | "remoteAddress" | "localAddress">;

interface Login {
  readonly name: string;
  readonly password: string;
}

// Each takes 32 MiB and a thread of the four that files need too.
const CHECKS_AT_ONCE = 2;
const CHECKS_WAITING_MAX = 20;
// A program that sends its password with each request is checked once a minute.
const PROVED_MS = 60_000;
const PROVED_MAX = 1_000;

export class Authenticator {
  readonly #environment: AuthenticatorEnvironment;
  readonly #lockout = new Lockout();
  readonly #checks = new Turns(CHECKS_AT_ONCE, CHECKS_WAITING_MAX);
  /** Logins that were proved a moment ago, by a keyed digest. */
  readonly #proved = new Map<string, number>();
  readonly #key: string;

  constructor(environment: AuthenticatorEnvironment) {
    this.#environment = environment;
    this.#key = environment.secrets.random(SECRET_BYTES);
  }

  /**
   * The principal of a request. Rejects with CREDENTIALS_REFUSED, CREDENTIALS_LOCKED or ACCESS_UNAVAILABLE: wrong
   * credentials are refused, also where none are needed.
   */
  async identify({ headers, remoteAddress: from, localAddress }: Request): Promise<Principal> {
    const { authorization } = headers;
    if (authorization === undefined) return anonymous(from);
    const [, scheme = "", credentials = ""] = /^([A-Za-z]+) +([\x21-\x7e]+) *$/.exec(String(authorization)) ?? [];
    switch (scheme.toLowerCase()) {
      case "bearer":
        return this.#ofToken(credentials, { from, isSameMachine: isLoopback(from) || from === localAddress });
      case "basic":
        return principalOf(await this.#ofLogin(readLogin(credentials), from), from);
      default:
        throw fail("CREDENTIALS_REFUSED", { expected: "authorization: Bearer TOKEN, or Basic" });
    }
  }

  #ofToken(
    token: string,
    { from, isSameMachine }: { readonly from: string; readonly isSameMachine: boolean },
  ): Principal {
    const { secrets, set, localToken, configuredToken, clock } = this.#environment;
    const admin = { kind: "token", roles: ["admin"], from } as const;
    if (isSameMachine && secrets.isEqual(token, localToken)) return { ...admin, name: LOCAL_OPERATOR };
    if (configuredToken !== undefined && secrets.isEqual(token, configuredToken)) {
      return { ...admin, name: CONFIGURED_OPERATOR };
    }
    const identity = identityOfToken(set(), token, secrets, clock.nowMs());
    if (identity === undefined) throw fail("CREDENTIALS_REFUSED", { kind: "token", from });
    return principalOf(identity, from);
  }

  async #ofLogin(login: Login, from: string): Promise<Identity> {
    const { secrets, set, clock } = this.#environment;
    const known = this.#knownLogin(login);
    if (known !== undefined) return known;
    const keys = [`from ${from}`, `user ${login.name}`];
    this.#checkLock(keys);
    const identity = await this.#checks.run(() => {
      this.#checkLock(keys);
      return identityOfUser(set(), login, secrets, clock.nowMs());
    });
    if (identity === undefined) {
      this.#lockout.failed(keys, clock.nowMs());
      throw fail("CREDENTIALS_REFUSED", { kind: "user", from });
    }
    this.#lockout.succeeded(keys);
    this.#remember(this.#digestOf(login, identity));
    return identity;
  }

  #checkLock(keys: readonly string[]): void {
    const nowMs = this.#environment.clock.nowMs();
    const untilMs = this.#lockout.waitsUntilMs(keys, nowMs);
    if (untilMs !== undefined) throw fail("CREDENTIALS_LOCKED", { seconds: Math.ceil((untilMs - nowMs) / 1_000) });
  }

  #knownLogin(login: Login): Identity | undefined {
    const identity = this.#environment.set().identity(login.name);
    if (identity === undefined || identity.kind !== "user") return undefined;
    const nowMs = this.#environment.clock.nowMs();
    const untilMs = this.#proved.get(this.#digestOf(login, identity)) ?? 0;
    return nowMs < Math.min(untilMs, identity.untilMs ?? untilMs) ? identity : undefined;
  }

  /** Another password, and another hash of the same one, has another digest. */
  #digestOf({ name, password }: Login, { secret }: Identity): string {
    return this.#environment.secrets.hmacSha256(this.#key, JSON.stringify([name, password, secret]));
  }

  #remember(digest: string): void {
    this.#proved.delete(digest);
    this.#proved.set(digest, this.#environment.clock.nowMs() + PROVED_MS);
    const [oldest] = this.#proved.keys();
    if (this.#proved.size > PROVED_MAX && oldest !== undefined) this.#proved.delete(oldest);
  }
}

function readLogin(credentials: string): Login {
  const text = Buffer.from(credentials, "base64").toString("utf8");
  const at = text.indexOf(":");
  if (at < 1) throw fail("CREDENTIALS_REFUSED", { expected: "a name, a colon and a password, in base64" });
  return { name: text.slice(0, at), password: text.slice(at + 1) };
}

/** Runs a few at once; some more wait. */
class Turns {
  readonly #atOnce: number;
  readonly #waitingMax: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(atOnce: number, waitingMax: number) {
    this.#atOnce = atOnce;
    this.#waitingMax = waitingMax;
  }

  async run<Value>(work: () => Promise<Value>): Promise<Value> {
    if (this.#running >= this.#atOnce) {
      if (this.#waiting.length >= this.#waitingMax) throw fail("ACCESS_UNAVAILABLE", { waiting: this.#waiting.length });
      // The one that ends hands its turn over.
      await new Promise<void>((resolve) => void this.#waiting.push(resolve));
    } else this.#running++;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}
