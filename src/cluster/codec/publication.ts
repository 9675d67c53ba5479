// The bytes of publications in batches, lists and replicas.

import { brandServiceKey, clientId } from "../../model/ids.ts";
import { isWhole, type Payload } from "../../model/payload.ts";
import type { Condition, Lease, Owner, Publication, Stamp } from "../../model/publication.ts";
import type { NodeReader } from "./nodeReader.ts";
import type { NodeWriter } from "./nodeWriter.ts";

export function writeStamp(writer: NodeWriter, stamp: Stamp): void {
  writer.long(stamp.version);
  writer.f64(stamp.registeredMs);
}

export function readStamp(reader: NodeReader): Stamp {
  return { version: reader.long(), registeredMs: reader.f64() };
}

export function writePublication(writer: NodeWriter, publication: Publication): void {
  writer.name(publication.serviceKey);
  writer.text(publication.registId);
  writeStamp(writer, publication);
  writeOwner(writer, publication.owner);
  writer.name(publication.zone);
  writer.name(publication.appName);
  writeAttributes(writer, publication.attributes);
  writer.block(publication.payload);
  const { condition, lease } = publication;
  // Nearly all have neither: no closure for them.
  if (condition === undefined && lease === undefined) writer.endRecord();
  else writer.endRecordWith(() => writeBeside(writer, publication));
}

export function readPublication(reader: NodeReader): Publication {
  const publication: Publication = {
    serviceKey: brandServiceKey(reader.name()),
    registId: reader.text(),
    version: reader.long(),
    registeredMs: reader.f64(),
    owner: readOwner(reader),
    zone: reader.name(),
    appName: reader.name(),
    attributes: readAttributes(reader),
    payload: readPayload(reader),
  };
  // Nearly all have an empty tail: no closure for them.
  if (reader.endEmptyRecord()) return publication;
  const beside = reader.endRecordWith(() => readBeside(reader));
  return beside === undefined ? publication : { ...publication, ...beside };
}

type Beside = Pick<Publication, "condition" | "lease">;

// The fields that follow, and the values of those that are a bit.
const HAS_HEALTH = 1;
const IS_HEALTHY = 2;
const HAS_ENABLED = 4;
const IS_ENABLED = 8;
const HAS_WEIGHT = 16;
const HAS_LEASE = 32;
const HAS_UNHEALTHY_AFTER = 64;

function writeBeside(writer: NodeWriter, { condition, lease }: Beside): void {
  writer.varint(marksOf(condition, lease));
  if (condition?.weight !== undefined) writer.f64(condition.weight);
  if (lease === undefined) return;
  if (lease.unhealthyAfterMs !== undefined) writer.varint(lease.unhealthyAfterMs);
  writer.varint(lease.removedAfterMs);
}

function marksOf(condition: Condition | undefined, lease: Lease | undefined): number {
  let marks = 0;
  if (condition?.isHealthy !== undefined) marks |= condition.isHealthy ? HAS_HEALTH | IS_HEALTHY : HAS_HEALTH;
  if (condition?.isEnabled !== undefined) marks |= condition.isEnabled ? HAS_ENABLED | IS_ENABLED : HAS_ENABLED;
  if (condition?.weight !== undefined) marks |= HAS_WEIGHT;
  if (lease !== undefined) marks |= HAS_LEASE;
  return lease?.unhealthyAfterMs === undefined ? marks : marks | HAS_UNHEALTHY_AFTER;
}

function readBeside(reader: NodeReader): Beside {
  const marks = reader.varint();
  const has = (mark: number): boolean => (marks & mark) !== 0;
  const condition: Condition = {
    ...(has(HAS_HEALTH) && { isHealthy: has(IS_HEALTHY) }),
    ...(has(HAS_ENABLED) && { isEnabled: has(IS_ENABLED) }),
    ...(has(HAS_WEIGHT) && { weight: readWeight(reader) }),
  };
  const lease = has(HAS_LEASE) ? readLease(reader, has(HAS_UNHEALTHY_AFTER)) : undefined;
  return { ...(has(HAS_HEALTH | HAS_ENABLED | HAS_WEIGHT) && { condition }), ...(lease !== undefined && { lease }) };
}

function readWeight(reader: NodeReader): number {
  const start = reader.offset;
  const weight = reader.f64();
  if (!Number.isFinite(weight) || weight < 0) throw reader.wrong(`${weight} is no weight`, start);
  return weight;
}

function readLease(reader: NodeReader, hasUnhealthyAfter: boolean): Lease {
  const start = reader.offset;
  const lease = { ...(hasUnhealthyAfter && { unhealthyAfterMs: reader.varint() }), removedAfterMs: reader.varint() };
  if (lease.removedAfterMs === 0) throw reader.wrong("a lease of no time", start);
  return lease;
}

function readPayload(reader: NodeReader): Payload {
  const start = reader.offset;
  const payload = reader.block();
  if (!isWhole(payload)) throw reader.wrong("a payload whose texts are not whole", start);
  return payload;
}

export function writeOwner(writer: NodeWriter, { session, client }: Owner): void {
  writer.name(session);
  writer.name(client);
}

export function readOwner(reader: NodeReader): Owner {
  return { session: reader.nodeName(), client: clientId(reader.name()) };
}

function writeAttributes(writer: NodeWriter, attributes: ReadonlyMap<string, string>): void {
  writer.varint(attributes.size);
  if (attributes.size === 0) return;
  for (const [key, value] of attributes) {
    writer.name(key);
    writer.name(value);
  }
}

const NO_ATTRIBUTES: ReadonlyMap<string, string> = new Map();

function readAttributes(reader: NodeReader): ReadonlyMap<string, string> {
  const start = reader.offset;
  const count = reader.count();
  if (count === 0) return NO_ATTRIBUTES;
  const attributes = new Map<string, string>();
  for (let at = 0; at < count; at++) attributes.set(reader.name(), reader.name());
  if (attributes.size !== count) throw reader.wrong("two attributes of one name", start);
  return attributes;
}
