// The facts of a run that are visible from outside its roles: clients' actions and the lists they were shown, messages
// on the network, breakdowns. Checkers judge by these facts alone.

import type { AccessSet } from "../access/accessSet.ts";
import type { RegistryError } from "../base/errors.ts";
import type { ConfigValue, Heartbeat, Member, MetaToMember } from "../cluster/messages/membership.ts";
import type { FollowerToLeader, LeaderToFollower } from "../cluster/messages/replication.ts";
import type { DataToSession, SessionToData } from "../cluster/messages/sessionData.ts";
import type { StoredRules } from "../meta/ruleKeeper.ts";
import type { CatalogueEntry } from "../model/catalogue.ts";
import type { DynamicValues } from "../model/dynamicKeys.ts";
import type { NodeId, ServiceKey } from "../model/ids.ts";
import type { Lease, Registration } from "../model/publication.ts";
import type { RuleEdit } from "../model/rule.ts";
import type { Scope } from "../model/scope.ts";
import type { SlotTable } from "../model/slot.ts";
import type { Survey } from "../model/survey.ts";
import type { SurveyedSession } from "../registry/survey.ts";
import type { AccessFact } from "./accessFacts.ts";
import type { HttpFact } from "./httpFacts.ts";
import type { Way } from "./network/machineNetwork.ts";
import type { TreeFact } from "./treeFacts.ts";

/** One object of one client. `registId` may be shared by two clients, on purpose. */
interface OfRegistration {
  readonly client: string;
  readonly service: ServiceKey;
  readonly registId: string;
}

/** A client's connections are numbered upwards. */
interface OnConnection {
  readonly session: string;
  readonly connection: number;
}

/** Clients are named `c1`, nodes by their ids: `s1.4` is the fourth run in the world, one of the node s1. */
export type Fact =
  | ClientFact
  | LeaseFact
  | HttpFact
  | QueryFact
  | AppFact
  | AccessFact
  | MessageFact
  | MetaFact
  | TreeFact
  | WorldFact;

/** Clients' actions, and the lists that they were shown. */
export type ClientFact =
  /** A client began to publish, or publishes new content. `token` is the text that subscribers should see. */
  | ({
      readonly kind: "published";
      readonly version: bigint;
      readonly token: string;
      readonly zone: string;
      /** The revision that an instance of an application names. */
      readonly revision?: string;
    } & OfRegistration)
  | ({ readonly kind: "unpublished"; readonly version: bigint } & OfRegistration)
  | ({ readonly kind: "subscribed"; readonly scope: Scope; readonly zone: string } & OfRegistration)
  | ({ readonly kind: "unsubscribed" } & OfRegistration)
  /** The session has acknowledged a subscriber. */
  | ({ readonly kind: "accepted" } & OfRegistration & OnConnection)
  /** The session has acknowledged this version of a publisher. */
  | ({ readonly kind: "acknowledged"; readonly version: bigint } & OfRegistration & OnConnection)
  /** A list arrived at a subscriber; `isTaken`: it was newer than the last one. Entries are `zone/token`, sorted. */
  | ({ readonly kind: "pushed"; readonly version: bigint; readonly session: string } & {
      readonly scope: Scope;
      readonly zone: string;
      readonly isTaken: boolean;
      readonly entries: readonly string[];
    } & OfRegistration)
  /** A client watches a configuration value, or received one; `isTaken`: it was newer than the last one. */
  | ({ readonly kind: "watched" | "unwatched" } & OfRegistration)
  | ({
      readonly kind: "configured";
      readonly version: bigint;
      readonly data: string | null;
      readonly isTaken: boolean;
    } & OfRegistration &
      OnConnection)
  /**
   * A client has a connection. `isMute`: it answers neither pushes nor heartbeats. `acceptedMs`: the time at which the
   * session's machine accepted it, if that was earlier: a client that stands still learns of it when it goes on.
   */
  | ({
      readonly kind: "connected";
      readonly client: string;
      readonly isMute: boolean;
      readonly acceptedMs?: number;
      /** The address that it connects from. */
      readonly address?: string;
    } & OnConnection)
  /** That side of a connection has ended, or has learned of the end. */
  | ({ readonly kind: "lost"; readonly client: string; readonly side: "client" | "server" } & OnConnection)
  /** A serving session has ended a connection of its own accord. */
  | ({ readonly kind: "ended"; readonly client: string } & OnConnection)
  /** A client stands still or its connection carries nothing, or that is over. */
  | { readonly kind: "hushed"; readonly client: string; readonly isHushed: boolean }
  /** The client's messages take `lateMs` longer on its present connection, or take the usual time again. */
  | { readonly kind: "late"; readonly client: string; readonly lateMs: number }
  /** The narrow line to a client begins to carry bytes, or has brought all of them. */
  | ({ readonly kind: "line"; readonly client: string; readonly isSlow: boolean } & Pick<OnConnection, "connection">)
  /** A client's process is gone for ever, or as good as gone. */
  | { readonly kind: "died"; readonly client: string; readonly how: "killed" | "vanished" | "frozen" }
  /** A session wrote to a client; `bytes` now wait for the client to read. */
  | { readonly kind: "buffered"; readonly client: string; readonly bytes: number; readonly written: number };

