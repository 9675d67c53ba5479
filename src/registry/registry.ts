// The session role as a gateway sees it: the entry for every protocol's clients. A gateway turns its protocol into
// these events and these effects back into its protocol; it holds no registry logic of its own.

import type { Principal } from "../access/principal.ts";
import type { Account } from "../base/budget.ts";
import type { RegistryError } from "../base/errors.ts";
import type { CatalogueScope, ClientId, ServiceKey } from "../model/ids.ts";
import type { NamePattern } from "../model/namePattern.ts";
import type { Payload } from "../model/payload.ts";
import type { Publication } from "../model/publication.ts";
import type { Scope } from "../model/scope.ts";
import type { AddressEvent } from "./address.ts";
import type { AppEvent } from "./apps.ts";
import type { CatalogueEvent } from "./catalogue.ts";
import type { LeaseEvent } from "./lease.ts";
import type { SurveyEvent } from "./survey.ts";

/** A publication as sent by a client; the session adds owner and time. */
export interface PublishRequest {
  readonly serviceKey: ServiceKey;
  readonly registId: string;
  readonly version: bigint;
  readonly zone: string;
  readonly appName: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly payload: Payload;
  /** The id of the client's process, if the client sends one. */
  readonly processId?: string;
}

/** A registration that a client takes back, or a subscription or watch that it ends. */
export interface RegistrationKey {
  readonly serviceKey: ServiceKey;
  readonly registId: string;
  readonly version: bigint;
  /** The id of the client's process, if the client sends one. */
  readonly processId?: string;
}

export interface SubscribeRequest extends RegistrationKey {
  /** The client's application, if it names one. */
  readonly appName?: string;
  readonly scope: Scope;
  /** The subscriber's own zone. */
  readonly zone: string;
  /**
   * The gateway's encoding of pushes for this subscriber, in its own words. Subscribers of one client and service with
   * equal scope, zone and variant share a push.
   */
  readonly variant: string;
}

/** `request` is the gateway's own mark for the request; it returns with the outcome. */
export type ClientEvent =
  /**
   * The client's registrations end with its connection: after `disconnected` they wait for its return, on another
   * connection and here or at another session, for the grace, and then go. Other ends come with the first protocol that
   * has them: the time-out of a client's own session, which may continue at any session node and is therefore a record;
   * heartbeats that stop, which the data leader judges, since they may arrive at any session node; and no end at all.
   */
  | {
      readonly kind: "connected";
      readonly client: ClientId;
      readonly channel: ClientChannel;
      readonly principal: Principal;
      /** The session charges everything that it keeps for the client to this account. */
      readonly account: Account;
    }
  | {
      readonly kind: "published";
      readonly client: ClientId;
      readonly request: number;
      readonly publication: PublishRequest;
    }
  | { readonly kind: "unpublished"; readonly client: ClientId; readonly request: number; readonly key: RegistrationKey }
  | {
      readonly kind: "subscribed";
      readonly client: ClientId;
      readonly request: number;
      readonly subscription: SubscribeRequest;
    }
  | {
      readonly kind: "unsubscribed";
      readonly client: ClientId;
      readonly request: number;
      readonly key: RegistrationKey;
    }
  | {
      readonly kind: "watchedConfig";
      readonly client: ClientId;
      readonly request: number;
      readonly key: RegistrationKey;
    }
  | {
      readonly kind: "unwatchedConfig";
      readonly client: ClientId;
      readonly request: number;
      readonly key: RegistrationKey;
    }
  /**
   * An operator ends the client's publications, or all of its registrations, as if the client had done so. It stays
   * connected, and may register again.
   */
  | { readonly kind: "cleared"; readonly client: ClientId; readonly of: "publications" | "everything" }
  | { readonly kind: "pushAnswered"; readonly client: ClientId; readonly push: number; readonly isTaken: boolean }
  | { readonly kind: "drained"; readonly client: ClientId }
  | { readonly kind: "disconnected"; readonly client: ClientId };

/** Data that a gateway has made from a view and keeps for the next push of it. */
export interface KeptWithView {
  /** The view will not be pushed any more. */
  drop(): void;
}

/** The list of one service at one version. The same version always has the same object. */
export interface ServiceView {
  /** A slot for the gateway's own data. */
  kept?: KeptWithView | undefined;
  readonly serviceKey: ServiceKey;
  readonly version: bigint;
  /** Valid during the call that passes the view; it changes with the next version. */
  readonly publications: ReadonlyMap<string, Publication>;
}

