// The first messages on a link between two nodes. The dialling node sends `hello` and waits for the answer before it
// sends anything else. A node that is not accepted is told the remedy, and the link is closed.
//
// In a cluster with a secret the hello is answered with a challenge, and only after the dialling node's proof with the
// answer, which has the proof of the accepting node: links/clusterSecret.ts.

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
  /** SECRET_BYTES that are new with each hello; missing from a node that has no secret. */
  readonly nonce?: Uint8Array;
}

/** The size of a nonce, and of a proof. */
export const SECRET_BYTES = 32;

/** The accepting node asks for a proof. */
export interface HelloChallenge {
  readonly kind: "helloChallenge";
  readonly from: NodeId;
  /** SECRET_BYTES that are new with each challenge. */
  readonly nonce: Uint8Array;
}

/** The dialling node's proof. */
export interface HelloProof {
  readonly kind: "helloProof";
  readonly proof: Uint8Array;
}

export interface HelloAnswer {
  readonly kind: "helloAnswer";
  readonly accepted: boolean;
  /** The reason for the refusal, and the remedy; empty if accepted. */
  readonly reason: string;
  readonly from: NodeId;
  readonly roles: readonly NodeRole[];
  /** The accepting node's proof, for a node that has given its own. */
  readonly proof?: Uint8Array;
}
