// One client's connection as the session sees it, and what hangs on it.

import type { ClientId, DataInfoId } from "../model/ids.ts";
import type { Publication } from "../model/publication.ts";
import type { Scope } from "../model/scope.ts";
import type { ClientChannel } from "./registry.ts";

/**
 * A publication and the client that answers for it; the client changes when another connection takes the publication
 * over.
 */
export interface HeldPublication {
  publication: Publication;
  client: Client;
  /**
   * `new`: its client's last word, which no data node has confirmed. `restamped`: as new, with a later time once given.
   * `taken`: a data node has it, or had it. `outrun`: the same version with a later time has won. `superseded`: a newer
   * version has, and it is not spoken of any more.
   */
  state: "new" | "restamped" | "taken" | "outrun" | "superseded";
}

/** One subscriber object of a client. */
export interface Subscriber {
  readonly registId: string;
  /** The client's own count of this registration. */
  version: bigint;
  target: PushTarget;
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

export interface PushUnderWay {
  readonly id: number;
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
  /** The highest version that the client said it took, and that it was sent. */
  seenVersion: bigint;
  sentVersion: bigint;
  /** The push that brought `sentVersion`. */
  push: number | undefined;
}

/** The key of one registration object among those of a client. */
export function registrationKey({ dataInfoId, registId }: { dataInfoId: DataInfoId; registId: string }): string {
  return `${registId}\n${dataInfoId}`;
}

export class Client {
  readonly id: ClientId;
  readonly channel: ClientChannel;
  /** Later connections have higher numbers. */
  readonly order: number;
  readonly publications = new Set<HeldPublication>();
  /** By registration key. */
  readonly subscribers = new Map<string, Subscriber>();
  /** By registration key. */
  readonly configWatches = new Map<string, ConfigWatch>();
  /** Pushes that the client has not answered, by push id. */
  readonly pushesUnderWay = new Map<number, PushTarget>();
  /** Targets whose push the channel refused because the client does not read. */
  readonly blockedTargets = new Set<PushTarget>();
  /** A client that never answered a push (MOSN's of 2018 does not) is not waited for. */
  answersPushes = false;
  /** When the connection was lost; undefined while it stands. */
  departedMs: number | undefined;

  constructor(id: ClientId, channel: ClientChannel, order: number) {
    this.id = id;
    this.channel = channel;
    this.order = order;
  }

  get registrations(): number {
    return this.publications.size + this.subscribers.size + this.configWatches.size;
  }
}
