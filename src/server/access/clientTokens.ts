// Tokens for clients that log in by a name and a password, as Nacos' do. Each is a login of its user like that of
// `roster login`: a record, good at every node, which ends when the user is changed. All clients of one user that log
// in at one node have the same token, or there would be a record for each of thousands of clients.

import type { Principal } from "../../access/principal.ts";
import { newToken } from "../../access/proofs.ts";
import { isoTime } from "../../admin/isoTime.ts";
import { fail } from "../../base/errors.ts";
import type { Clock, Secrets } from "../../base/ports.ts";
import type { OperationCalls } from "../../cluster/links/operationCalls.ts";
import type { ClientToken } from "../../protocols/kit/clientAccess.ts";
import type { NodeAccess } from "./nodeAccess.ts";

export interface ClientTokensEnvironment {
  readonly access: Pick<NodeAccess, "set" | "refresh">;
  readonly operations: Pick<OperationCalls, "ask">;
  readonly secrets: Secrets;
  readonly clock: Clock;
}

/** The operation that stores a login at the leading meta node. */
const STORE_LOGIN = "access.store";
// Clients log in again before the end. While the store is away they are given the last token again, so it lasts longer
// than the store may be away.
const TOKEN_MS = 24 * 3_600_000;
// One that is older is not given to clients any more, if a new one can be had.
const RENEW_MS = TOKEN_MS / 2;
const ANSWER_MS_MAX = 5_000;
const SUFFIX_BYTES = 9;
/** The most users whose tokens are remembered. */
const USERS_MAX = 1_000;

interface Issued {
  readonly token: string;
  /** The user's secret then: another one has ended the token. */
  readonly of: string;
  readonly issuedMs: number;
}

export class ClientTokens {
  readonly #environment: ClientTokensEnvironment;
  readonly #issued = new Map<string, Issued>();
  /** Clients of a user that log in at the same time wait for one token. */
  readonly #issuing = new Map<string, Promise<Issued>>();

  constructor(environment: ClientTokensEnvironment) {
    this.#environment = environment;
  }

  /** A token of this user. Rejects with the reason why none could be stored, if there is no earlier one. */
  async issue(principal: Principal): Promise<ClientToken> {
    const { clock, access } = this.#environment;
    const user = access.set.identity(principal.name);
    if (user === undefined) throw fail("CREDENTIALS_REFUSED", { kind: "user", from: principal.from });
    const known = this.#known(principal.name, `${user.setMs} ${user.secret}`);
    const isYoung = known !== undefined && clock.nowMs() < known.issuedMs + RENEW_MS;
    const { token, issuedMs } = isYoung ? known : await this.#next(principal, `${user.setMs} ${user.secret}`, known);
    return { token, ttlMs: Math.max(0, issuedMs + TOKEN_MS - clock.nowMs()), principal };
  }

  #known(name: string, of: string): Issued | undefined {
    const issued = this.#issued.get(name);
    const isGood = issued?.of === of && this.#environment.clock.nowMs() < issued.issuedMs + TOKEN_MS;
    return isGood ? issued : undefined;
  }

  async #next(principal: Principal, of: string, known: Issued | undefined): Promise<Issued> {
    const { name } = principal;
    const issuing = this.#issuing.get(name) ?? this.#store(principal, of).finally(() => this.#issuing.delete(name));
    this.#issuing.set(name, issuing);
    try {
      return await issuing;
    } catch (error) {
      if (known !== undefined) return known;
      throw error;
    }
  }

  async #store(principal: Principal, of: string): Promise<Issued> {
    const { secrets, clock, access } = this.#environment;
    const { shown: token, secret } = newToken(secrets);
    const issuedMs = clock.nowMs();
    const name = `${principal.name.slice(0, 100)}-client-${secrets.random(SUFFIX_BYTES)}`;
    await this.#ask({ name, secret, until: isoTime(Math.ceil(issuedMs + TOKEN_MS)) }, principal);
    await access.refresh();
    const issued = { token, of, issuedMs };
    this.#issued.delete(principal.name);
    this.#issued.set(principal.name, issued);
    const [oldest] = this.#issued.keys();
    if (this.#issued.size > USERS_MAX && oldest !== undefined) this.#issued.delete(oldest);
    return issued;
  }

  #ask(parameters: object, principal: Principal): Promise<void> {
    const asked = { operation: STORE_LOGIN, parameters: JSON.stringify(parameters), by: JSON.stringify(principal) };
    return new Promise((resolve, reject) => {
      this.#environment.operations.ask("leader", { asked, waitMs: ANSWER_MS_MAX }, (outcome) => {
        if (outcome.kind === "answered" && outcome.status === 200) return resolve();
        const reason = outcome.kind === "answered" ? outcome.body.slice(0, 300) : outcome.reason;
        reject(fail("STORE_UNAVAILABLE", { reason }));
      });
    });
  }
}
