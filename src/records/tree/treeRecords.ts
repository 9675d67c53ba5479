// The records of the tree, and their bytes. docs/internals/tree.md says why there are these.
//
// | key below `gateways/zookeeper/tree/` | what it keeps |
// |---|---|
// | `node<path>` | a znode with its data |
// | `kids<path>` | the number of children that were created, and the last transaction that created or deleted one |
// | `session/<id>` | a session: its timeout, and the node that judges it |
// | `txns` | the transactions of the last commit: each commit writes it, so the store's history has them all |
//
// A path that is too long for a key is keyed by its digest, and stands in the value.

import { ByteReader, ByteWriter } from "../../base/bytes.ts";
import { fail } from "../../base/errors.ts";
import { sha256Hex } from "../../base/sha256.ts";
import { type NodeId, nodeId } from "../../model/ids.ts";
import { keysWith } from "../keys.ts";
import type { KeyRange } from "../records.ts";
import { type Acl, OPEN_ACL } from "./acl.ts";
import { type Lifetime, type Offspring, PERSISTENT, type SessionId, type Znode } from "./znode.ts";

/** All records of the tree stand below it. */
export const TREE_PREFIX = "gateways/zookeeper/tree/";
export const TREE_RANGE: KeyRange = keysWith(TREE_PREFIX);
export const TXNS_KEY = `${TREE_PREFIX}txns`;

const NODE = "node";
const KIDS = "kids";
const SESSION = "session/";
const DIGEST = "#";
/** Beside the prefix this leaves room in a key; a name of UTF-16 units takes three times as many bytes at most. */
const PATH_UNITS_MAX = 600;

/** A session, which lasts while its client is heard of. */
export interface SessionState {
  readonly id: SessionId;
  readonly timeoutMs: number;
  /** The node that hears its client and judges whether it has ended. */
  readonly judge: NodeId;
  /** The judge has taken it over without having heard of its client. */
  readonly isAdopted: boolean;
  /** It is being ended: its ephemerals go, and it makes none. */
  readonly isEnding: boolean;
}

/** The kinds of changes of a path that watches hear of. */
export const EVENT = { created: 1, deleted: 2, dataChanged: 3 } as const;
export type EventKind = (typeof EVENT)[keyof typeof EVENT];

export interface TreeEvent {
  readonly kind: EventKind;
  readonly path: string;
  /** Of the znode: those who may not read it hear nothing. */
  readonly acl: readonly Acl[];
}

/** The transactions of one commit, in order. Those that changed nothing are not among them. */
export interface CommitTxns {
  /** The maker of the commit, and the number of the commit among those of that maker. */
  readonly maker: string;
  readonly number: number;
  readonly txns: readonly (readonly TreeEvent[])[];
}

/** The content of a record. */
export type TreeRecord =
  | { readonly kind: "node"; readonly path: string; readonly znode: Znode }
  | { readonly kind: "kids"; readonly path: string; readonly offspring: Offspring }
  | { readonly kind: "session"; readonly session: SessionState }
  | { readonly kind: "txns"; readonly commit: CommitTxns };

/** The content of a key; its path is undefined if only the value has it. */
export type TreeKey =
  | { readonly kind: "node" | "kids"; readonly path: string | undefined }
  | { readonly kind: "session"; readonly id: SessionId }
  | { readonly kind: "txns" | "other" };

export function nodeKey(path: string): string {
  return pathKey(NODE, path);
}

export function kidsKey(path: string): string {
  return pathKey(KIDS, path);
}

export function sessionKey(id: SessionId): string {
  return `${TREE_PREFIX}${SESSION}${id.toString(16).padStart(14, "0")}`;
}

/** Whether a path is keyed by its digest. */
export function isLongPath(path: string): boolean {
  return path.length > PATH_UNITS_MAX;
}

function pathKey(kind: string, path: string): string {
  return `${TREE_PREFIX}${kind}${isLongPath(path) ? DIGEST + sha256Hex(ENCODER.encode(path)) : path}`;
}

