// Requests and answers of etcd in our words. Our keys in etcd:
//
//   PREFIX/records/KEY   a record
//   PREFIX/head          written by every commit that changes something; its revision is that of the last one
//   PREFIX/lease         the lease of leadership, which etcd deletes when it ends

import { isNodeId, type NodeId, nodeId } from "../../model/ids.ts";
import type { Change, KeyRange, StoredRecord } from "../../records/records.ts";
import { DamagedColumn } from "../columns.ts";
import { isObject, type Json } from "./exchange.ts";

/** The names of our keys, in bytes as base64. */
export class Keys {
  readonly head: string;
  readonly lease: string;
  /** All of ours, and the first key that is not. */
  readonly all: { readonly key: string; readonly range_end: string };
  readonly #records: Buffer;

  constructor(prefix: string) {
    this.head = base64(`${prefix}head`);
    this.lease = base64(`${prefix}lease`);
    this.#records = Buffer.from(`${prefix}records/`);
    this.all = { key: base64(prefix), range_end: after(Buffer.from(prefix)) };
  }

  record(key: string): string {
    return Buffer.concat([this.#records, Buffer.from(key)]).toString("base64");
  }

  range({ from, to }: KeyRange): { readonly key: string; readonly range_end: string } {
    return { key: this.record(from), range_end: to === "" ? after(this.#records) : this.record(to) };
  }

  /** The key of a record; undefined for another of our keys. */
  recordKey(key: unknown): string | undefined {
    const bytes = Buffer.from(textIn(key), "base64");
    const isRecord = bytes.subarray(0, this.#records.length).equals(this.#records);
    if (!isRecord) return undefined;
    const name = bytes.subarray(this.#records.length).toString();
    // Foreign bytes would come back as another key.
    if (this.record(name) !== bytes.toString("base64")) throw new DamagedColumn(`the key ${name} is not UTF-8`);
    return name;
  }
}

/** The first key after all that begin with these bytes, whose last one is ASCII. */
function after(prefix: Buffer): string {
  const end = Buffer.from(prefix);
  end[end.length - 1] = (end[end.length - 1] ?? 0) + 1;
  return end.toString("base64");
}

export function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

/** The lease in force, as etcd's key has it. */
export interface StoredLease {
  /** The revision that created the key: it is a new one each time that the lead is taken. */
  readonly epoch: bigint;
  /** etcd's own lease, with which the key ends. */
  readonly id: string;
  readonly holder: NodeId;
  readonly address: string;
}

export function leaseValue({ holder, address }: Pick<StoredLease, "holder" | "address">): string {
  return base64(JSON.stringify({ holder, address }));
}

export function readLease(pair: Json): StoredLease {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(textIn(pair["value"]), "base64").toString());
  } catch (error) {
    throw new DamagedColumn("the key lease is not JSON", { cause: error });
  }
  const { holder, address } = isObject(value) ? value : {};
  if (typeof holder !== "string" || !isNodeId(holder) || typeof address !== "string") {
    throw new DamagedColumn("the key lease names no node");
  }
  const id = String(numberIn(pair, "lease"));
  if (id === "0") throw new DamagedColumn("the key lease has no lease of etcd's, and would never end");
  return { epoch: numberIn(pair, "create_revision"), id, holder: nodeId(holder), address };
}

/** The pairs of a range's answer, in the order of their keys. */
export function pairsIn(answer: Json): readonly Json[] {
  const pairs = answer["kvs"] ?? [];
  if (!Array.isArray(pairs)) throw new DamagedColumn("etcd's answer has no pairs");
  return pairs as readonly Json[];
}

/** The revision of the whole store in an answer. */
export function revisionIn(answer: Json): bigint {
  const { header } = answer;
  return isObject(header) ? numberIn(header, "revision") : 0n;
}

/** A 64-bit number; what is left out is 0. */
export function numberIn(json: Json, field: string): bigint {
  const value = json[field] ?? "0";
  if (typeof value !== "string" || !/^\d{1,19}$/.test(value)) throw new DamagedColumn(`etcd's ${field} is no number`);
  return BigInt(value);
}

function textIn(value: unknown): string {
  if (value !== undefined && typeof value !== "string") throw new DamagedColumn("etcd's answer is not text");
  return value ?? "";
}

export function recordOf(key: string, pair: Json): StoredRecord {
  return {
    key,
    value: Buffer.from(textIn(pair["value"]), "base64"),
    revision: numberIn(pair, "mod_revision"),
    createdRevision: numberIn(pair, "create_revision"),
  };
}

/** A change of a record, by an event of a watch. */
export function changeOf(key: string, event: Json, pair: Json): Change {
  if (event["type"] === "DELETE") return { kind: "deleted", key, revision: numberIn(pair, "mod_revision") };
  return { kind: "put", record: recordOf(key, pair) };
}

/** Demands that a key has a revision; 0: it is not there. */
export function revisionIs(key: string, revision: bigint): Json {
  return { key, target: "MOD", result: "EQUAL", mod_revision: String(revision) };
}

/** Demands that a key has a revision or a later one. */
export function revisionIsFrom(key: string, revision: bigint): Json {
  return { key, target: "MOD", result: "GREATER", mod_revision: String(revision - 1n) };
}

/** Demands that the lease's key is the one that was created then, and ends with this lease of etcd's. */
export function leaseIs(key: string, { epoch, id }: Pick<StoredLease, "epoch" | "id">): readonly Json[] {
  return [
    { key, target: "CREATE", result: "EQUAL", create_revision: String(epoch) },
    { key, target: "LEASE", result: "EQUAL", lease: id },
  ];
}
