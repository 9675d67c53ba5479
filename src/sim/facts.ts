// What can be seen of a run from outside its roles: what clients did and were shown, what crossed the network, what
// broke. Checkers judge by these facts alone.

import type { ConfigValue, Heartbeat, Member, MetaToMember } from "../cluster/messages/membership.ts";
import type { FollowerToLeader, LeaderToFollower } from "../cluster/messages/replication.ts";
import type { DataToSession, SessionToData } from "../cluster/messages/sessionData.ts";
import type { DataInfoId, NodeId } from "../model/ids.ts";
import type { Scope } from "../model/scope.ts";
import type { SlotTable } from "../model/slot.ts";
import type { Way } from "./network/nodeNetwork.ts";

/** One object of one client. `registId` may be shared by two clients, on purpose. */
interface OfRegistration {
  readonly client: string;
  readonly service: DataInfoId;
  readonly registId: string;
}

/** A client's connections are counted up. */
interface OnConnection {
  readonly session: string;
  readonly connection: number;
}

/** Clients are named `c1`, nodes by their ids: `s1.4` is the fourth run in the world, one of the node s1. */
export type Fact = ClientFact | MessageFact | MetaFact | WorldFact;

/** What clients did and were shown. */
export type ClientFact =
  /** A client began to publish, or publishes something else. `token` is what subscribers should see. */
  | ({
      readonly kind: "published";
      readonly version: bigint;
      readonly token: string;
      readonly zone: string;
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
  /** A client watches a configuration value, and was sent one; `isTaken`: it was newer than the last one. */
  | ({ readonly kind: "watched" | "unwatched" } & OfRegistration)
  | ({
      readonly kind: "configured";
      readonly version: bigint;
      readonly data: string | null;
      readonly isTaken: boolean;
    } & OfRegistration &
      OnConnection)
  /**
   * A client has a connection. `isMute`: it answers neither pushes nor heartbeats. `acceptedMs`: when the session's
   * machine made it, if that was before: a client that stands still learns of it when it goes on.
   */
  | ({
      readonly kind: "connected";
      readonly client: string;
      readonly isMute: boolean;
      readonly acceptedMs?: number;
    } & OnConnection)
  /** That side of a connection has ended, or has learned of the end. */
  | ({ readonly kind: "lost"; readonly client: string; readonly side: "client" | "server" } & OnConnection)
  /** A session that serves has ended a connection of its own accord. */
  | ({ readonly kind: "ended"; readonly client: string } & OnConnection)
  /** A client stands still, or its connection carries nothing; or it is well again. */
  | { readonly kind: "hushed"; readonly client: string; readonly isHushed: boolean }
  /** What the client says takes so much longer, on the connection that it has; or as long as ever. */
  | { readonly kind: "late"; readonly client: string; readonly lateMs: number }
  /** A client's process is gone for ever, or as good as gone. */
  | { readonly kind: "died"; readonly client: string; readonly how: "killed" | "vanished" | "frozen" }
  /** A session wrote to a client; `bytes` wait now for the client to read. */
  | { readonly kind: "buffered"; readonly client: string; readonly bytes: number; readonly written: number };

/** What the nodes said to each other. */
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
  | { readonly kind: "followed"; readonly from: NodeId; readonly to: NodeId; readonly message: FollowerToLeader }
  | { readonly kind: "replicated"; readonly from: NodeId; readonly to: NodeId; readonly message: LeaderToFollower }
  /** Said once to all meta nodes. */
  | { readonly kind: "heartbeat"; readonly from: NodeId; readonly message: Heartbeat }
  /** A meta node said something to a member, and it arrived. */
  | { readonly kind: "ruled"; readonly from: NodeId; readonly to: Member; readonly message: MetaToMember }
  | {
      readonly kind: "learned";
      readonly node: NodeId;
      readonly role: Member["role"];
      readonly message: MetaToMember;
    }
  /** A heartbeat has arrived at a meta node. */
  | { readonly kind: "reported"; readonly to: NodeId; readonly from: Member; readonly message: Heartbeat }
  /** A data node knows of its link to a leader that it follows, or of a session's link to it, or of its end. */
  | { readonly kind: "followerLink"; readonly follower: NodeId; readonly leader: NodeId; readonly isUp: boolean }
  | { readonly kind: "sessionLink"; readonly data: NodeId; readonly session: NodeId; readonly isUp: boolean }
  /** A session knows of a link, or of its end. */
  | { readonly kind: "linkLost"; readonly session: NodeId; readonly data: NodeId }
  | { readonly kind: "linkMade"; readonly session: NodeId; readonly data: NodeId };

/** What the store did. */
export type MetaFact =
  /** It gave the lead to a meta node. */
  | { readonly kind: "leads"; readonly node: NodeId; readonly leaseEpoch: bigint }
  /** It carried out a write that it was asked for at `askedMs`. `before` is the table that was replaced. */
  | {
      readonly kind: "saved";
      readonly by: NodeId;
      readonly what: string;
      readonly askedMs: number;
      readonly leaseEpoch: bigint;
      readonly table: SlotTable | undefined;
      readonly before: SlotTable | undefined;
    }
  /** An operator has asked the leading meta node to set a configuration value, and has its answer. */
  | { readonly kind: "configAsked"; readonly service: DataInfoId; readonly data: string | null }
  | { readonly kind: "configSet"; readonly service: DataInfoId; readonly data: string | null }
  /** A meta node that was told to stop is about to end; `keepsLead`: the store, which is well, still has its lease. */
  | { readonly kind: "resigned"; readonly node: NodeId; readonly keepsLead: boolean }
  /** It has lost its last commits. */
  | { readonly kind: "failedOver"; readonly table: SlotTable | undefined };

/** What became of the nodes, and of the world. */
export type WorldFact =
  | { readonly kind: "started"; readonly node: NodeId; readonly role: Role; readonly machine: string }
  | { readonly kind: "stopped"; readonly node: NodeId; readonly role: Role }
  /** A node was told that the cluster does not want it. */
  | { readonly kind: "refused"; readonly node: NodeId; readonly role: Role; readonly reason: string }
  /** A session is cut off from a meta node, or stands still: it may not be a member for so long; or is well again. */
  | { readonly kind: "outside"; readonly machine: string; readonly isOutside: boolean }
  /** Nothing passes these ways between machines, the store among them, or all does again. */
  | { readonly kind: "cut"; readonly id: number; readonly ways: readonly Way[]; readonly isCut: boolean }
  /** A process stands still, or goes on, or ends where it stood. */
  | { readonly kind: "paused"; readonly machine: string; readonly isPaused: boolean }
  /** All messages between machines take longer, or as long as ever. */
  | { readonly kind: "slowed"; readonly isSlowed: boolean }
  /** What was done to somebody, in words. */
  | { readonly kind: "fault"; readonly what: string }
  /** A role or a connection met a bug of its own. */
  | { readonly kind: "bug"; readonly where: string; readonly what: string }
  /** The world is whole again. */
  | { readonly kind: "healed" }
  /** A data node that was to stop in order, while all was well, has stopped; it led so many slots still. */
  | { readonly kind: "left"; readonly node: NodeId; readonly slotsKept: number }
  /** Followers are made to compare themselves with their leaders from here on. */
  | { readonly kind: "compared" }
  /**
   * A node still waits for this, or keeps it, though all has been well for long; or could not wait for it at any time.
   */
  | { readonly kind: "unfinished"; readonly node: NodeId; readonly what: string }
  /** The last look is due. */
  | {
      readonly kind: "over";
      readonly live: readonly LiveClient[];
      /** What the store has of configuration. */
      readonly configs?: ReadonlyMap<DataInfoId, ConfigValue>;
    };

export type Role = "meta" | "data" | "session";

/** A client that lives at the end, as it sees itself. */
export interface LiveClient {
  readonly client: string;
  readonly isConnected: boolean;
  /** Registrations that are not acknowledged. */
  readonly undone: number;
  /** Those of them that another client has, as its session says. */
  readonly heldByOthers?: readonly { readonly service: DataInfoId; readonly registId: string }[];
}