/** Reads a key of TREE_RANGE. */
export function readKey(key: string): TreeKey {
  const rest = key.slice(TREE_PREFIX.length);
  if (rest === "txns") return { kind: "txns" };
  if (rest.startsWith(SESSION)) return { kind: "session", id: Number.parseInt(rest.slice(SESSION.length), 16) };
  for (const kind of [NODE, KIDS] as const) {
    if (!rest.startsWith(kind)) continue;
    const path = rest.slice(kind.length);
    return { kind, path: path.startsWith(DIGEST) ? undefined : path };
  }
  return { kind: "other" };
}

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
// A release that writes another form counts on.
const FORM = 1;
// Flags of a session.
const ENDING = 1;
const ADOPTED = 2;
/** Flag of an event: an ACL follows; else it is the open one. */
const HAS_ACL = 0x80;
const LIFETIMES = ["persistent", "ephemeral", "container", "ttl", "mirrored"] as const;

/** The value of `node<path>`. */
export function encodeNode(path: string, { lifetime, acl, data, ...znode }: Znode): Uint8Array {
  const writer = begun(64 + (data?.length ?? 0));
  writePath(writer, path);
  for (const number of [znode.czxid, znode.mzxid, znode.createdMs, znode.modifiedMs]) writer.f64(number);
  writer.i32(znode.version);
  writer.i32(znode.aclVersion);
  writeLifetime(writer, lifetime);
  writeAcl(writer, acl);
  writer.u8(data === undefined ? 0 : 1);
  if (data !== undefined) writer.bytes(data);
  return writer.done();
}

/** The value of `kids<path>`. */
export function encodeKids(path: string, { creates, pzxid }: Offspring): Uint8Array {
  const writer = begun(32);
  writePath(writer, path);
  writer.i32(creates);
  writer.f64(pzxid);
  return writer.done();
}

/** The value of `session/<id>`. */
export function encodeSession({ timeoutMs, judge, isAdopted, isEnding }: SessionState): Uint8Array {
  const writer = begun(64);
  writer.i32(timeoutMs);
  writer.u8((isEnding ? ENDING : 0) | (isAdopted ? ADOPTED : 0));
  writeText(writer, judge);
  return writer.done();
}

/** The value of `txns`. */
export function encodeTxns({ maker, number, txns }: CommitTxns): Uint8Array {
  const writer = begun(256);
  writeText(writer, maker);
  writer.f64(number);
  writer.u16(txns.length);
  for (const events of txns) {
    writer.u32(events.length);
    for (const { kind, path, acl } of events) {
      const hasAcl = acl !== OPEN_ACL;
      writer.u8(hasAcl ? kind | HAS_ACL : kind);
      writeText(writer, path);
      if (hasAcl) writeAcl(writer, acl);
    }
  }
  return writer.done();
}

/** Reads a record of TREE_RANGE; undefined for one that this release does not know. Throws STORE_DAMAGED. */
export function decodeRecord(key: string, value: Uint8Array): TreeRecord | undefined {
  const named = readKey(key);
  const reader = new ByteReader(value, (details) => fail("STORE_DAMAGED", { key, ...details }));
  const form = reader.u8();
  if (form !== FORM) throw fail("STORE_DAMAGED", { key, form, reason: "an unknown form of record" });
  switch (named.kind) {
    case "node":
      return { kind: "node", path: readPath(reader, named.path), znode: readZnode(reader) };
    case "kids":
      return { kind: "kids", path: readPath(reader, named.path), offspring: readOffspring(reader) };
    case "session":
      return { kind: "session", session: readSession(reader, named.id) };
    case "txns":
      return { kind: "txns", commit: readTxns(reader) };
    case "other":
      return undefined;
  }
}

function begun(bytesExpected: number): ByteWriter {
  const writer = new ByteWriter(bytesExpected);
  writer.u8(FORM);
  return writer;
}

