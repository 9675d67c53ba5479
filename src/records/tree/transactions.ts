// The changes of the tree that clients want, and the nodes that judge their sessions; and the answers.

import type { NodeId } from "../../model/ids.ts";
import type { Acl, AuthId } from "./acl.ts";
import type { Lifetime, SessionId, Stat } from "./znode.ts";

/** How long a znode is to be kept, as a client says it: an ephemeral one is its own. */
export type WantedLifetime =
  | Exclude<Lifetime, { readonly kind: "ephemeral" | "mirrored" }>
  | { readonly kind: "ephemeral" };

/** Any version: no demand. */
export const ANY_VERSION = -1;

/** One step of a client. */
export type TreeStep =
  | {
      readonly kind: "create";
      readonly path: string;
      readonly data: Uint8Array | undefined;
      readonly acl: readonly Acl[];
      readonly lifetime: WantedLifetime;
      /** A number is added to the name. */
      readonly isSequential: boolean;
    }
  | { readonly kind: "delete"; readonly path: string; readonly version: number }
  | { readonly kind: "setData"; readonly path: string; readonly data: Uint8Array | undefined; readonly version: number }
  | { readonly kind: "setAcl"; readonly path: string; readonly acl: readonly Acl[]; readonly version: number }
  | { readonly kind: "check"; readonly path: string; readonly version: number };

/** The sender of a step. */
export interface Author {
  readonly session: SessionId;
  /** The identities that its connection has proved. */
  readonly ids: readonly AuthId[];
  /** The node that it is connected to. */
  readonly node: NodeId;
}

/** A whole transaction: all of it happens, or nothing. */
export type Transaction =
  | { readonly kind: "step"; readonly step: TreeStep; readonly author: Author }
  | { readonly kind: "multi"; readonly steps: readonly TreeStep[]; readonly author: Author }
  | {
      readonly kind: "beginSession";
      readonly session: SessionId;
      readonly timeoutMs: number;
      readonly judge: NodeId;
    }
  /** A client continues its session at another node, or with another timeout. */
  | { readonly kind: "moveSession"; readonly session: SessionId; readonly judge: NodeId; readonly timeoutMs: number }
  /** A node judges the session of one that is gone, or takes back what another one has taken over by mistake. */
  | {
      readonly kind: "adoptSession";
      readonly session: SessionId;
      readonly judge: NodeId;
      readonly from: NodeId;
      readonly isAdopted: boolean;
    }
  /**
   * Ends a session that this node judges, with its ephemeral znodes. Of a session with more of them than a commit can
   * delete, some are left, and it is to be ended again: `isWhole` of the answer is false.
   */
  | { readonly kind: "endSession"; readonly session: SessionId; readonly judge: NodeId }
  /**
   * Shows instances of other protocols below a path, which is made if it is not there. Children that clients have made
   * stay as they are.
   */
  | { readonly kind: "mirror"; readonly path: string; readonly children: readonly MirroredChild[] }
  /** Deletes a container without children, or a znode whose time to live is over, if it still is that. */
  | { readonly kind: "prune"; readonly path: string };

/** A child that shows an instance of another protocol; without data: it shows none any more. */
export interface MirroredChild {
  readonly name: string;
  readonly data: Uint8Array | undefined;
}

/** Why a transaction is refused. */
export type TreeFault =
  | "noNode"
  | "noAuth"
  | "badVersion"
  | "noChildrenForEphemerals"
  | "nodeExists"
  | "notEmpty"
  | "sessionExpired"
  | "sessionMoved"
  | "invalidAcl"
  | "badArguments"
  | "quotaExceeded"
  /** Larger than a commit may be. */
  | "tooLarge";

/** The answer to a step; its zxids are those of the tree. */
export interface StepResult {
  /** The path that was created, with its number. */
  readonly path: string;
  /** Undefined for what tells none: deletes and checks. */
  readonly stat: Stat | undefined;
}

export type TransactionOutcome =
  | {
      readonly kind: "done";
      /** Of each step; none for sessions. */
      readonly results: readonly StepResult[];
      /** The number of the transaction; of one that changed nothing, the last one before it. */
      readonly zxid: number;
      /** False: more of it is left to do. */
      readonly isWhole: boolean;
    }
  /** `at`: the place of the step that was refused. */
  | { readonly kind: "refused"; readonly fault: TreeFault; readonly at: number };