/** One push to one client; `id` is unique among the pushes that this client has not answered. */
export interface Push {
  readonly id: number;
  readonly view: ServiceView;
  readonly scope: Scope;
  readonly zone: string;
  readonly variant: string;
  readonly registIds: readonly string[];
}

export interface ConfigPush {
  readonly id: number;
  readonly serviceKey: ServiceKey;
  readonly version: bigint;
  /** null: the value was never set. */
  readonly data: string | null;
  readonly registIds: readonly string[];
}

export type Outcome =
  | { readonly kind: "accepted"; readonly registId: string; readonly version: bigint }
  | { readonly kind: "failed"; readonly registId: string; readonly version: bigint; readonly error: RegistryError };

/** The client has too much unread output: nothing was sent, and `drained` will tell when to try again. */
export type Blocked = "blocked";

/** One client's side of its gateway: the target of the effects for this client. */
export interface ClientChannel {
  /** Bytes written so far; the last push ends there. */
  readonly writtenBytes: number;
  /** The bytes of them that have left this process. */
  readonly sentBytes: number;
  /** The host that the client connects from. */
  readonly address: string;
  /** The client has answered a question on this connection. */
  readonly answersQuestions: boolean;
  /** Asks the client whether it is there: any later input from it is an answer. */
  ask(nowMs: number): void;
  /** The client has sent nothing since `atMs`. */
  isSilentSince(atMs: number): boolean;
  answer(request: number, outcome: Outcome): void;
  /**
   * Returns the approximate milliseconds of work: for sending, and for making the body if it was not made for an
   * earlier send. With this the session keeps a hot service from taking the time of the others.
   */
  push(push: Push): number | Blocked;
  pushConfig(push: ConfigPush): "sent" | Blocked;
  /** Pushes are paused because the client does not answer, or are resumed because it answers again. */
  report(pushes: "paused" | "resumed"): void;
}

// Questions about a service, for protocols that poll or wait and for operators. A question is no subscription: it
// belongs to no client, is answered once, and keeps the list here for a while, so that one who polls does not fetch it
// each time.

/** The side of a question to which its answer goes. */
export interface Asker {
  /** Called once, perhaps before `step` returns; never after `gaveUp`. */
  answer(answer: QueryAnswer): void;
}

export type QueryAnswer =
  /** The newest whole list, valid as its view says. `isNewer`: its version is above the one that was named. */
  | { readonly kind: "list"; readonly view: ServiceView; readonly isNewer: boolean }
  /** LIST_UNAVAILABLE: no list has come until the time was over. QUERIES_EXHAUSTED: too many wait. */
  | { readonly kind: "failed"; readonly error: RegistryError };

export type QueryEvent =
  /**
   * Answered as soon as the list is above version `since`, at `untilMs` with what there is. To ask for the newest list
   * at once, `since` is NO_VERSION: `untilMs` is then the time that a list may take to come.
   */
  | {
      readonly kind: "asked";
      readonly asker: Asker;
      readonly serviceKey: ServiceKey;
      readonly since: bigint;
      readonly untilMs: number;
    }
  /** The asker does not want the answer any more. */
  | { readonly kind: "gaveUp"; readonly asker: Asker };

// The lists of all services of a scope, for protocols whose clients ask for everything at once: the session follows the
// catalogue, and holds the list of each service that it names. As a question, a follower belongs to no client.

/** The side of a follower. Nothing comes after `unfollowedGroup`, or after `failed`. */
export interface GroupFollower {
  /** A service of the group has this list now; the first one, and each newer one. Its list may be empty. */
  listed(view: ServiceView): void;
  /** The catalogue does not name the service any more. */
  gone(serviceKey: ServiceKey): void;
  /** Called once: with the lists so far the follower has every service that the catalogue named, if `isWhole`. */
  begun(isWhole: boolean): void;
  /** CATALOGUE_TOO_LARGE: the session can't hold so many lists. QUERIES_EXHAUSTED: too many follow. */
  failed(error: RegistryError): void;
}

/** A follower comes or goes. */
export type GroupEvent =
  /** `begun` is called when all lists are here, and at `untilMs` with those that are. */
  | {
      readonly kind: "followedGroup";
      readonly asker: GroupFollower;
      readonly scope: CatalogueScope;
      readonly pattern: NamePattern;
      readonly untilMs: number;
    }
  | { readonly kind: "unfollowedGroup"; readonly asker: GroupFollower };

/** The session role as gateways see it. */
export interface Registry {
  step(
    event: ClientEvent | QueryEvent | CatalogueEvent | GroupEvent | AddressEvent | AppEvent | SurveyEvent | LeaseEvent,
    nowMs: number,
  ): void;
}
