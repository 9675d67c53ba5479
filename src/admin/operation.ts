// An operation of operators: one row of the table from which the HTTP routes, the OpenAPI document and the commands are
// made. The row has everything about it; a new operation is a new row.

import { PERMISSIONS, type Permission } from "../access/policy.ts";
import { assert } from "../base/assert.ts";
import type { OperatedNode } from "./operatedNode.ts";
import type { FlagParameter, ParameterTable, Values } from "./parameter.ts";
import type { Json, Schema } from "./schema.ts";

/**
 * The right that an operation needs. `open`: none. Anybody may ask it; it tells nothing that is not the asker's own, or
 * asks for a proof itself.
 */
export type NeededPermission = Permission | "open";

/** The node that answers. The asked node asks it, unless it is that node itself. */
export type AnsweredBy =
  /** The asked one. */
  | { readonly kind: "askedNode" }
  /** Any node with the role session. */
  | { readonly kind: "session" }
  /** The leading meta node. */
  | { readonly kind: "leader" }
  /** The leading meta node; while there is none, another one, which says so. */
  | { readonly kind: "meta" }
  /** The data node that leads the slot of the service that this parameter names. */
  | { readonly kind: "slotLeader"; readonly parameter: string }
  /** The node that this parameter names; without one the asked node. */
  | { readonly kind: "namedNode"; readonly parameter: string }
  /** Each node with this role, or each node at all: `gather` makes one answer of all. */
  | { readonly kind: "each"; readonly role: "session" | "data" | "any" };

/** The answer of one node to an operation that each node answers. */
export interface NodePart {
  readonly node: string;
  readonly body: Json;
}

/** All answers to an operation that each node answers. */
export interface Gathered {
  readonly parts: readonly NodePart[];
  /** Nodes that did not answer, with the reasons. */
  readonly unreachable: readonly { readonly node: string; readonly reason: string }[];
}

/** How `roster` shows an operation, where that does not follow from its name, parameters and answer. */
export interface CommandForm {
  /** The words of the command: the main one, then its aliases. */
  readonly words?: readonly string[];
  /** The parameters that are written without a flag, in this order; without it the required ones. */
  readonly positional?: readonly string[];
  /** The columns of the table, the name of a row first; without it all fields that are no list or object. */
  readonly columns?: readonly string[];
  /** The parameter whose values may be read from a file, with `--file`. */
  readonly fromFile?: string;
}

interface OperationRow<T extends ParameterTable> {
  /** Its subject and its verb: `nodes.block`. */
  readonly name: string;
  /** GET for a question. GET and DELETE take their parameters in the query, the others in a body of JSON. */
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Below `/v1`. */
  readonly path: string;
  /** One sentence. */
  readonly about: string;
  readonly parameters: T;
  /** It changes something. */
  readonly isChange: boolean;
  readonly permission: NeededPermission;
  /** It can be asked what it would do, with `preview`. */
  readonly canBePreviewed: boolean;
  readonly answeredBy: AnsweredBy;
  /** The schema of an answer. */
  readonly answer: Schema;
  /** The work goes on after the answer. */
  readonly isBegunOnly?: true;
  readonly command?: CommandForm;
  /** The present state of what it changes, for the audit trail; without it that has the answer. May throw. */
  readonly state?: (node: OperatedNode, values: Values<T>) => Json | undefined;
  /** It has its change made by another operation, which is the one that is recorded. */
  readonly delegates?: true;
  /** The largest body is that of a configuration value. */
  readonly takesValue?: true;
  /** The largest body, where names alone may need more than the bound of the port. */
  readonly bodyBytesMax?: number;
  /** The time that it may wait for a change before it answers. */
  readonly waitMs?: (values: Values<T>) => number;
}

/** How a node answers an operation. Throws or rejects with a RegistryError. */
export type Run<V> = (node: OperatedNode, values: V, isPreview: boolean) => Json | Promise<Json>;

/** An operation as the table has it. */
export interface Operation extends Omit<OperationRow<ParameterTable>, "waitMs" | "state"> {
  readonly state?: (node: OperatedNode, values: Readonly<Record<string, unknown>>) => Json | undefined;
  readonly waitMs: (values: Readonly<Record<string, unknown>>) => number;
  readonly run: Run<Readonly<Record<string, unknown>>>;
  /** Only where each node answers. */
  readonly gather: ((gathered: Gathered, values: Readonly<Record<string, unknown>>) => Json) | undefined;
}

interface Answering<V> {
  readonly run: Run<V>;
  readonly gather?: (gathered: Gathered, values: V) => Json;
}

const PREVIEW: FlagParameter = {
  type: "flag",
  about: "Whether only to say what would be done, or why it would be refused.",
};

/** Every operation says which right it needs: one without it ends the start of the process. */
export function checkPermissions(operations: readonly Operation[]): void {
  for (const { name, permission } of operations) {
    assert([...PERMISSIONS, "open"].includes(permission), `${name}: every operation names the permission it needs`);
  }
}

/** Makes a row; the types of its values are those of its parameters. */
export function operation<const T extends ParameterTable>(row: OperationRow<T> & Answering<Values<T>>): Operation {
  const parameters: ParameterTable = row.canBePreviewed ? { ...row.parameters, preview: PREVIEW } : row.parameters;
  // Values are read by the very table that their type is made of.
  const { run, gather, waitMs = () => 0 } = row as unknown as Operation;
  return { ...(row as unknown as Operation), parameters, run, gather, waitMs };
}