function writePath(writer: ByteWriter, path: string): void {
  writeText(writer, isLongPath(path) ? path : "");
}

function readPath(reader: ByteReader, known: string | undefined): string {
  const written = readText(reader);
  return known ?? written;
}

function writeText(writer: ByteWriter, text: string): void {
  const bytes = ENCODER.encode(text);
  writer.u32(bytes.length);
  writer.bytes(bytes);
}

function readText(reader: ByteReader): string {
  return DECODER.decode(reader.view(reader.u32()));
}

function writeLifetime(writer: ByteWriter, lifetime: Lifetime): void {
  writer.u8(LIFETIMES.indexOf(lifetime.kind));
  if (lifetime.kind === "ephemeral") writer.f64(lifetime.session);
  if (lifetime.kind === "ttl") writer.f64(lifetime.ttlMs);
}

function readLifetime(reader: ByteReader): Lifetime {
  const kind = LIFETIMES[reader.u8()];
  switch (kind) {
    case "persistent":
      return PERSISTENT;
    case "container":
    case "mirrored":
      return { kind };
    case "ephemeral":
      return { kind, session: reader.f64() };
    case "ttl":
      return { kind, ttlMs: reader.f64() };
    default:
      throw reader.wrong("an unknown lifetime");
  }
}

function writeAcl(writer: ByteWriter, acl: readonly Acl[]): void {
  const entries = acl === OPEN_ACL ? [] : acl;
  writer.u16(entries.length);
  for (const { permissions, scheme, id } of entries) {
    writer.u8(permissions);
    writeText(writer, scheme);
    writeText(writer, id);
  }
}

function readAcl(reader: ByteReader): readonly Acl[] {
  const count = reader.u16();
  if (count === 0) return OPEN_ACL;
  const entries: Acl[] = [];
  for (let left = count; left > 0; left--) {
    entries.push({ permissions: reader.u8(), scheme: readText(reader), id: readText(reader) });
  }
  return entries;
}

function readZnode(reader: ByteReader): Znode {
  const [czxid, mzxid, createdMs, modifiedMs] = [reader.f64(), reader.f64(), reader.f64(), reader.f64()];
  const [version, aclVersion] = [reader.i32(), reader.i32()];
  const lifetime = readLifetime(reader);
  const acl = readAcl(reader);
  const data = reader.u8() === 0 ? undefined : reader.view(reader.remaining);
  return { czxid, mzxid, createdMs, modifiedMs, version, aclVersion, lifetime, acl, data };
}

function readOffspring(reader: ByteReader): Offspring {
  return { creates: reader.i32(), pzxid: reader.f64() };
}

function readSession(reader: ByteReader, id: SessionId): SessionState {
  const timeoutMs = reader.i32();
  const flags = reader.u8();
  const judge = nodeId(readText(reader));
  return { id, timeoutMs, judge, isAdopted: (flags & ADOPTED) !== 0, isEnding: (flags & ENDING) !== 0 };
}

function readTxns(reader: ByteReader): CommitTxns {
  const maker = readText(reader);
  const number = reader.f64();
  const txns: TreeEvent[][] = [];
  for (let left = reader.u16(); left > 0; left--) {
    const events: TreeEvent[] = [];
    for (let more = reader.u32(); more > 0; more--) events.push(readEvent(reader));
    txns.push(events);
  }
  return { maker, number, txns };
}

function readEvent(reader: ByteReader): TreeEvent {
  const word = reader.u8();
  const kind = kindOf(word & ~HAS_ACL);
  if (kind === undefined) throw reader.wrong("an unknown event");
  return { kind, path: readText(reader), acl: (word & HAS_ACL) === 0 ? OPEN_ACL : readAcl(reader) };
}

function kindOf(number: number): EventKind | undefined {
  return Object.values(EVENT).find((kind) => kind === number);
}
