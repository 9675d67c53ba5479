// The first messages on a link between two nodes. The dialling node sends `hello` and waits for the answer before it
// sends anything else. A node that is not accepted is told the remedy, and the link is closed.

import type { NodeId } from "../../model/ids.ts";
import type { MemberRole } from "./membership.ts";

/**
 * The protocol version of this release, and the lowest that it still understands. Adding fields or messages raises
 * neither.
 */
export const PROTOCOL_VERSION = 1;
export const PROTOCOL_VERSION_MIN = 1;

/** The roles of a process in its cluster. */
export type NodeRole = MemberRole | "meta";

/** The purpose of a link, seen from its dialler: member to meta, session to data, follower to leader. */
export type NodeLink = "meta" | "data" | "replication";

export interface Hello {
  readonly kind: "hello";
  readonly protocolVersion: number;
  readonly minProtocolVersion: number;
  readonly clusterName: string;
  readonly slotCount: number;
  readonly from: NodeId;
  /**
   * The sender's roles; on a link to a meta node, the one role for which it speaks there. A role that the receiver's
   * release does not know is left out.
   */
  readonly roles: readonly NodeRole[];
  readonly link: NodeLink;
  /** The sender's address for other nodes: `host:port`. */
  readonly address: string;
  /**
   * The node that the sender wants to reach, if known: another run at the same address refuses and keeps its links.
   */
  readonly to?: NodeId;
}

export interface HelloAnswer {
  readonly kind: "helloAnswer";
  readonly accepted: boolean;
  /** The reason for the refusal, and the remedy; empty if accepted. */
  readonly reason: string;
  readonly from: NodeId;
  readonly roles: readonly NodeRole[];
}
