// Requests of ZooKeeper's clients: their records as values.

import type { JuteReader } from "../../../encoding/jute/reader.ts";
import type { Acl } from "../../../records/tree/acl.ts";
import type { TreeStep, WantedLifetime } from "../../../records/tree/transactions.ts";
import { PERSISTENT } from "../../../records/tree/znode.ts";
import { OPERATION, type OperationName } from "./operations.ts";

/** The part of the answer to a write that an operation has. */
export type WriteAnswer = "path" | "path and stat" | "stat" | "nothing";

/** One write, and how it is answered. */
export interface WriteStep {
  readonly operation: number;
  readonly answer: WriteAnswer;
  /** Undefined: the arguments can't be ones. */
  readonly step: TreeStep | undefined;
}

export type ReadOperation = "exists" | "getData" | "getACL" | "getChildren" | "getChildren2";

export interface WatchLists {
  readonly data: readonly string[];
  readonly exist: readonly string[];
  readonly child: readonly string[];
  readonly persistent: readonly string[];
  readonly recursive: readonly string[];
}

export type ClientRequest =
  | { readonly kind: "write"; readonly write: WriteStep }
  | { readonly kind: "multi"; readonly writes: readonly WriteStep[] }
  | {
      readonly kind: "multiRead";
      readonly reads: readonly { readonly operation: ReadOperation; readonly path: string }[];
    }
  | { readonly kind: "read"; readonly operation: ReadOperation; readonly path: string; readonly watch: boolean }
  | { readonly kind: "sync"; readonly path: string }
  | { readonly kind: "ping" | "closeSession" | "whoAmI" | "reconfig" | "sasl" | "unserved" | "unreadable" }
  | { readonly kind: "removeWatches" | "checkWatches"; readonly path: string; readonly type: number }
  | { readonly kind: "auth"; readonly scheme: string; readonly credentials: Uint8Array }
  | { readonly kind: "setWatches"; readonly relativeZxid: bigint; readonly lists: WatchLists }
  | { readonly kind: "addWatch"; readonly path: string; readonly mode: number }
  | { readonly kind: "getEphemerals" | "getAllChildrenNumber"; readonly path: string };

const STRING_BYTES_MIN = 4;
const ACL_BYTES_MIN = 12;
const TTL_MS_MAX = 0xff_ffff_ffff;

/** Reads the record of an operation. Throws JUTE_MALFORMED. */
export function decodeRequest(operation: OperationName | undefined, reader: JuteReader): ClientRequest {
  switch (operation) {
    case "create":
    case "create2":
    case "createContainer":
    case "createTTL":
    case "delete":
    case "setData":
    case "setACL":
      return { kind: "write", write: decodeWrite(operation, reader) };
    case "exists":
    case "getData":
    case "getChildren":
    case "getChildren2":
      return { kind: "read", operation, path: reader.string(), watch: reader.bool() };
    case "getACL":
      return { kind: "read", operation, path: reader.string(), watch: false };
    case "multi":
      return { kind: "multi", writes: decodeMulti(reader) };
    case "multiRead":
      return { kind: "multiRead", reads: decodeMultiRead(reader) };
    case "sync":
      return { kind: "sync", path: reader.string() };
    case "auth":
      reader.int();
      return { kind: "auth", scheme: reader.string(), credentials: reader.buffer() ?? new Uint8Array(0) };
    case "setWatches":
    case "setWatches2":
      return decodeSetWatches(operation, reader);
    case "addWatch":
      return { kind: "addWatch", path: reader.string(), mode: reader.int() };
    case "removeWatches":
    case "checkWatches":
      return { kind: operation, path: reader.string(), type: reader.int() };
    case "getEphemerals":
    case "getAllChildrenNumber":
      return { kind: operation, path: reader.string() };
    case "ping":
    case "closeSession":
    case "whoAmI":
    case "reconfig":
    case "sasl":
      return { kind: operation };
    case "check":
    case "deleteContainer":
    case undefined:
      return { kind: "unserved" };
  }
}

type WriteOperation =
  | "create"
  | "create2"
  | "createContainer"
  | "createTTL"
  | "delete"
  | "setData"
  | "setACL"
  | "check";

