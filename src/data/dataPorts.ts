// What the data role is told at its start, and its effects.

import type { MemberAddress, MemberToMeta } from "../messages/membership.ts";
import type { FollowerToLeader, LeaderToFollower } from "../messages/replication.ts";
import type { DataToSession } from "../messages/sessionData.ts";
import type { DataInfoId, NodeId } from "../model/ids.ts";
import type { LossProtectionOptions } from "./lossProtection.ts";

/** Settings, each a key of the configuration; all times in milliseconds. */
export interface DataOptions extends LossProtectionOptions {
  readonly id: NodeId;
  /** Where other nodes reach this one: `host:port`. */
  readonly address: string;
  readonly operatorLogEntries: number;
  /** Payloads of one service are kept as differences to one of them. */
  readonly payloadDifference: boolean;
  readonly tombstoneMs: number;
  readonly sessionLeaseMs: number;
  readonly restartHoldMs: number;
  readonly versionScanIntervalMs: number;
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
  /** The cluster does not want this node; its process must end and say why. */
  refused(reason: string): void;
  /** No version of a later life may be at or below `floor`. */
  saveVersionFloor(floor: bigint): void;
  /** Publishers of each changed service; 0 forgets the service. */
  saveServiceSizes(changed: ReadonlyMap<DataInfoId, number>): void;
}
