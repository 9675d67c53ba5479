// The facts of the ordered tree: what its clients did and were told, and what the store has made.

import type { NodeId } from "../model/ids.ts";
import type { Commit } from "../records/records.ts";
import type { SessionId } from "../records/tree/znode.ts";
import type { TreeEvent } from "./checkers/tree/treeEvent.ts";

/** One connection of a client that has a session; connections of all clients are numbered upwards. */
export interface OnTree {
  readonly client: string;
  readonly session: SessionId;
  readonly connection: number;
  readonly node: NodeId;
}

export type TreeFact =
  /** The store has made a commit to the records of gateways. */
  | { readonly kind: "treeCommitted"; readonly by: NodeId; readonly commit: Commit; readonly revision: bigint }
  /** A client has a connection with its session, which is a new one or goes on. */
  | ({ readonly kind: "treeConnected"; readonly timeoutMs: number; readonly isNew: boolean } & OnTree)
  /** Its connection is over, as the client knows. */
  | ({ readonly kind: "treeLost" } & OnTree)
  /** It was told that its session has ended. */
  | { readonly kind: "treeExpired"; readonly client: string; readonly session: SessionId; readonly node: NodeId }
  /** It asks for the end of its session, or its process ends. */
  | { readonly kind: "treeClosing" | "treeDied"; readonly client: string; readonly session: SessionId }
  /** An answer of any kind, to what was asked for at `sentMs`. */
  | ({ readonly kind: "treeAnswered"; readonly sentMs: number; readonly zxid: number } & OnTree)
  /** A write or a read of the history; `zxid`: of the answer. */
  | ({ readonly kind: "treeDid"; readonly event: TreeEvent; readonly zxid: number; readonly order: number } & OnTree)
  /** These values were written by one transaction, or by none. */
  | { readonly kind: "treeTogether"; readonly values: readonly [string, string] }
  /** The children of a znode, as of `zxid`. */
  | ({
      readonly kind: "treeListed";
      readonly path: string;
      readonly names: readonly string[];
      readonly zxid: number;
    } & OnTree)
  /** A client asks for the deletion of a znode, or has its answer that it is gone. */
  | { readonly kind: "treeDeleting"; readonly client: string; readonly path: string }
  /** A watch is set as of `zxid`. */
  | ({ readonly kind: "treeWatched"; readonly watch: TreeWatch; readonly path: string; readonly zxid: number } & OnTree)
  /** Watches of a connection before this one are set, as of `zxid`. */
  | ({ readonly kind: "treeRewatched"; readonly zxid: number } & OnTree)
  /** A watch event. */
  | ({ readonly kind: "treeFired"; readonly event: number; readonly path: string; readonly zxid: number } & OnTree)
  /** The protocol was not kept. */
  | { readonly kind: "treeWrong"; readonly client: string; readonly what: string }
  /** When all is well: a node's copy, and the store's content, in words. */
  | { readonly kind: "treeHeld"; readonly node: NodeId; readonly held: string; readonly stored: string }
  /** When all is well: a client that lives, and its session, if it has one. */
  | { readonly kind: "treeLives"; readonly client: string; readonly session: SessionId; readonly isConnected: boolean };

export type TreeWatch = "data" | "child" | "recursive";
