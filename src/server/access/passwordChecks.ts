// Passwords are checked slowly on purpose: a few at once, and some more wait. The proved ones are remembered for a
// moment, and wrong ones locked out by address and by name.

import type { AccessSet } from "../../access/accessSet.ts";
import type { Identity } from "../../access/identity.ts";
import { Lockout } from "../../access/lockout.ts";
import { identityOfUser } from "../../access/proofs.ts";
import { SECRET_BYTES } from "../../access/secretForm.ts";
import { hostGroup } from "../../base/addressGroup.ts";
import { fail } from "../../base/errors.ts";
import type { Clock, Secrets } from "../../base/ports.ts";
import type { Login } from "../../protocols/kit/clientAccess.ts";

export interface PasswordChecksEnvironment {
  /** The newest that is known. */
  readonly set: () => AccessSet;
  readonly secrets: Secrets;
  readonly clock: Clock;
}

// Each takes 32 MiB and a thread of the four that files need too.
const CHECKS_AT_ONCE = 2;
const CHECKS_WAITING_MAX = 20;
// A program that sends its password with each request is checked once a minute.
const PROVED_MS = 60_000;
const PROVED_MAX = 1_000;

export class PasswordChecks {
  readonly #environment: PasswordChecksEnvironment;
  readonly #lockout = new Lockout();
  readonly #checks = new Turns(CHECKS_AT_ONCE, CHECKS_WAITING_MAX);
  /** Logins that were proved a moment ago, by a keyed digest, and when they have to be proved again. */
  readonly #proved = new Map<string, number>();
  /** Those that are being checked: the clients of one program begin at the same time. */
  readonly #checking = new Map<string, Promise<Identity | undefined>>();
  readonly #key: string;

  constructor(environment: PasswordChecksEnvironment) {
    this.#environment = environment;
    this.#key = environment.secrets.random(SECRET_BYTES);
  }

  /** The user, if the login was proved a moment ago. */
  known(login: Login): Identity | undefined {
    const identity = this.#environment.set().identity(login.name);
    if (identity === undefined || identity.kind !== "user") return undefined;
    const nowMs = this.#environment.clock.nowMs();
    const untilMs = this.#proved.get(this.#digestOf(login, identity)) ?? 0;
    return nowMs < Math.min(untilMs, identity.untilMs ?? untilMs) ? identity : undefined;
  }

  /** The user. Rejects with CREDENTIALS_REFUSED, CREDENTIALS_LOCKED or ACCESS_UNAVAILABLE. */
  async check(login: Login, from: string): Promise<Identity> {
    const { clock } = this.#environment;
    const keys = [`from ${hostGroup(from)}`, `user ${login.name}`];
    this.#checkLock(keys);
    const identity = await this.#checkOnce(login, keys);
    if (identity === undefined) {
      this.#lockout.failed(keys, clock.nowMs());
      throw fail("CREDENTIALS_REFUSED", { kind: "user", from });
    }
    this.#lockout.succeeded(keys);
    this.#remember(this.#digestOf(login, identity));
    return identity;
  }

  #checkOnce(login: Login, keys: readonly string[]): Promise<Identity | undefined> {
    const { secrets, set, clock } = this.#environment;
    const digest = this.#digestOf(login, set().identity(login.name));
    const checking =
      this.#checking.get(digest) ??
      this.#checks
        .run(() => {
          this.#checkLock(keys);
          return identityOfUser(set(), login, secrets, clock.nowMs());
        })
        .finally(() => this.#checking.delete(digest));
    this.#checking.set(digest, checking);
    return checking;
  }

  #checkLock(keys: readonly string[]): void {
    const nowMs = this.#environment.clock.nowMs();
    const untilMs = this.#lockout.waitsUntilMs(keys, nowMs);
    if (untilMs !== undefined) throw fail("CREDENTIALS_LOCKED", { seconds: Math.ceil((untilMs - nowMs) / 1_000) });
  }

  /** Another password, and another hash of the same one, has another digest. */
  #digestOf({ name, password }: Login, identity: Identity | undefined): string {
    const { secret = "" } = identity ?? {};
    return this.#environment.secrets.hmacSha256(this.#key, JSON.stringify([name, password, secret]));
  }

  #remember(digest: string): void {
    this.#proved.delete(digest);
    this.#proved.set(digest, this.#environment.clock.nowMs() + PROVED_MS);
    const [oldest] = this.#proved.keys();
    if (this.#proved.size > PROVED_MAX && oldest !== undefined) this.#proved.delete(oldest);
  }
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