/** Clients that keep their registrations by heartbeats; the name of one is the registId too. Requests are numbered. */
export type LeaseFact =
  /** A client begins, changes, falls silent, or goes on. `token` is the text that subscribers should see. */
  | {
      readonly kind: "leaseClient";
      readonly client: string;
      readonly service: ServiceKey;
      readonly lease: Lease;
      readonly token: string;
      readonly isAlive: boolean;
    }
  /** A request has come to a session. */
  | {
      readonly kind: "leaseAsked";
      readonly client: string;
      readonly request: number;
      readonly node: NodeId;
      readonly service: ServiceKey;
      readonly what: "register" | "renew" | "end";
      /** The token that it registers. */
      readonly token: string;
    }
  | {
      readonly kind: "leaseAnswered";
      readonly client: string;
      readonly request: number;
      readonly node: NodeId;
      readonly outcome: "heard" | "unheard" | "unknown" | "failed";
    }
  /** A leader has made a version in which the registration looks otherwise. */
  | {
      readonly kind: "leaseMade";
      readonly node: NodeId;
      readonly service: ServiceKey;
      readonly registId: string;
      readonly shown: "healthy" | "unhealthy" | "gone";
    }
  /** A client asks for a registration that stays (`token`), or for its end (undefined). */
  | {
      readonly kind: "keptAsked";
      readonly node: NodeId;
      readonly service: ServiceKey;
      readonly registId: string;
      readonly token: string | undefined;
    }
  | {
      readonly kind: "keptAnswered";
      readonly service: ServiceKey;
      readonly registId: string;
      readonly token: string | undefined;
      readonly outcome: "done" | "unknown" | "failed";
    }
  /** A session has begun a probe of this port. */
  | { readonly kind: "keptProbed"; readonly node: NodeId; readonly port: number }
  /** The registrations of a service as the store has them when all is well: tokens, as in `leaseListed`. */
  | { readonly kind: "keptStored"; readonly service: ServiceKey; readonly list: readonly string[] }
  | {
      readonly kind: "keptListed";
      readonly node: NodeId;
      readonly service: ServiceKey;
      readonly list: readonly string[] | undefined;
    }
  /**
   * A session's list when all is well: tokens, with a question mark if they are not healthy. Undefined: it has none.
   */
  | {
      readonly kind: "leaseListed";
      readonly node: NodeId;
      readonly service: ServiceKey;
      readonly list: readonly string[] | undefined;
    };

