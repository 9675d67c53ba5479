// The records of persistent registrations, as JSON. There are three kinds, all under one prefix:
//
//   registration/<digest>   a registration, or the mark that it was taken back. The digest is that of its key, which
//                           may be longer than a record's key
//   status/<digest>         the statuses of its checks
//   keeper/<node id>        a session that can keep registrations: those of earlier releases can't
//
// A record that can't be read is one of a later release. It is left alone: that release's sessions keep it.

import { crc32 } from "../base/crc32.ts";
import { sha256Hex } from "../base/sha256.ts";
import { utf8String } from "../base/text.ts";
import { CHECK_STATUSES, type Check, type CheckResult } from "../model/check.ts";
import { brandServiceKey, type ClientId, clientId, isNodeId, type NodeId, nodeId } from "../model/ids.ts";
import type { Instance } from "../model/instance.ts";
import type { PersistentKey, PersistentRegistration } from "../registry/persistent.ts";
import {
  type Fields,
  fieldsIn,
  flagIn,
  listIn,
  mapIn,
  numberIfIn,
  numberIn,
  textIn,
  Unreadable,
  wordIn,
} from "./fields.ts";
import { probeIn, probeJson } from "./probeForm.ts";

/** The prefix of all of them. */
export const PERSISTENT_PREFIX = "gateways/persistent/";
const REGISTRATION = `${PERSISTENT_PREFIX}registration/`;
const STATUS = `${PERSISTENT_PREFIX}status/`;
const KEEPER = `${PERSISTENT_PREFIX}keeper/`;

/** Identifies a registration among all of them, and in keys of records. */
export type RecordId = string;

/** The mark that a registration was taken back, which keeps nodes that do not know that yet from keeping it. */
export interface TakenBack extends PersistentKey {
  readonly holder: ClientId;
  readonly atMs: number;
}

/** A status as stored: it counts for the check that had this digest. */
export interface StoredStatus extends CheckResult {
  readonly digest: number;
  readonly sinceMs: number;
}

/** The statuses of a registration's checks, by the ids of the checks. */
export type StoredStatuses = ReadonlyMap<string, StoredStatus>;

/** A record, as its key names it. */
export type RecordName =
  | { readonly kind: "registration" | "status"; readonly id: RecordId }
  | { readonly kind: "keeper"; readonly node: NodeId };

export function recordIdOf({ serviceKey, registId }: PersistentKey): RecordId {
  return sha256Hex(ENCODER.encode(`${registId}\n${serviceKey}`));
}

export function registrationRecord(id: RecordId): string {
  return REGISTRATION + id;
}

export function statusRecord(id: RecordId): string {
  return STATUS + id;
}

export function keeperRecord(node: NodeId): string {
  return KEEPER + node;
}

/** The record of a key; undefined for one of a later release. */
export function recordNameOf(key: string): RecordName | undefined {
  if (key.startsWith(REGISTRATION)) return { kind: "registration", id: key.slice(REGISTRATION.length) };
  if (key.startsWith(STATUS)) return { kind: "status", id: key.slice(STATUS.length) };
  const node = key.startsWith(KEEPER) ? key.slice(KEEPER.length) : "";
  return isNodeId(node) ? { kind: "keeper", node: nodeId(node) } : undefined;
}

export function registrationBytes({ instance, checks, ...rest }: PersistentRegistration): Uint8Array {
  const { metadata, bags, ...fixed } = instance;
  const json = { ...rest, instance: { ...fixed, metadata: [...metadata], bags: [...bags] } };
  return bytesOf({ ...json, checks: checks.map(checkJson) });
}

export function takenBackBytes(taken: TakenBack): Uint8Array {
  return bytesOf({ ...taken, isTakenBack: true });
}

