// Registrations that are kept by heartbeats, for protocols whose clients have no connection. They belong to no
// connected client: each request may come to any session node, and a registration ends when its heartbeats stop,
// whatever becomes of the session that it came to.

import type { Account } from "../base/budget.ts";
import type { RegistryError } from "../base/errors.ts";
import type { ClientId, ServiceKey } from "../model/ids.ts";
import type { Lease, Publication, RenewedHealth } from "../model/publication.ts";

/** The side of a request to which its answer goes. */
export interface LeaseAsker {
  /** Called once, perhaps before `step` returns. */
  answer(answer: LeaseAnswer): void;
}

/** The answer to a request. */
export type LeaseAnswer =
  /**
   * `isHeard`: the leader of the slot has taken it, and lists at this session show it. Otherwise it could not be
   * reached in time, and is told when it can be: to the client that is a success.
   */
  | { readonly kind: "accepted"; readonly isHeard: boolean }
  /**
   * A heartbeat of a registration that is not known, or is perhaps not known as its client last told: the client must
   * register again.
   */
  | { readonly kind: "unknown" }
  /**
   * FIELD_INVALID: no such lease. OVERLOADED: try again. SERVICE_FULL, DATA_FULL: there is no room.
   * REGISTRATION_HELD: a connected client has this registration.
   */
  | { readonly kind: "failed"; readonly error: RegistryError };

/** A publication as sent by a client; the session adds the holder and the time. */
export type LeasedPublication = Omit<Publication, "registeredMs" | "owner" | "condition" | "lease">;

/** A registration that a client takes back. */
export type LeasedKey = Pick<Publication, "serviceKey" | "registId" | "version">;

interface LeaseRequest {
  readonly asker: LeaseAsker;
  /** The work is counted here. */
  readonly account: Account;
  /** The time at which it is answered with success, if the leader has not answered by then. */
  readonly untilMs: number;
}

/** A request for a registration that is kept by heartbeats. */
export type LeaseEvent =
  /**
   * Registers, or registers again: the newest request counts, by its version, and then in the order in which a client
   * waits for its answers. It is a heartbeat too.
   */
  | (LeaseRequest & {
      readonly kind: "leased";
      /** Names the client in lists of operators and in rules: `host:port_`, followed by anything. */
      readonly holder: ClientId;
      readonly publication: LeasedPublication;
      readonly lease: Lease;
      /** False: it is shown as not healthy from the beginning, whatever its content says. */
      readonly isHealthy?: boolean;
    })
  /** Takes a registration back. */
  | (LeaseRequest & { readonly kind: "leaseEnded"; readonly holder: ClientId; readonly key: LeasedKey })
  /** A heartbeat. */
  | (LeaseRequest & {
      readonly kind: "leaseRenewed";
      readonly serviceKey: ServiceKey;
      readonly registId: string;
      /** Undefined: it is healthy, unless its content says something else. */
      readonly health?: RenewedHealth;
      /** An older version of the registration counts as unknown. Undefined: any version will do. */
      readonly version?: bigint;
    });

/** The shortest and the longest time after which silent registrations are removed. */
export const LEASE_MS_MIN = 1_000;
export const LEASE_MS_MAX = 86_400_000;