/** Messages between nodes. */
export type MessageFact =
  /** `isLost`: the connection is gone, and the session does not know it yet. */
  | {
      readonly kind: "asked";
      readonly from: NodeId;
      readonly to: NodeId;
      readonly message: SessionToData;
      readonly isLost: boolean;
    }
  | { readonly kind: "told"; readonly from: NodeId; readonly to: NodeId; readonly message: DataToSession }
  /** A list of this version, or a change to it, has arrived at a session. */
  | { readonly kind: "listed"; readonly node: NodeId; readonly service: ServiceKey; readonly version: bigint }
  | { readonly kind: "followed"; readonly from: NodeId; readonly to: NodeId; readonly message: FollowerToLeader }
  | { readonly kind: "replicated"; readonly from: NodeId; readonly to: NodeId; readonly message: LeaderToFollower }
  /** Recorded once for all meta nodes. */
  | { readonly kind: "heartbeat"; readonly from: NodeId; readonly message: Heartbeat }
  /** A member received a message of a meta node. */
  | { readonly kind: "ruled"; readonly from: NodeId; readonly to: Member; readonly message: MetaToMember }
  | {
      readonly kind: "learned";
      readonly node: NodeId;
      readonly role: Member["role"];
      readonly message: MetaToMember;
    }
  /** A heartbeat has arrived at a meta node. */
  | { readonly kind: "reported"; readonly to: NodeId; readonly from: Member; readonly message: Heartbeat }
  /**
   * A data node has noticed the beginning or the end of its link to a leader that it follows, or of a session's link to
   * it.
   */
  | { readonly kind: "followerLink"; readonly follower: NodeId; readonly leader: NodeId; readonly isUp: boolean }
  | { readonly kind: "sessionLink"; readonly data: NodeId; readonly session: NodeId; readonly isUp: boolean }
  /** A session has noticed the beginning or the end of a link. */
  | { readonly kind: "linkLost"; readonly session: NodeId; readonly data: NodeId }
  | { readonly kind: "linkMade"; readonly session: NodeId; readonly data: NodeId };

/** Events at the store. */
export type MetaFact =
  /** The store gave the lead to a meta node. */
  | { readonly kind: "leads"; readonly node: NodeId; readonly leaseEpoch: bigint }
  /** The store carried out a write that was requested at `askedMs`. `before` is the table that was replaced. */
  | {
      readonly kind: "saved";
      readonly by: NodeId;
      readonly what: string;
      readonly askedMs: number;
      readonly leaseEpoch: bigint;
      readonly table: SlotTable | undefined;
      readonly before: SlotTable | undefined;
    }
  /** An operator has paused the arrangement of slots, or ended the pause, and has the answer that it is done. */
  | { readonly kind: "slotsPaused"; readonly isPaused: boolean }
  /** A leading meta node has been told to give the lead to another one. */
  | { readonly kind: "steppedDown"; readonly node: NodeId }
  /** An operator asks for slots to be arranged, in a pause, too. */
  | { readonly kind: "arrangeAsked" }
  /** An operator has asked the leading meta node to set a configuration value, and has its answer. */
  | { readonly kind: "configAsked"; readonly service: ServiceKey; readonly data: string | null }
  | { readonly kind: "configSet"; readonly service: ServiceKey; readonly data: string | null }
  /** An operator has asked the leading meta node to change the rules; the store has them; the operator is answered. */
  | { readonly kind: "rulesAsked"; readonly edit: RuleEdit }
  | { readonly kind: "rulesSaved"; readonly rules: StoredRules }
  | { readonly kind: "rulesSet" }
  /** A node has heard of rules, and has these values in the place of its own. */
  | {
      readonly kind: "settings";
      readonly node: NodeId;
      readonly role: "data" | "session";
      readonly settings: Partial<DynamicValues>;
    }
  /** A meta node that was told to stop is about to end; `keepsLead`: the store, which is well, still has its lease. */
  | { readonly kind: "resigned"; readonly node: NodeId; readonly keepsLead: boolean }
  /** The store has answered a meta node as of `revision`; the node had been answered as of `before` when it asked. */
  | { readonly kind: "readRecords"; readonly node: NodeId; readonly revision: bigint; readonly before: bigint }
  /** The store has lost its last commits. */
  | {
      readonly kind: "failedOver";
      readonly table: SlotTable | undefined;
      readonly rules?: StoredRules;
      readonly access?: AccessSet;
    };