function decodeWrite(operation: WriteOperation, reader: JuteReader): WriteStep {
  const path = reader.string();
  switch (operation) {
    case "delete":
    case "check":
      return {
        operation: OPERATION[operation],
        answer: "nothing",
        step: { kind: operation, path, version: reader.int() },
      };
    case "setData": {
      const data = copied(reader.buffer());
      return {
        operation: OPERATION.setData,
        answer: "stat",
        step: { kind: "setData", path, data, version: reader.int() },
      };
    }
    case "setACL": {
      const acl = reader.vector(ACL_BYTES_MIN, readAcl);
      return {
        operation: OPERATION.setACL,
        answer: "stat",
        step: { kind: "setAcl", path, acl, version: reader.int() },
      };
    }
    default:
      return decodeCreate(operation, path, reader);
  }
}

function decodeCreate(
  operation: "create" | "create2" | "createContainer" | "createTTL",
  path: string,
  reader: JuteReader,
): WriteStep {
  const data = copied(reader.buffer());
  const acl = reader.vector(ACL_BYTES_MIN, readAcl);
  const flags = reader.int();
  const ttlMs = operation === "createTTL" ? Number(reader.long()) : undefined;
  const wanted = wantedOf(flags, ttlMs);
  // Those that ask for a container or a TTL are answered as create2.
  const isShort = operation === "create";
  return {
    operation: isShort ? OPERATION.create : OPERATION.create2,
    answer: isShort ? "path" : "path and stat",
    step: wanted && { kind: "create", path, data, acl, ...wanted },
  };
}

/** The meaning of the flags of a create; undefined for flags without one. */
function wantedOf(
  flags: number,
  ttlMs: number | undefined,
): { readonly lifetime: WantedLifetime; readonly isSequential: boolean } | undefined {
  const isTtl = flags === 5 || flags === 6;
  if (isTtl !== (ttlMs !== undefined)) return undefined;
  if (isTtl && ttlMs !== undefined) {
    if (ttlMs < 1 || ttlMs > TTL_MS_MAX) return undefined;
    return { lifetime: { kind: "ttl", ttlMs }, isSequential: flags === 6 };
  }
  switch (flags) {
    case 0:
    case 2:
      return { lifetime: PERSISTENT, isSequential: flags === 2 };
    case 1:
    case 3:
      return { lifetime: { kind: "ephemeral" }, isSequential: flags === 3 };
    case 4:
      return { lifetime: { kind: "container" }, isSequential: false };
    default:
      return undefined;
  }
}

const MULTI_OPERATIONS: ReadonlyMap<number, WriteOperation> = new Map([
  [OPERATION.create, "create"],
  [OPERATION.create2, "create2"],
  [OPERATION.createContainer, "createContainer"],
  [OPERATION.createTTL, "createTTL"],
  [OPERATION.delete, "delete"],
  [OPERATION.setData, "setData"],
  [OPERATION.check, "check"],
]);

function decodeMulti(reader: JuteReader): WriteStep[] {
  const writes: WriteStep[] = [];
  for (let type = multiHeader(reader); type !== undefined; type = multiHeader(reader)) {
    const operation = MULTI_OPERATIONS.get(type);
    if (operation === undefined) throw reader.wrong(`a multi with the operation ${type}`);
    writes.push(decodeWrite(operation, reader));
  }
  return writes;
}

function decodeMultiRead(reader: JuteReader) {
  const reads: { operation: ReadOperation; path: string }[] = [];
  for (let type = multiHeader(reader); type !== undefined; type = multiHeader(reader)) {
    const operation = type === OPERATION.getData ? "getData" : "getChildren";
    if (type !== OPERATION.getData && type !== OPERATION.getChildren) {
      throw reader.wrong(`a multiRead with the operation ${type}`);
    }
    const path = reader.string();
    reader.bool();
    reads.push({ operation, path });
  }
  return reads;
}

/** The operation of the next step; undefined: that was the last one. */
function multiHeader(reader: JuteReader): number | undefined {
  const type = reader.int();
  const isDone = reader.bool();
  reader.int();
  return isDone ? undefined : type;
}

function decodeSetWatches(operation: "setWatches" | "setWatches2", reader: JuteReader): ClientRequest {
  const paths = () => reader.vector(STRING_BYTES_MIN, (from) => from.string());
  const relativeZxid = reader.long();
  const [data, exist, child] = [paths(), paths(), paths()];
  const [persistent, recursive] = operation === "setWatches2" ? [paths(), paths()] : [[], []];
  return { kind: "setWatches", relativeZxid, lists: { data, exist, child, persistent, recursive } };
}

function readAcl(reader: JuteReader): Acl {
  return { permissions: reader.int(), scheme: reader.ustring() ?? "", id: reader.ustring() ?? "" };
}

/** Bytes that are kept must not keep the whole chunk that they came in. */
function copied(bytes: Uint8Array | undefined): Uint8Array | undefined {
  return bytes?.slice();
}
