// One client's connection as the session sees it, and what hangs on it.

import type { Account } from "../base/budget.ts";
import type { RegistryError } from "../base/errors.ts";
import type { ClientId, DataInfoId } from "../model/ids.ts";
import type { Publication, Stamp } from "../model/publication.ts";
import type { Scope } from "../model/scope.ts";
import type { ClientChannel } from "../registry/registry.ts";
import type { SentPush } from "./answerDueMs.ts";
import type { Breaker } from "./breaker.ts";

/**
 * A publication and the client that answers for it; the client changes when another connection takes the publication
 * over.
 */
export interface HeldPublication {
  publication: Publication;
  client: Client;
  /** What the client's account was charged for it. */
  bytes: number;
  /**
   * `new`: its client's last word, which no data node has confirmed. `restamped`: as new, with a later time once given.
   * `taken`: a data node has it, or had it. `outrun`: the same version with a later time has won. `superseded`: a newer
   * version has, and it is not spoken of any more. `unlisted`: its service's list has no room for it, and it waits.
   * `contested`: another client holds it at another session, and it waits.
   */
  state: "new" | "restamped" | "taken" | "outrun" | "superseded" | "unlisted" | "contested";
  /** Of a new one: what a data node has in its place, which the client has said before. */
  former: Publication | undefined;
  /** Of an unlisted one: what is listed in its place, which the client has said before. */
  listed: Stamp | undefined;
  /** Of a contested one: who has it. */
  holder: ClientId | undefined;
}

/** One subscriber object of a client. */
export interface Subscriber {
  readonly registId: string;
  /** The client's own count of this registration. */
  version: bigint;
  target: PushTarget;
  /** What the client's account was charged for it. */
  bytes: number;
  /** The highest list version that the client said it took. */
  seenVersion: bigint;
}

/**
 * Subscribers of one client and service that fit one push. At most one push is under way to a target: what changes
 * meanwhile merges.
 */
export interface PushTarget {
  /** Among the targets of its service. */
  readonly key: string;
  readonly client: Client;
  readonly dataInfoId: DataInfoId;
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
  readonly dataInfoId: DataInfoId;
  readonly registId: string;
  version: bigint;
  /** What the client's account was charged for it. */
  readonly bytes: number;
  /** The highest version that the client said it took. */
  seenVersion: bigint;
  /** The last push, and the one before it if that was not answered: a late answer counts for what it was sent for. */
  sent: ConfigUnderWay | undefined;
  sentBefore: ConfigUnderWay | undefined;
  /** Pushes in a row that were refused or not answered, and when the next one may follow. */
  failures: number;
  againMs: number;
}

export interface ConfigUnderWay extends SentPush {
  readonly id: number;
  readonly watch: ConfigWatch;
  readonly version: bigint;
}

/** The key of one registration object among those of a client. */
export function registrationKey({ dataInfoId, registId }: { dataInfoId: DataInfoId; registId: string }): string {
  return `${registId}\n${dataInfoId}`;
}

// A client that takes longer than this for an answer gets some lists twice.
const ANSWER_MS_MAX = 60_000;
// A client that has become fast again has its usual time after some twenty answers.
const ANSWER_FADES = 0.9;
// Answers to older ones come too late to count: a few hundred bytes each.
const LATE_PUSHES_MAX = 256;

export class Client {
  readonly id: ClientId;
  readonly channel: ClientChannel;
  readonly account: Account;
  /** Later connections have higher numbers. */
  readonly order: number;
  readonly publications = new Set<HeldPublication>();
  /** By registration key. */
  readonly subscribers = new Map<string, Subscriber>();
  /** By registration key. */
  readonly configWatches = new Map<string, ConfigWatch>();
  /** Pushes whose answers are waited for, by push id. */
  readonly pushesUnderWay = new Map<number, PushUnderWay>();
  /** Pushes whose answers are not waited for any more and count all the same when they come. */
  latePushes: Map<number, PushUnderWay> | undefined;
  /** There since a push was not answered in its time. */
  breaker: Breaker | undefined;
  /** Targets whose push waits, in order: the client does not read or answer, or as much as may be is under way. */
  readonly blockedTargets = new Set<PushTarget>();
  /** Up to this byte of what its channel has written the client has answered something. */
  confirmedBytes = 0;
  /** Late answers have taught that this client needs so long, twice what it took; 0 if none ever came. */
  answerMs = 0;
  /** A client that never answered a push (MOSN's of 2018 does not) is not waited for. */
  answersPushes = false;
  /** When the connection was lost; undefined while it stands. */
  departedMs: number | undefined;
  /** The lost connections of the same client, as far as that has shown, of which something is left. */
  formerly: Set<Client> | undefined;
  /** How often it got its grace anew because this process had been away. */
  forgiven = 0;
  /** Of its process, where it names one. */
  processId = "";
  /** When it was last asked whether it is there, because another one wants what it holds. */
  askedMs = Number.NEGATIVE_INFINITY;

  constructor(id: ClientId, { channel, account }: { channel: ClientChannel; account: Account }, order: number) {
    this.id = id;
    this.channel = channel;
    this.account = account;
    this.order = order;
  }

  get registrations(): number {
    return this.publications.size + this.subscribers.size + this.configWatches.size;
  }

  /** Answers a request with an error. */
  refuse(request: number, of: { readonly registId: string; readonly version: bigint }, error: RegistryError): void {
    const { registId, version } = of;
    this.channel.answer(request, { kind: "failed", registId, version, error });
  }

  /** The client has answered what ended at this byte, so it has read up to there. */
  confirm(endByte: number): void {
    if (endByte > this.confirmedBytes) this.confirmedBytes = endByte;
  }

  /**
   * An answer came after its time, or in the longer time that such answers have taught; so long after its push left.
   */
  learn(answerMs: number): void {
    this.answerMs = Math.min(Math.max(2 * answerMs, this.answerMs * ANSWER_FADES), ANSWER_MS_MAX);
  }

  /** Keeps a push that is not waited for any more. */
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