/** Questions about lists. Questions are numbered. */
export type QueryFact =
  /** A session was asked for a list above `since`, to answer within `waitMs`. */
  | {
      readonly kind: "queried";
      readonly question: number;
      readonly node: NodeId;
      readonly machine: string;
      readonly service: ServiceKey;
      readonly since: bigint;
      readonly waitMs: number;
    }
  /** Its answer: the list, as `zone/token` lines; or, without a version, the error. */
  | {
      readonly kind: "queryAnswered";
      readonly question: number;
      readonly node: NodeId;
      readonly service: ServiceKey;
      readonly version?: bigint;
      readonly isNewer: boolean;
      readonly list: string;
    }
  | { readonly kind: "queryGivenUp"; readonly question: number }
  /** A session was asked for its catalogue, to answer within `waitMs`; `isStanding`: and to tell the changes. */
  | {
      readonly kind: "catalogueAsked";
      readonly question: number;
      readonly node: NodeId;
      readonly machine: string;
      readonly waitMs: number;
      readonly isStanding: boolean;
      /** All is well: the answer must be whole. */
      readonly isLast: boolean;
    }
  | {
      readonly kind: "catalogueAnswered";
      readonly question: number;
      readonly node: NodeId;
      readonly entries: readonly CatalogueEntry[];
      readonly isWhole: boolean;
      readonly error?: RegistryError;
    }
  | {
      readonly kind: "catalogueTold";
      readonly question: number;
      readonly node: NodeId;
      readonly entries: readonly CatalogueEntry[];
    }
  | { readonly kind: "catalogueGivenUp"; readonly question: number }
  /** A session was asked what is at the address of a client, to answer within `waitMs`. */
  | {
      readonly kind: "addressAsked";
      readonly question: number;
      readonly node: NodeId;
      readonly machine: string;
      readonly client: string;
      readonly host: string;
      /** False: it was asked about a text that is no address. */
      readonly isAddress: boolean;
      /** The most entries of each kind that are wanted. */
      readonly entriesMax: number;
      readonly waitMs: number;
      /** All is well: the answer must be whole. */
      readonly isLast: boolean;
    }
  | ({ readonly kind: "addressAnswered"; readonly question: number; readonly node: NodeId } & AddressAnswered)
  | { readonly kind: "addressGivenUp"; readonly question: number }
  /** A session was asked for a survey, to answer within `waitMs`. */
  | {
      readonly kind: "surveyAsked";
      readonly question: number;
      readonly node: NodeId;
      readonly machine: string;
      readonly survey: Survey;
      readonly reach: "cluster" | "session";
      /** The client whose host is asked for; empty for all. */
      readonly client: string;
      readonly waitMs: number;
      /** All is well: the answer must be whole. */
      readonly isLast: boolean;
      /** The host of each client. */
      readonly hosts: ReadonlyMap<string, string>;
    }
  | ({ readonly kind: "surveyAnswered"; readonly question: number; readonly node: NodeId } & SurveyAnswered)
  | { readonly kind: "surveyGivenUp"; readonly question: number };

/** The answer to a survey. */
export interface SurveyAnswered {
  readonly sessions: readonly SurveyedSession[];
  readonly unanswered: readonly NodeId[];
  readonly isWhole: boolean;
  readonly isCut: boolean;
  readonly error?: RegistryError;
}

