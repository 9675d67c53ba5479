// Clients by what their protocols carry: tokens, passwords, signatures, certificates; and what policies let them do.

import { type AccessSet, principalOf, type Reach } from "../../access/accessSet.ts";
import type { ClientAction } from "../../access/policy.ts";
import { anonymous, certified, type Principal } from "../../access/principal.ts";
import { clientKeyOf } from "../../access/secretForm.ts";
import { fail, RegistryError } from "../../base/errors.ts";
import type { Clock, PeerCertificate, Secrets } from "../../base/ports.ts";
import type {
  AskedClient,
  AskingClient,
  ClientAccess,
  ClientCredentials,
  ClientProof,
  ClientToken,
  ClientWish,
  Login,
} from "./clientAccess.ts";

export interface ClientChecksEnvironment {
  /** The newest that is known. */
  readonly set: () => AccessSet;
  readonly secrets: Pick<Secrets, "hmacSha256" | "isEqual">;
  readonly clock: Clock;
  /** Finds the principal that tokens and passwords prove. It throws, or rejects, with the reason why there is none. */
  readonly authenticator: { prove(credentials: ClientCredentials, ends: From): Principal | Promise<Principal> };
  /** Makes tokens for clients that log in. */
  readonly tokens: { issue(principal: Principal): Promise<ClientToken> };
}

// Clocks of clients are minutes off. Within this time a signature that was overheard is good for the same registration.
const WINDOW_MS = 5 * 60_000;
const ALGORITHM = "HmacSHA256";

interface From {
  readonly from: string;
  readonly certificate?: PeerCertificate | undefined;
}

export class ClientChecks implements ClientAccess {
  readonly #environment: ClientChecksEnvironment;
  /** Whether the set has client keys at all, found once for each set. */
  #keysOf: { readonly set: AccessSet; readonly hasKeys: boolean } | undefined;

  constructor(environment: ClientChecksEnvironment) {
    this.#environment = environment;
  }

  identify(client: AskingClient, then: (found: Principal | RegistryError) => void): void {
    let found: Principal | Promise<Principal>;
    try {
      found = this.#principalOf(client);
    } catch (error) {
      return then(refusalIn(error));
    }
    if (found instanceof Promise) void found.catch(refusalIn).then(then);
    else then(found);
  }

  refusal(principal: Principal, wish: ClientWish): RegistryError | undefined {
    const about = "about" in wish ? wish.about : undefined;
    const { isAllowed, by } = this.#environment.set().mayDo(principal, wish.action, about);
    if (isAllowed) return undefined;
    const subject = about === undefined ? {} : subjectOf(about);
    const wanted = { action: wish.action, ...subject, ...(by !== undefined && { deniedBy: by }) };
    if (principal.kind === "anonymous") return fail("CREDENTIALS_NEEDED", { ...wanted, from: principal.from });
    return fail("PERMISSION_NEEDED", { principal: principal.name, ...wanted });
  }

  reach(principal: Principal, action: ClientAction): Reach {
    return this.#environment.set().reach(principal, action);
  }

  logIn(from: string, login: Login, then: (outcome: ClientToken | "not needed" | RegistryError) => void): void {
    const { set, tokens } = this.#environment;
    if (!set().judgesClients) return then("not needed");
    this.identify({ from, credentials: { kind: "login", ...login } }, (found) => {
      if (found instanceof RegistryError) return then(found);
      void tokens.issue(found).catch(refusalIn).then(then);
    });
  }

  check({ from, certificate, action, serviceKey, proof }: AskedClient): void {
    const principal = this.#signed(proof, { from, certificate });
    const refusal = this.refusal(principal, { action, about: serviceKey });
    if (refusal !== undefined) throw refusal;
  }

  #principalOf({ from, certificate, credentials, isOperator = false }: AskingClient): Principal | Promise<Principal> {
    const ends = { from, certificate };
    if (credentials.kind === "signature") return this.#signed(credentials, ends);
    const isLookedAt = isOperator || this.#environment.set().judgesClients;
    return this.#environment.authenticator.prove(isLookedAt ? credentials : { kind: "none" }, ends);
  }

  /** The principal of a client that may have signed its request. Throws CREDENTIALS_REFUSED. */
  #signed(proof: ClientProof | undefined, { from, certificate }: From): Principal {
    const set = this.#environment.set();
    // Clients have sent such attributes to registries that do not look at them.
    if (proof !== undefined && this.#hasKeys(set)) return this.#prove(set, proof, from);
    return certificate === undefined ? anonymous(from) : certified(certificate, from);
  }

  /** Throws CREDENTIALS_REFUSED. */
  #prove(set: AccessSet, { accessKey, algorithm, timestamp, signature, text }: ClientProof, from: string): Principal {
    const { secrets, clock } = this.#environment;
    const nowMs = clock.nowMs();
    if (algorithm !== "" && algorithm !== ALGORITHM) {
      throw fail("CREDENTIALS_REFUSED", { algorithm, expected: ALGORITHM });
    }
    const signedMs = /^\d{1,15}$/.test(timestamp) ? Number(timestamp) : Number.NaN;
    if (!(Math.abs(nowMs - signedMs) <= WINDOW_MS)) {
      const expected = `milliseconds since 1970, within ${WINDOW_MS} of ${Math.floor(nowMs)}`;
      throw fail("CREDENTIALS_REFUSED", { timestamp, expected });
    }
    const identity = set.identity(accessKey);
    const known = identity && set.worthOf(identity, nowMs);
    const key = clientKeyOf(known?.secret ?? "");
    const isProved = secrets.isEqual(signature, secrets.hmacSha256(key ?? "", text));
    if (!isProved || key === undefined || known === undefined) {
      throw fail("CREDENTIALS_REFUSED", { accessKey, from });
    }
    return principalOf(known, from);
  }

  #hasKeys(set: AccessSet): boolean {
    if (this.#keysOf?.set !== set) {
      const hasKeys = [...set.identities()].some(({ kind }) => kind === "clientKey");
      this.#keysOf = { set, hasKeys };
    }
    return this.#keysOf.hasKeys;
  }
}

/** A service, or a value, in the words of a refusal. */
function subjectOf(about: NonNullable<Extract<ClientWish, { readonly about: unknown }>["about"]>) {
  if (typeof about === "string") return { service: about };
  const { namespace, group, name } = about;
  return { value: name, namespace, group };
}

/** A refusal as it is; anything else is a bug of ours. */
function refusalIn(error: unknown): RegistryError {
  if (error instanceof RegistryError) return error;
  throw error;
}
