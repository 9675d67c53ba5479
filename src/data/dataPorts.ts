// What the data role is told, at its start and event by event, and its effects.

import type { MemberAddress, MemberToMeta, MetaToMember } from "../cluster/messages/membership.ts";
import type { FollowerToLeader, LeaderToFollower } from "../cluster/messages/replication.ts";
import type { DataToSession, SessionToData } from "../cluster/messages/sessionData.ts";
import type { DataInfoId, NodeId } from "../model/ids.ts";
import type { Contested } from "./challenges.ts";
import type { LossProtectionOptions } from "./lossProtection.ts";

/** Settings, each a key of the configuration; all times in milliseconds. */
export interface DataOptions extends LossProtectionOptions {
  readonly id: NodeId;
  /** The address for other nodes: `host:port`. */
  readonly address: string;
  readonly operatorLogEntries: number;
  /** Payloads of one service are kept as differences to one of them. */
  readonly payloadDifference: boolean;
  readonly tombstoneMs: number;
  /** The bound for the list of one service, in the bytes of model/listBytes.ts. */
  readonly serviceBytesMax: number;
  /** So many services without publishers are remembered, with who asked for them. */
  readonly emptyServicesMax: number;
  /** Above so many bytes of what it keeps the node says that it is full. */
  readonly dataBytesMax: number;
  readonly sessionLeaseMs: number;
  readonly restartHoldMs: number;
  readonly versionScanIntervalMs: number;
}

/** What the node's own disk remembers of its last life. */
export interface DataMemory {
  readonly versionFloor: bigint;
  readonly serviceSizes: ReadonlyMap<DataInfoId, number>;
}

export type DataEvent =
  | { readonly kind: "fromSession"; readonly from: NodeId; readonly message: SessionToData }
  | { readonly kind: "sessionUp"; readonly session: NodeId }
  | { readonly kind: "sessionDown"; readonly session: NodeId }
  /** Of a node whose slots this one follows. */
  | { readonly kind: "fromLeader"; readonly from: NodeId; readonly message: LeaderToFollower }
  | { readonly kind: "leaderUp"; readonly node: NodeId }
  | { readonly kind: "leaderDown"; readonly node: NodeId }
  /** Of a node that follows slots of this one. */
  | { readonly kind: "fromFollower"; readonly from: NodeId; readonly message: FollowerToLeader }
  | { readonly kind: "followerUp"; readonly node: NodeId }
  | { readonly kind: "followerDown"; readonly node: NodeId }
  | { readonly kind: "fromMeta"; readonly message: MetaToMember }
  /** A link to a meta node was made. */
  | { readonly kind: "metaUp" }
  /** The node wants to stop: others are to lead its slots. */
  | { readonly kind: "leave" }
  /** An operator says that the publishers of this service, held by the loss protection, are dead. */
  | { readonly kind: "releaseHeld"; readonly dataInfoId: DataInfoId }
  | { readonly kind: "woken" };

/** A version that another node has named, by which message, and by whom. */
export interface RefusedVersion {
  readonly what: "fetch" | "scan" | "recalled" | "follow" | "replica" | "change" | "slotTable";
  readonly from: NodeId | "meta";
  readonly version: bigint;
}

/** The effects of a step. A message to a node that can't be reached is lost. */
export interface DataOutput {
  /** To every meta node. */
  toMeta(message: MemberToMeta): void;
  toSession(session: NodeId, message: DataToSession): void;
  toLeader(node: NodeId, message: FollowerToLeader): void;
  toFollower(node: NodeId, message: LeaderToFollower): void;
  /** The leaders of the slots that this node follows: links to exactly these are to be kept. */
  linkLeaders(nodes: readonly MemberAddress[]): void;
  /** Somebody has named a version that no clock can have given by now. It was not believed. */
  versionRefused(refused: RefusedVersion): void;
  /** A client wants what another one holds at another session, and does not get it; said once of each. */
  contested(contested: Contested): void;
  /** This node's clock is more than a day behind what the cluster's versions say. */
  clockBehind(behindMs: number): void;
  /** The cluster refuses this node; its process must end with the reason. */
  refused(reason: string): void;
  /** No version of a later life may be at or below `floor`. */
  saveVersionFloor(floor: bigint): void;
  /** Publishers of each changed service; 0 forgets the service. */
  saveServiceSizes(changed: ReadonlyMap<DataInfoId, number>): void;
}