/** Application-level discovery. Questions are numbered. */
export type AppFact =
  /** A session was given a revision to register. */
  | { readonly kind: "revisionSent"; readonly node: NodeId; readonly revision: string }
  /** It has answered that it is registered, with the services that it offers. */
  | {
      readonly kind: "revisionRegistered";
      readonly node: NodeId;
      readonly revision: string;
      readonly application: string;
      readonly services: readonly string[];
    }
  /** A session was asked what a revision says: after it had shown an instance, or at the end, when all is well. */
  | {
      readonly kind: "revisionAsked";
      readonly question: number;
      readonly node: NodeId;
      readonly revision: string;
      readonly isShown: boolean;
    }
  | {
      readonly kind: "revisionTold";
      readonly question: number;
      readonly node: NodeId;
      readonly revision: string;
      /** The content; undefined if it was not found. */
      readonly content: string | undefined;
      readonly isShown: boolean;
      readonly error?: RegistryError;
    }
  /** A session was asked which applications offer a service; `isLast`: when all is well. */
  | {
      readonly kind: "serviceAppsTold";
      readonly node: NodeId;
      readonly name: string;
      readonly applications: readonly string[];
      readonly isLast: boolean;
      readonly error?: RegistryError;
    };

/** The answer to a question about an address. */
export interface AddressAnswered {
  readonly registrations: readonly Registration[];
  readonly subscriptions: readonly { readonly serviceKey: ServiceKey; readonly registId: string }[];
  /** The numbers of clients and of watches. */
  readonly clients: number;
  readonly configWatches: number;
  readonly isWhole: boolean;
  readonly isCut: boolean;
  readonly error?: RegistryError;
}

/** Events of the nodes and of the world. */
export type WorldFact =
  | { readonly kind: "started"; readonly node: NodeId; readonly role: Role; readonly machine: string }
  | { readonly kind: "stopped"; readonly node: NodeId; readonly role: Role }
  /** A node was told that the cluster refuses it. */
  | { readonly kind: "refused"; readonly node: NodeId; readonly role: Role; readonly reason: string }
  /**
   * A session is cut off from a meta node, or stands still, and may therefore not be a member for that time; or that is
   * over.
   */
  | { readonly kind: "outside"; readonly machine: string; readonly isOutside: boolean }
  /** These ways between machines, the store among them, are blocked, or open again. */
  | { readonly kind: "cut"; readonly id: number; readonly ways: readonly Way[]; readonly isCut: boolean }
  /** A process stands still, or goes on, or ends where it stood. */
  | { readonly kind: "paused"; readonly machine: string; readonly isPaused: boolean }
  /** All messages between machines take longer, or take the usual time again. */
  | { readonly kind: "slowed"; readonly isSlowed: boolean }
  /** Something has reached a role of a process that does not know the cluster's secret. */
  | { readonly kind: "strangerHeard"; readonly machine: string; readonly what: string }
  /** A fault, in words. */
  | { readonly kind: "fault"; readonly what: string }
  /** A role or a connection met a bug of its own. */
  | { readonly kind: "bug"; readonly where: string; readonly what: string }
  /** The world is whole again. */
  | { readonly kind: "healed" }
  /** A data node that was to stop in order, while all was well, has stopped; it still led `slotsKept` slots. */
  | { readonly kind: "left"; readonly node: NodeId; readonly slotsKept: number }
  /** From here on followers are made to compare themselves with their leaders. */
  | { readonly kind: "compared" }
  /**
   * A node still waits for `what`, or keeps it, though all has been well for long; or it could not wait for it at any
   * time.
   */
  | { readonly kind: "unfinished"; readonly node: NodeId; readonly what: string }
  /** The last look is due. */
  | {
      readonly kind: "over";
      readonly live: readonly LiveClient[];
      /** The configuration values in the store. */
      readonly configs?: ReadonlyMap<ServiceKey, ConfigValue>;
    };

export type Role = "meta" | "data" | "session";

/** A client that lives at the end, by its own knowledge. */
export interface LiveClient {
  readonly client: string;
  readonly isConnected: boolean;
  /** The number of its registrations that are not acknowledged. */
  readonly undone: number;
  /** Those of them that its session reports as held by another client. */
  readonly heldByOthers?: readonly { readonly service: ServiceKey; readonly registId: string }[];
}
