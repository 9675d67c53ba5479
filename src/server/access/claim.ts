// The claim code: while no identity administers the cluster, the leading meta node logs a code that makes one. It is
// made anew by each leader, and forgotten once the cluster is claimed, so nothing of it is stored.

import { LOOK_MS } from "../../access/accessFollower.ts";
import { Lockout } from "../../access/lockout.ts";
import { SECRET_BYTES } from "../../access/secretForm.ts";
import { fail } from "../../base/errors.ts";
import type { Cancel, Clock, Log, Secrets, Timers } from "../../base/ports.ts";
import type { NodeAccess } from "./nodeAccess.ts";

export interface ClaimEnvironment {
  readonly access: Pick<NodeAccess, "set" | "isUpToDate">;
  /** This node is the leading meta node. */
  readonly isLeading: () => boolean;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
}

export class Claim {
  readonly #environment: ClaimEnvironment;
  readonly #lockout = new Lockout();
  #code: string | undefined;
  #cancel: Cancel = () => undefined;

  constructor(environment: ClaimEnvironment) {
    this.#environment = environment;
  }

  /** Looks from now on whether a code is needed. */
  begin(): void {
    this.#look();
    this.#cancel = this.#environment.timers.after(LOOK_MS, () => this.begin());
  }

  /** Throws CLAIM_REFUSED, or CREDENTIALS_LOCKED after several wrong codes from that address. */
  check(code: string, from: string): void {
    const { clock, secrets } = this.#environment;
    const nowMs = clock.nowMs();
    const untilMs = this.#lockout.waitsUntilMs([from], nowMs);
    if (untilMs !== undefined) throw fail("CREDENTIALS_LOCKED", { seconds: Math.ceil((untilMs - nowMs) / 1_000) });
    this.#look();
    if (this.#code !== undefined && secrets.isEqual(code, this.#code)) return;
    this.#lockout.failed([from], nowMs);
    throw fail("CLAIM_REFUSED", { from });
  }

  /** May be called twice. */
  close(): void {
    this.#cancel();
  }

  #look(): void {
    const { access, isLeading, clock, secrets, log } = this.#environment;
    const isNeeded = isLeading() && access.isUpToDate && !access.set.isClaimed(clock.nowMs());
    if (!isNeeded) this.#code = undefined;
    if (!isNeeded || this.#code !== undefined) return;
    this.#code = `claim_${secrets.random(SECRET_BYTES)}`;
    log.info("no identity administers this cluster yet", { toClaim: `roster login --claim ${this.#code}` });
  }
}
