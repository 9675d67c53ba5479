// One client's connection as the session sees it, with everything that belongs to it.

import type { Principal } from "../access/principal.ts";
import type { Account } from "../base/budget.ts";
import type { RegistryError } from "../base/errors.ts";
import type { ClientId, ServiceKey } from "../model/ids.ts";
import type { Publication } from "../model/publication.ts";
import type { Scope } from "../model/scope.ts";
import type { ClientChannel } from "../registry/registry.ts";
import type { SentPush } from "./answerDueMs.ts";
import type { Breaker } from "./breaker.ts";
import type { PublicationState } from "./publicationState.ts";

/**
 * A publication and the client that answers for it; the client changes when another connection takes the publication
 * over.
 */
export interface HeldPublication {
  publication: Publication;
  client: Client;
  /** The charge to the client's account. */
  bytes: number;
  state: PublicationState;
  /** A contested one of another client, which waits until this one is gone; meanwhile it is not reported. */
  behind: HeldPublication | undefined;
}

/** One subscriber object of a client. */
export interface Subscriber {
  readonly registId: string;
  /** The client's own count of this registration. */
  version: bigint;
  target: PushTarget;
  readonly appName: string;
  /** The time at which this session took it. */
  readonly registeredMs: number;
  /** The charge to the client's account. */
  bytes: number;
  /** The highest list version that the client has confirmed. */
  seenVersion: bigint;
  /** The version and the time of the last push; NO_VERSION and 0 if there was none. */
  pushedVersion: bigint;
  pushedMs: number;
}

/**
 * Subscribers of one client and service that share one push. At most one push is under way to a target: changes in the
 * meantime merge.
 */
export interface PushTarget {
  /** Its key among the targets of its service. */
  readonly key: string;
  readonly client: Client;
  readonly serviceKey: ServiceKey;
  readonly scope: Scope;
  readonly zone: string;
  readonly variant: string;
  readonly subscribers: Map<string, Subscriber>;
  underWay: PushUnderWay | undefined;
  /** Unanswered attempts in a row. */
  failures: number;
}

export interface PushUnderWay extends SentPush {
  readonly id: number;
  readonly target: PushTarget;
  readonly version: bigint;
  readonly subscribers: readonly Subscriber[];
  readonly sentMs: number;
}

/** One configurator object of a client. */
export interface ConfigWatch {
  readonly client: Client;
  readonly serviceKey: ServiceKey;
  readonly registId: string;
  version: bigint;
  /** The charge to the client's account. */
  readonly bytes: number;
  /** The highest version that the client has confirmed. */
  seenVersion: bigint;
  /** The last push, and the one before it if that was not answered: a late answer counts for its own push. */
  sent: ConfigUnderWay | undefined;
  sentBefore: ConfigUnderWay | undefined;
  /** Pushes in a row that were refused or not answered, and the time from which the next one may follow. */
  failures: number;
  againMs: number;
}

export interface ConfigUnderWay extends SentPush {
  readonly id: number;
  readonly watch: ConfigWatch;
  readonly version: bigint;
}

/** The key of one registration object among those of a client. */
export function registrationKey({ serviceKey, registId }: { serviceKey: ServiceKey; registId: string }): string {
  return `${registId}\n${serviceKey}`;
}

// A client that takes longer than this for an answer gets some lists twice.
const ANSWER_MS_MAX = 60_000;
// A client that has become fast again has its usual time after some twenty answers.
const ANSWER_FADES = 0.9;
// Answers to older pushes come too late to count: each costs a few hundred bytes.
const LATE_PUSHES_MAX = 256;

export class Client {
  readonly id: ClientId;
  readonly channel: ClientChannel;
  readonly account: Account;
  readonly principal: Principal;
  readonly connectedMs: number;
  /** Later connections have higher numbers. */
  readonly order: number;
  readonly publications = new Set<HeldPublication>();
  /** By registration key. */
  readonly subscribers = new Map<string, Subscriber>();
  /** By registration key. */
  readonly configWatches = new Map<string, ConfigWatch>();
  /** Pushes that wait for answers, by push id. */
  readonly pushesUnderWay = new Map<number, PushUnderWay>();
  /** Pushes that no longer wait for answers; an answer still counts when it comes. */
  latePushes: Map<number, PushUnderWay> | undefined;
  /** Exists since a push was not answered in time. */
  breaker: Breaker | undefined;
  /** Targets whose push waits, in order: the client does not read or answer, or the most pushes are under way. */
  readonly blockedTargets = new Set<PushTarget>();
  /** The client has answered something up to this byte of its channel's output. */
  confirmedBytes = 0;
  /** Twice the time that the client's late answers took; 0 if none ever came. */
  answerMs = 0;
  /** The pusher does not wait for a client that never answered a push (MOSN's of 2018 does not). */
  answersPushes = false;
  /** The time at which the connection was lost; undefined while it stands. */
  departedMs: number | undefined;
  /** Earlier, lost connections of the same client, as far as known, that still hold something. */
  formerly: Set<Client> | undefined;
  /** The number of times that it got its grace anew because this process had been away. */
  forgiven = 0;
  /** The id of its process, if the client sends one. */
  processId = "";
  /** The time of the last question whether it is there, asked because another client wants what it holds. */
  askedMs = Number.NEGATIVE_INFINITY;

  constructor(
    id: ClientId,
    { channel, account, principal }: { channel: ClientChannel; account: Account; principal: Principal },
    { order, connectedMs }: { order: number; connectedMs: number },
  ) {
    this.id = id;
    this.channel = channel;
    this.account = account;
    this.principal = principal;
    this.order = order;
    this.connectedMs = connectedMs;
  }

  get registrations(): number {
    return this.publications.size + this.subscribers.size + this.configWatches.size;
  }

  /** Answers a request with an error. */
  refuse(request: number, of: { readonly registId: string; readonly version: bigint }, error: RegistryError): void {
    const { registId, version } = of;
    this.channel.answer(request, { kind: "failed", registId, version, error });
  }

  /** The client has answered a push that ended at this byte, so it has read up to there. */
  confirm(endByte: number): void {
    if (endByte > this.confirmedBytes) this.confirmedBytes = endByte;
  }

  /**
   * An answer came after its time, or within the longer time that such answers have taught; `answerMs` is the time
   * since its push left.
   */
  learn(answerMs: number): void {
    this.answerMs = Math.min(Math.max(2 * answerMs, this.answerMs * ANSWER_FADES), ANSWER_MS_MAX);
  }

  /** Keeps a push that no longer waits for its answer. */
  giveUp(push: PushUnderWay): void {
    this.latePushes ??= new Map();
    this.latePushes.set(push.id, push);
    if (this.latePushes.size <= LATE_PUSHES_MAX) return;
    for (const oldest of this.latePushes.keys()) {
      this.latePushes.delete(oldest);
      return;
    }
  }
}
