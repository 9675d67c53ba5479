// The messages by which one node has an operation of an operator answered by another. Any node takes an operation, and
// the node that knows answers it. They travel on the links between nodes and meta nodes, both ways: every node has a
// link to every meta node, so any two nodes are at most two links apart.
//
// A node of an earlier release ignores them. The question then ends at its time, without an answer.

import type { NodeId } from "../../model/ids.ts";

/** The most relays of a question: one meta node that is not the leader, and the leader. */
export const RELAYS_MAX = 2;

/** The longest text of an answer, in UTF-16 units: eight times the list of a service of 10,000 ordinary instances. */
export const ANSWER_UNITS_MAX = 32 * 1024 * 1024;

export type OperationMessage =
  | {
      readonly kind: "operationAsked";
      /** The sender's own number for the question. */
      readonly request: number;
      readonly from: NodeId;
      /** The node that is to answer; undefined: the leading meta node. */
      readonly to?: NodeId;
      /** Meta nodes may still pass it on this many times. */
      readonly relaysLeft: number;
      /** Its name in the table of operations. */
      readonly operation: string;
      /** An object in JSON. */
      readonly parameters: string;
      /** The principal that asks, in JSON, as the node that was asked has found it. Earlier releases name none. */
      readonly by?: string;
    }
  | {
      readonly kind: "operationAnswered";
      readonly request: number;
      /** The node that asked. */
      readonly to: NodeId;
      /** As of HTTP. */
      readonly status: number;
      /** In JSON. */
      readonly body: string;
    }
  /** A meta node can't pass the question on. */
  | {
      readonly kind: "operationUnreachable";
      readonly request: number;
      readonly to: NodeId;
      readonly reason: string;
    };
