// What a gateway sees of the session role: the door through which every protocol's clients come in. A gateway turns its
// protocol into these events and these effects back into its protocol; it holds no registry logic of its own.

import type { Account } from "../base/budget.ts";
import type { RegistryError } from "../base/errors.ts";
import type { ClientId, DataInfoId } from "../model/ids.ts";
import type { Payload } from "../model/payload.ts";
import type { Publication } from "../model/publication.ts";
import type { Scope } from "../model/scope.ts";

/** A publication as a client sends it; the session adds owner and time. */
export interface PublishRequest {
  readonly dataInfoId: DataInfoId;
  readonly registId: string;
  readonly version: bigint;
  readonly zone: string;
  readonly appName: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly payload: Payload;
  /** Of the client's process, where it names one. */
  readonly processId?: string;
}

/** A registration that a client takes back, or a subscription or watch that it ends. */
export interface RegistrationKey {
  readonly dataInfoId: DataInfoId;
  readonly registId: string;
  readonly version: bigint;
  /** Of the client's process, where it names one. */
  readonly processId?: string;
}

export interface SubscribeRequest extends RegistrationKey {
  readonly scope: Scope;
  /** The zone that the subscriber counts as its own. */
  readonly zone: string;
  /**
   * How the gateway will encode pushes for this subscriber, in its own words. Subscribers of one client and service
   * with equal scope, zone and variant share a push.
   */
  readonly variant: string;
}

/** `request` is the gateway's own mark for the request; it comes back with the outcome. */
export type ClientEvent =
  | {
      readonly kind: "connected";
      readonly client: ClientId;
      readonly channel: ClientChannel;
      /** What the session keeps for the client is charged to it. */
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
  | { readonly kind: "pushAnswered"; readonly client: ClientId; readonly push: number; readonly isTaken: boolean }
  | { readonly kind: "drained"; readonly client: ClientId }
  | { readonly kind: "disconnected"; readonly client: ClientId };

/** What a gateway has made from a view and keeps for the next push of it. */
export interface KeptWithView {
  /** The view is not pushed any more. */
  drop(): void;
}

/** The list of one service at one version. The same object is shown for the same version. */
export interface ServiceView {
  /** A gateway may put here what it keeps. */
  kept?: KeptWithView | undefined;
  readonly dataInfoId: DataInfoId;
  readonly version: bigint;
  /** Valid during the call in which the view is handed over; it changes with the next version. */
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
  readonly dataInfoId: DataInfoId;
  readonly version: bigint;
  /** null: nobody has set it. */
  readonly data: string | null;
  readonly registIds: readonly string[];
}

export type Outcome =
  | { readonly kind: "accepted"; readonly registId: string; readonly version: bigint }
  | { readonly kind: "failed"; readonly registId: string; readonly version: bigint; readonly error: RegistryError };

/** The client has too much unread: nothing was sent, and `drained` will say when to try again. */
export type Blocked = "blocked";

/** One client's side of its gateway: where the effects for this client go. */
export interface ClientChannel {
  /** Bytes written so far; what was just pushed is the end of them. */
  readonly writtenBytes: number;
  /** How many of them have left this process. */
  readonly sentBytes: number;
  /** The host that the client connects from. */
  readonly address: string;
  /** It has answered a question on this connection. */
  readonly answersQuestions: boolean;
  /** Asks the client whether it is there: whatever comes from it afterwards says so. */
  ask(nowMs: number): void;
  /** Nothing has come from the client since. */
  isSilentSince(atMs: number): boolean;
  answer(request: number, outcome: Outcome): void;
  /**
   * Returns how many milliseconds of work it was, about: that of sending, and that of making the body if nobody had
   * been sent the same before. By this the session keeps a hot service from taking what belongs to the others.
   */
  push(push: Push): number | Blocked;
  pushConfig(push: ConfigPush): "sent" | Blocked;
  /** The client does not answer, so pushes are paused; or it does again. */
  report(pushes: "paused" | "resumed"): void;
}

/** The session role as gateways see it. */
export interface Registry {
  step(event: ClientEvent, nowMs: number): void;
}
