// The bytes of changes that sessions pass to data nodes and leaders to followers, and of the answers about losers.

import { unreachable } from "../../base/assert.ts";
import { brandServiceKey, clientId } from "../../model/ids.ts";
import type { PublishItem, Removal, Superseded, Unlisted } from "../messages/sessionData.ts";
import type { NodeReader } from "./nodeReader.ts";
import type { NodeWriter } from "./nodeWriter.ts";
import { readPublication, readStamp, writePublication, writeStamp } from "./publication.ts";

const ITEM = { put: 1, remove: 2 } as const satisfies Record<PublishItem["kind"], number>;
const CAUSE = { unpublished: 1, left: 2 } as const satisfies Record<Removal["cause"], number>;

export function writePublishItem(writer: NodeWriter, item: PublishItem): void {
  writer.varint(ITEM[item.kind]);
  switch (item.kind) {
    case "put":
      return writePublication(writer, item.publication);
    case "remove":
      return writeRemoval(writer, item.removal);
    default:
      return unreachable(item);
  }
}

/** Undefined if this release does not know the kind of change, or its cause. */
export function readPublishItem(reader: NodeReader): PublishItem | undefined {
  switch (reader.varint()) {
    case ITEM.put:
      return { kind: "put", publication: readPublication(reader) };
    case ITEM.remove: {
      const removal = readRemoval(reader);
      return removal === undefined ? undefined : { kind: "remove", removal };
    }
    default:
      return undefined;
  }
}

function writeRemoval(writer: NodeWriter, removal: Removal): void {
  writer.varint(CAUSE[removal.cause]);
  writer.name(removal.serviceKey);
  writer.text(removal.registId);
  writeStamp(writer, removal.stamp);
  const { client, isOfLease = false } = removal;
  if (client === undefined) return writer.endRecord();
  writer.endRecordWith(() => {
    writer.name(client);
    writer.flag(isOfLease);
  });
}

function readRemoval(reader: NodeReader): Removal | undefined {
  const cause = causeOf(reader.varint());
  if (cause === undefined) return undefined;
  const removal = {
    serviceKey: brandServiceKey(reader.name()),
    registId: reader.text(),
    cause,
    stamp: readStamp(reader),
  };
  const by = reader.endRecordWith((end) => readRemover(reader, end));
  return by === undefined ? removal : { ...removal, ...by };
}

/** Sessions of earlier releases write the client at most. */
function readRemover(reader: NodeReader, end: number): Pick<Removal, "client" | "isOfLease"> {
  const client = clientId(reader.name());
  return reader.offset < end && reader.flag() ? { client, isOfLease: true } : { client };
}

function causeOf(number: number): Removal["cause"] | undefined {
  if (number === CAUSE.unpublished) return "unpublished";
  return number === CAUSE.left ? "left" : undefined;
}

export function writeSuperseded(writer: NodeWriter, superseded: Superseded): void {
  writer.name(superseded.serviceKey);
  writer.text(superseded.registId);
  writeStamp(writer, superseded.stamp);
  writeStamp(writer, superseded.by);
  writer.flag(superseded.isRemoved);
  writer.endRecord(superseded.holder);
}

export function readSuperseded(reader: NodeReader): Superseded {
  const superseded = {
    serviceKey: brandServiceKey(reader.name()),
    registId: reader.text(),
    stamp: readStamp(reader),
    by: readStamp(reader),
    isRemoved: reader.flag(),
  };
  const holder = reader.endRecordWithName();
  return holder === undefined ? superseded : { ...superseded, holder: clientId(holder) };
}

export function writeUnlisted(writer: NodeWriter, unlisted: Unlisted): void {
  writer.name(unlisted.serviceKey);
  writer.text(unlisted.registId);
  writeStamp(writer, unlisted.stamp);
  writer.flag(unlisted.listed !== undefined);
  if (unlisted.listed !== undefined) writeStamp(writer, unlisted.listed);
  writer.varint(unlisted.bytes);
  writer.varint(unlisted.bytesMax);
  writer.endRecord();
}

export function readUnlisted(reader: NodeReader): Unlisted {
  const unlisted = {
    serviceKey: brandServiceKey(reader.name()),
    registId: reader.text(),
    stamp: readStamp(reader),
    ...(reader.flag() && { listed: readStamp(reader) }),
    bytes: reader.varint(),
    bytesMax: reader.varint(),
  };
  reader.endRecord();
  return unlisted;
}
