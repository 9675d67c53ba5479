// The bytes of publications in batches, lists and replicas.

import { brandServiceKey, clientId } from "../../model/ids.ts";
import { isWhole, type Payload } from "../../model/payload.ts";
import type { Owner, Publication, Stamp } from "../../model/publication.ts";
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
  writer.endRecord();
}

export function readPublication(reader: NodeReader): Publication {
  const publication = {
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
  reader.endRecord();
  return publication;
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