/** The value of a record of a registration; undefined if it can't be read. */
export function readRegistration(value: Uint8Array): PersistentRegistration | TakenBack | undefined {
  return readRecord(value, (fields) => {
    const key = { serviceKey: brandServiceKey(textIn(fields, "serviceKey")), registId: textIn(fields, "registId") };
    const common = { ...key, holder: clientId(textIn(fields, "holder")) };
    if (fields["isTakenBack"] === true) return { ...common, atMs: numberIn(fields, "atMs") };
    return {
      ...common,
      zone: textIn(fields, "zone"),
      appName: textIn(fields, "appName"),
      instance: instanceIn(fieldsIn(fields["instance"])),
      checks: listIn(fields["checks"]).map((check) => checkIn(fieldsIn(check))),
    };
  });
}

export function isTakenBack(read: PersistentRegistration | TakenBack): read is TakenBack {
  return "atMs" in read;
}

export function statusBytes(statuses: StoredStatuses): Uint8Array {
  return bytesOf({ statuses: [...statuses].map(([check, status]) => ({ check, ...status })) });
}

/** The value of a record of statuses; undefined if it can't be read. */
export function readStatuses(value: Uint8Array): StoredStatuses | undefined {
  return readRecord(value, ({ statuses }) => {
    return new Map(
      listIn(statuses).map((one) => {
        const fields = fieldsIn(one);
        const result = { status: wordIn(fields, "status", CHECK_STATUSES), output: textIn(fields, "output") };
        const digest = numberIn(fields, "digest");
        return [textIn(fields, "check"), { ...result, digest, sinceMs: numberIn(fields, "sinceMs") }];
      }),
    );
  });
}

export function keeperBytes(): Uint8Array {
  return bytesOf({});
}

// Lists of thousands of checks are compared with their statuses again and again.
const digests = new WeakMap<Check, number>();

/** A number for the definition of a check: a changed check begins anew. */
export function checkDigest(check: Check): number {
  const known = digests.get(check);
  if (known !== undefined) return known;
  const digest = crc32(bytesOf(checkJson(check)));
  digests.set(check, digest);
  return digest;
}

function checkJson({ probe, ...rest }: Check): unknown {
  return probe === undefined ? rest : { ...rest, probe: probeJson(probe) };
}

function checkIn(fields: Fields): Check {
  const ttlMs = numberIfIn(fields, "ttlMs");
  const deregisterAfterMs = numberIfIn(fields, "deregisterAfterMs");
  return {
    id: textIn(fields, "id"),
    name: textIn(fields, "name"),
    notes: textIn(fields, "notes"),
    ...(fields["probe"] !== undefined && { probe: probeIn(fieldsIn(fields["probe"])) }),
    ...(ttlMs !== undefined && { ttlMs }),
    intervalMs: numberIn(fields, "intervalMs"),
    timeoutMs: numberIn(fields, "timeoutMs"),
    successesBeforePassing: numberIn(fields, "successesBeforePassing"),
    failuresBeforeWarning: numberIn(fields, "failuresBeforeWarning"),
    failuresBeforeCritical: numberIn(fields, "failuresBeforeCritical"),
    initial: wordIn(fields, "initial", CHECK_STATUSES),
    ...(deregisterAfterMs !== undefined && { deregisterAfterMs }),
    bag: textIn(fields, "bag"),
  };
}

function instanceIn(fields: Fields): Instance {
  return {
    host: textIn(fields, "host"),
    port: numberIn(fields, "port"),
    securePort: numberIfIn(fields, "securePort"),
    weight: numberIn(fields, "weight"),
    isEnabled: flagIn(fields, "isEnabled"),
    isHealthy: flagIn(fields, "isHealthy"),
    isPersistent: flagIn(fields, "isPersistent"),
    zone: textIn(fields, "zone"),
    metadata: mapIn(fields, "metadata"),
    source: textIn(fields, "source"),
    bags: mapIn(fields, "bags"),
  };
}

const ENCODER = new TextEncoder();

function bytesOf(json: unknown): Uint8Array {
  return ENCODER.encode(JSON.stringify(json));
}

function readRecord<Value>(value: Uint8Array, read: (fields: Fields) => Value): Value | undefined {
  const text = utf8String(value, 0, value.length);
  if (text === undefined) return undefined;
  try {
    return read(fieldsIn(JSON.parse(text)));
  } catch (error) {
    if (error instanceof Unreadable || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
