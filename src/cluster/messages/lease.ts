// The messages about heartbeats that keep registrations, between session and data nodes. A data node of an earlier
// release does not answer: the sessions then believe the heartbeats.

import type { ServiceKey } from "../../model/ids.ts";
import type { RenewedHealth } from "../../model/publication.ts";

/** A heartbeat for one registration. */
export interface Renewal {
  readonly serviceKey: ServiceKey;
  readonly registId: string;
  /** The time since it came to the session. */
  readonly ageMs: number;
  /** Undefined: healthy. A data node of an earlier release takes each heartbeat for that. */
  readonly health?: RenewedHealth;
  /** A receiver that has an older version of the registration does not know it. Undefined: any version will do. */
  readonly version?: bigint;
}

/** From session to data. */
export interface Renew {
  /** Heartbeats for registrations of slots that the receiver leads. Answered by `renewed`. */
  readonly kind: "renew";
  /** The sender's own number. */
  readonly batch: number;
  readonly renewals: readonly Renewal[];
  /**
   * Slots that the receiver leads, of whose registrations the sender has passed requests on to an earlier leader, and
   * none to the receiver yet. Undefined: there are none. A receiver of an earlier release does not read it.
   */
  readonly elsewhere?: readonly number[];
}

/** From data to session. */
export interface Renewed {
  readonly kind: "renewed";
  readonly batch: number;
  /**
   * The places in the batch, from zero, of registrations that are not known, or may be older here than their clients
   * have told an earlier leader: their clients must register again.
   */
  readonly unknown: readonly number[];
  /** The places of those of which the sender can't tell yet, or not any more: they are to be sent again. */
  readonly later: readonly number[];
}

/** The most heartbeats in a batch: some 60 kB, and a millisecond of work. */
export const RENEWALS_MAX = 1_000;
