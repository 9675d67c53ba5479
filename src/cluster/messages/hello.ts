// The first words on a link between two nodes. Whoever dials says `hello` and sends nothing else before the answer; a
// node that is not accepted is told what to do, and the link is closed.

import type { NodeId } from "../../model/ids.ts";
import type { MemberRole } from "./membership.ts";

/** What this release speaks, and the lowest that it still understands. Adding fields or messages raises neither. */
export const PROTOCOL_VERSION = 1;
export const PROTOCOL_VERSION_MIN = 1;

/** What a process can be in its cluster. */
export type NodeRole = MemberRole | "meta";

/** What a link is for, seen from its dialler: member to meta, session to data, follower to leader. */
export type NodeLink = "meta" | "data" | "replication";

export interface Hello {
  readonly kind: "hello";
  readonly protocolVersion: number;
  readonly minProtocolVersion: number;
  readonly clusterName: string;
  readonly slotCount: number;
  readonly from: NodeId;
  /**
   * Of the sender; on a link to a meta node the one for which it speaks there. A role that the receiver's release does
   * not know is left out.
   */
  readonly roles: readonly NodeRole[];
  readonly link: NodeLink;
  /** Where other nodes reach the sender: `host:port`. */
  readonly address: string;
  /**
   * Whom the sender means, where it knows: another run that answers at the same address refuses, and keeps the links
   * that it has.
   */
  readonly to?: NodeId;
}

export interface HelloAnswer {
  readonly kind: "helloAnswer";
  readonly accepted: boolean;
  /** Why not, and what to do; empty if accepted. */
  readonly reason: string;
  readonly from: NodeId;
  readonly roles: readonly NodeRole[];
}
