// Questions about an address: what belongs to the clients at one IP address, for operators and for protocols that list
// it. As a question about a list, one about an address belongs to no client.

import type { Principal } from "../access/principal.ts";
import type { RegistryError } from "../base/errors.ts";
import type { ClientId, ServiceKey } from "../model/ids.ts";
import type { Registration } from "../model/publication.ts";
import type { Scope } from "../model/scope.ts";

/** The side of a question to which its answer goes. */
export interface AddressAsker {
  /** Called once, perhaps before `step` returns; never after `gaveUpAddress`. */
  answer(answer: AddressAnswer): void;
}

/** A connected client of the asked session. */
export interface ClientAtAddress {
  readonly client: ClientId;
  readonly principal: Principal;
}

/** A subscriber of a client of the asked session. */
export interface SubscriptionAtAddress {
  readonly client: ClientId;
  readonly serviceKey: ServiceKey;
  readonly registId: string;
  readonly scope: Scope;
}

/** A watch of a configuration value of a client of the asked session. */
export interface ConfigWatchAtAddress {
  readonly client: ClientId;
  readonly serviceKey: ServiceKey;
  readonly registId: string;
}

/** The answer to a question about an address. */
export type AddressAnswer =
  | {
      readonly kind: "address";
      /**
       * The registrations of all sessions' clients at the address, as the leaders of the slots have them, in no order:
       * those that rules hide too, and those that are listed only because their removal is held.
       */
      readonly registrations: readonly Registration[];
      /** The asked session's own connected clients at the address. */
      readonly clients: readonly ClientAtAddress[];
      /**
       * The subscriptions of the clients in `clients`. Data nodes know only which sessions have subscribers of a
       * service. To learn of all subscriptions at an address, ask every session.
       */
      readonly subscriptions: readonly SubscriptionAtAddress[];
      /** The watches of the clients in `clients`. */
      readonly configWatches: readonly ConfigWatchAtAddress[];
      /**
       * False: registrations may be missing, because the time was over before all slots had been answered for, or
       * because a list is held since a restart.
       */
      readonly isWhole: boolean;
      /** There is more of one kind than the answer has. */
      readonly isCut: boolean;
    }
  /** FIELD_INVALID: no IP address. QUERIES_EXHAUSTED: too many wait. */
  | { readonly kind: "failed"; readonly error: RegistryError };

/** A question about an address, or the end of one. */
export type AddressEvent =
  /**
   * Answered when all slots have been answered for, and at `untilMs` with what there is: slots that are not complete,
   * or led by a data node of an earlier release, are not answered for.
   */
  | {
      readonly kind: "askedAddress";
      readonly asker: AddressAsker;
      /** IPv4 or IPv6, in any of its written forms (`readHost`). */
      readonly address: string;
      /** The most entries of each kind in the answer; never more than 5,000. */
      readonly entriesMax: number;
      readonly untilMs: number;
    }
  | { readonly kind: "gaveUpAddress"; readonly asker: AddressAsker };
