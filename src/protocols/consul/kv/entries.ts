// Entries of the key-value store as records, and the sessions that lock them.

import type { StoredRecord } from "../../../records/records.ts";

/** The prefix of the gateway's records, and those of its kinds below it. */
export const PREFIX = "gateways/consul/";
export const KV_PREFIX = `${PREFIX}kv/`;
export const SESSIONS_PREFIX = `${PREFIX}sessions/`;

/** An entry; indexes are revisions of the store. */
export interface Entry {
  readonly key: string;
  readonly value: Uint8Array;
  /** A whole number of 64 bits, as its digits. */
  readonly flags: string;
  /** The session that holds the lock; empty: none. */
  readonly session: string;
  /** How often it was locked. */
  readonly lockIndex: number;
  /** Its lock was taken from a session that ended; it can't be locked for so long. */
  readonly delayMs: number;
  readonly createIndex: bigint;
  readonly modifyIndex: bigint;
}

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder("utf-8");
const NEWLINE = 10;

/** A line of JSON, and the value as it is. */
export function encodeEntry({ value, flags, session, lockIndex, delayMs }: Entry): Uint8Array {
  const head = ENCODER.encode(`${JSON.stringify({ flags, session, lockIndex, delayMs })}\n`);
  const bytes = new Uint8Array(head.length + value.length);
  bytes.set(head);
  bytes.set(value, head.length);
  return bytes;
}

export function decodeEntry({ key, value, revision, createdRevision }: StoredRecord): Entry {
  const end = value.indexOf(NEWLINE);
  const head = fieldsOf(value.subarray(0, Math.max(0, end)));
  return {
    key: key.slice(KV_PREFIX.length),
    value: value.subarray(end + 1),
    flags: textIn(head, "flags", "0"),
    session: textIn(head, "session", ""),
    lockIndex: numberIn(head, "lockIndex"),
    delayMs: numberIn(head, "delayMs"),
    createIndex: createdRevision,
    modifyIndex: revision,
  };
}

/** A session: it ends when it is not renewed, is destroyed, or one of its checks turns critical. */
export interface Session {
  readonly id: string;
  readonly name: string;
  readonly node: string;
  readonly behavior: "release" | "delete";
  readonly lockDelayMs: number;
  /** 0: it needs no renewal. */
  readonly ttlMs: number;
  /** As it was written. */
  readonly ttl: string;
  readonly nodeChecks: readonly string[];
  readonly serviceChecks: unknown;
  readonly createIndex: bigint;
  readonly modifyIndex: bigint;
}

export function encodeSession({ createIndex: _created, modifyIndex: _modified, ...session }: Session): Uint8Array {
  return ENCODER.encode(JSON.stringify(session));
}

export function decodeSession({ key, value, revision, createdRevision }: StoredRecord): Session {
  const fields = fieldsOf(value);
  const nodeChecks = fields["nodeChecks"];
  return {
    id: key.slice(SESSIONS_PREFIX.length),
    name: textIn(fields, "name", ""),
    node: textIn(fields, "node", ""),
    behavior: fields["behavior"] === "delete" ? "delete" : "release",
    lockDelayMs: numberIn(fields, "lockDelayMs"),
    ttlMs: numberIn(fields, "ttlMs"),
    ttl: textIn(fields, "ttl", ""),
    nodeChecks: Array.isArray(nodeChecks) ? nodeChecks.map(String) : [],
    serviceChecks: fields["serviceChecks"] ?? null,
    createIndex: createdRevision,
    modifyIndex: revision,
  };
}

type Head = Readonly<Record<string, unknown>>;

function fieldsOf(bytes: Uint8Array): Head {
  const value: unknown = JSON.parse(DECODER.decode(bytes));
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function textIn(head: Head, name: string, otherwise: string): string {
  const value = head[name];
  return typeof value === "string" ? value : otherwise;
}

function numberIn(head: Head, name: string): number {
  const value = head[name];
  return typeof value === "number" ? value : 0;
}
