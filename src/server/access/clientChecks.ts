// Clients by their signatures: a client key signs the service and the time, and the policies say what it may do then.

import { type AccessSet, principalOf } from "../../access/accessSet.ts";
import { anonymous, type Principal } from "../../access/principal.ts";
import { clientKeyOf } from "../../access/secretForm.ts";
import { fail } from "../../base/errors.ts";
import type { Clock, Secrets } from "../../base/ports.ts";
import type { AskedClient, ClientAccess, ClientProof } from "../../protocols/kit/clientAccess.ts";

export interface ClientChecksEnvironment {
  /** The newest that is known. */
  readonly set: () => AccessSet;
  readonly secrets: Pick<Secrets, "hmacSha256" | "isEqual">;
  readonly clock: Clock;
}

// Clocks of clients are minutes off. Within this time a signature that was overheard is good for the same registration.
const WINDOW_MS = 5 * 60_000;
const ALGORITHM = "HmacSHA256";

export class ClientChecks implements ClientAccess {
  readonly #environment: ClientChecksEnvironment;
  /** Whether the set has client keys at all, found once for each set. */
  #keysOf: { readonly set: AccessSet; readonly hasKeys: boolean } | undefined;

  constructor(environment: ClientChecksEnvironment) {
    this.#environment = environment;
  }

  check({ from, action, serviceKey, proof }: AskedClient): void {
    const set = this.#environment.set();
    // Clients have sent such attributes to registries that do not look at them.
    const principal = proof === undefined || !this.#hasKeys(set) ? anonymous(from) : this.#prove(set, proof, from);
    const { isAllowed, by } = set.mayDo(principal, action, serviceKey);
    if (isAllowed) return;
    const wanted = { action, service: serviceKey, ...(by !== undefined && { deniedBy: by }) };
    if (principal.kind === "anonymous") throw fail("CREDENTIALS_NEEDED", { ...wanted, from });
    throw fail("PERMISSION_NEEDED", { principal: principal.name, ...wanted });
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
