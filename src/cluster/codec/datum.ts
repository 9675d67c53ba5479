// Versions, lists and deltas of services.

import { unreachable } from "../../base/assert.ts";
import type { DatumChange, DatumDelta, DatumSnapshot, DatumVersion } from "../../model/datum.ts";
import { brandServiceKey, type ServiceKey } from "../../model/ids.ts";
import type { NodeReader } from "./nodeReader.ts";
import type { NodeWriter } from "./nodeWriter.ts";
import { readPublication, readStamp, writePublication, writeStamp } from "./publication.ts";

const CHANGE = { put: 1, removed: 2 } as const satisfies Record<DatumChange["kind"], number>;

export function writeDatumVersion(writer: NodeWriter, datum: DatumVersion): void {
  writer.long(datum.version);
  writer.long(datum.origin);
}

export function readDatumVersion(reader: NodeReader): DatumVersion {
  return { version: reader.long(), origin: reader.long() };
}

export function readServiceKey(reader: NodeReader): ServiceKey {
  return brandServiceKey(reader.name());
}

export function writeSnapshot(writer: NodeWriter, snapshot: DatumSnapshot): void {
  writer.name(snapshot.serviceKey);
  writeDatumVersion(writer, snapshot);
  writer.list(snapshot.publications, writePublication);
}

export function readSnapshot(reader: NodeReader): DatumSnapshot {
  return {
    serviceKey: readServiceKey(reader),
    version: reader.long(),
    origin: reader.long(),
    publications: reader.list(readPublication),
  };
}

export function writeDelta(writer: NodeWriter, delta: DatumDelta): void {
  writer.name(delta.serviceKey);
  writeDatumVersion(writer, delta);
  writeDatumVersion(writer, delta.base);
  writer.list(delta.changes, writeChange);
}

/** Undefined if this release does not know one of the changes. */
export function readDelta(reader: NodeReader): DatumDelta | undefined {
  const serviceKey = readServiceKey(reader);
  const { version, origin } = readDatumVersion(reader);
  const base = readDatumVersion(reader);
  const changes = reader.listIfKnown(readChange);
  return changes === undefined ? undefined : { serviceKey, version, origin, base, changes };
}

function writeChange(writer: NodeWriter, change: DatumChange): void {
  writer.varint(CHANGE[change.kind]);
  switch (change.kind) {
    case "put":
      return writePublication(writer, change.publication);
    case "removed":
      writer.text(change.registId);
      writeStamp(writer, change.stamp);
      return writer.endRecord();
    default:
      return unreachable(change);
  }
}

function readChange(reader: NodeReader): DatumChange | undefined {
  switch (reader.varint()) {
    case CHANGE.put:
      return { kind: "put", publication: readPublication(reader) };
    case CHANGE.removed: {
      const removed = { kind: "removed", registId: reader.text(), stamp: readStamp(reader) } as const;
      reader.endRecord();
      return removed;
    }
    default:
      return undefined;
  }
}
