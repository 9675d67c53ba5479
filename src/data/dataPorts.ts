// The data role's interface: its options, its events and its effects.

import type { MemberAddress, MemberToMeta, MetaToMember } from "../cluster/messages/membership.ts";
import type { FollowerToLeader, LeaderToFollower } from "../cluster/messages/replication.ts";
import type { DataToSession, PublishItem, SessionToData } from "../cluster/messages/sessionData.ts";
import type { DatumChange } from "../model/datum.ts";
import type { NodeId, ServiceKey } from "../model/ids.ts";
import type { Contested } from "./challenges.ts";
import type { LossProtectionOptions } from "./lossProtection.ts";

/** Settings, each a key of the configuration; all times in milliseconds. Those of model/dynamicKeys.ts may change. */
export interface DataOptions extends LossProtectionOptions {
  readonly id: NodeId;
  /** The address for other nodes: `host:port`. */
  readonly address: string;
  readonly zone: string;
  readonly operatorLogEntries: number;
  /** Whether payloads of one service are kept as differences from one of them. */
  readonly payloadDifference: boolean;
  readonly tombstoneMs: number;
  /** The bound for the list of one service, in the bytes of model/listBytes.ts. */
  readonly serviceBytesMax: number;
  /** The number of services without publishers that are remembered, with the sessions that asked for them. */
  readonly emptyServicesMax: number;
  /** Above this many bytes of kept data the node reports that it is full. */
  readonly dataBytesMax: number;
  readonly sessionLeaseMs: number;
  readonly restartHoldMs: number;
  readonly versionScanIntervalMs: number;
}

/** The memory of the node's last life on its own disk. */
export interface DataMemory {
  readonly versionFloor: bigint;
  readonly serviceSizes: ReadonlyMap<ServiceKey, number>;
}

/** The events that a data node is stepped with: messages, links made and lost, and wishes of its operator. */
export type DataEvent =
  | { readonly kind: "fromSession"; readonly from: NodeId; readonly message: SessionToData }
  | { readonly kind: "sessionUp"; readonly session: NodeId }
  | { readonly kind: "sessionDown"; readonly session: NodeId }
  /** From a node whose slots this one follows. */
  | { readonly kind: "fromLeader"; readonly from: NodeId; readonly message: LeaderToFollower }
  | { readonly kind: "leaderUp"; readonly node: NodeId }
  | { readonly kind: "leaderDown"; readonly node: NodeId }
  /** From a node that follows slots of this one. */
  | { readonly kind: "fromFollower"; readonly from: NodeId; readonly message: FollowerToLeader }
  | { readonly kind: "followerUp"; readonly node: NodeId }
  | { readonly kind: "followerDown"; readonly node: NodeId }
  | { readonly kind: "fromMeta"; readonly message: MetaToMember }
  /** A link to a meta node was made. */
  | { readonly kind: "metaUp" }
  /** The node wants to stop: other nodes are to lead its slots. */
  | { readonly kind: "leave" }
  /** An operator reports that the publishers of this service, held by the loss protection, are dead. */
  | { readonly kind: "releaseHeld"; readonly serviceKey: ServiceKey }
  /** An operator tries publications, or their ends, without a client. Those of slots led elsewhere are ignored. */
  | { readonly kind: "tried"; readonly items: readonly PublishItem[] }
  | { readonly kind: "woken" };

/** A version named by another node, with the message and its sender. */
export interface RefusedVersion {
  readonly what: "fetch" | "scan" | "recalled" | "catalogue" | "follow" | "replica" | "change" | "slotTable";
  readonly from: NodeId | "meta";
  readonly version: bigint;
}

/** A version that a step has made: the list of the service has these changes now. */
export interface MadeVersion {
  readonly serviceKey: ServiceKey;
  readonly version: bigint;
  readonly changes: readonly DatumChange[];
}

/** The effects of a step. A message to a node that can't be reached is lost. */
export interface DataOutput {
  /** To every meta node. */
  toMeta(message: MemberToMeta): void;
  toSession(session: NodeId, message: DataToSession): void;
  toLeader(node: NodeId, message: FollowerToLeader): void;
  toFollower(node: NodeId, message: LeaderToFollower): void;
  /** The leaders of the slots that this node follows: keep links to exactly these. */
  linkLeaders(nodes: readonly MemberAddress[]): void;
  /** A message named a version that no clock can have given by now. It was not believed. */
  versionRefused(refused: RefusedVersion): void;
  /**
   * A client wants a registration that a client at another session holds, and does not get it; reported once for each.
   */
  contested(contested: Contested): void;
  /** This node's clock is more than a day behind the cluster's versions. */
  clockBehind(behindMs: number): void;
  /** Absent unless the host wants to know. */
  versionMade?(made: MadeVersion): void;
  /** The cluster refuses this node; its process must end with the reason. */
  refused(reason: string): void;
  /** No version of a later life may be at or below `floor`. */
  saveVersionFloor(floor: bigint): void;
  /** The number of publishers of each changed service; 0 forgets the service. */
  saveServiceSizes(changed: ReadonlyMap<ServiceKey, number>): void;
}
