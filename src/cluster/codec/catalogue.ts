// The bytes of the messages about the catalogue: src/cluster/messages/catalogue.ts.

import type { CatalogueEntry } from "../../model/catalogue.ts";
import type { DatumVersion } from "../../model/datum.ts";
import { brandCatalogueScope, type CatalogueScope, type ServiceKey } from "../../model/ids.ts";
import type { CatalogueMessage, CatalogueQuestion } from "../messages/catalogue.ts";
import type { SlotDigest } from "../messages/slotDigest.ts";
import { readDatumVersion, readServiceKey, writeDatumVersion } from "./datum.ts";
import type { NodeReader } from "./nodeReader.ts";
import type { NodeWriter } from "./nodeWriter.ts";

type Of<Kind extends (CatalogueQuestion | CatalogueMessage)["kind"]> = Extract<
  CatalogueQuestion | CatalogueMessage,
  { kind: Kind }
>;

export function writeCatalogueWatch(writer: NodeWriter, message: Of<"catalogueWatch">): void {
  writer.text(message.scope);
  writer.list(message.known, writeSlotDigest);
  writer.numbers(message.unknown);
  writer.list(message.ahead, writeScanned);
}

export function readCatalogueWatch(reader: NodeReader): Of<"catalogueWatch"> {
  return {
    kind: "catalogueWatch",
    scope: readScope(reader),
    known: reader.list(readSlotDigest),
    unknown: reader.numbers(),
    ahead: reader.list(readScanned),
  };
}

export function writeCatalogueRelease(writer: NodeWriter, { scopes }: Of<"catalogueRelease">): void {
  writer.list(scopes, (to, scope) => to.text(scope));
}

export function readCatalogueRelease(reader: NodeReader): Of<"catalogueRelease"> {
  return { kind: "catalogueRelease", scopes: reader.list(readScope) };
}

export function writeCatalogue(writer: NodeWriter, message: Of<"catalogue">): void {
  writer.text(message.scope);
  writer.varint(message.slot);
  writer.list(message.entries, writeEntry);
  writer.names(message.held);
  writer.flag(message.isFirst);
  writer.flag(message.isLast);
}

export function readCatalogue(reader: NodeReader): Of<"catalogue"> {
  return {
    kind: "catalogue",
    scope: readScope(reader),
    slot: reader.varint(),
    entries: reader.list(readEntry),
    held: reader.list(readServiceKey),
    isFirst: reader.flag(),
    isLast: reader.flag(),
  };
}

export function writeCatalogueChanged(writer: NodeWriter, { scope, base, entries }: Of<"catalogueChanged">): void {
  writer.text(scope);
  writeSlotDigest(writer, base);
  writer.list(entries, writeEntry);
}

export function readCatalogueChanged(reader: NodeReader): Of<"catalogueChanged"> {
  return {
    kind: "catalogueChanged",
    scope: readScope(reader),
    base: readSlotDigest(reader),
    entries: reader.list(readEntry),
  };
}

export function writeSlotDigest(writer: NodeWriter, digest: SlotDigest): void {
  writer.varint(digest.slot);
  writer.varint(digest.count);
  writer.digest(digest.digest);
  writer.endRecord();
}

export function readSlotDigest(reader: NodeReader): SlotDigest {
  const digest = { slot: reader.varint(), count: reader.varint(), digest: reader.digest() };
  reader.endRecord();
  return digest;
}

export function writeScanned(writer: NodeWriter, [serviceKey, version]: readonly [ServiceKey, DatumVersion]): void {
  writer.name(serviceKey);
  writeDatumVersion(writer, version);
  writer.endRecord();
}

export function readScanned(reader: NodeReader): readonly [ServiceKey, DatumVersion] {
  const scanned = [readServiceKey(reader), readDatumVersion(reader)] as const;
  reader.endRecord();
  return scanned;
}

function readScope(reader: NodeReader): CatalogueScope {
  return brandCatalogueScope(reader.text());
}

function writeEntry(writer: NodeWriter, entry: CatalogueEntry): void {
  writer.name(entry.serviceKey);
  writeDatumVersion(writer, entry);
  writer.varint(entry.size);
  const { unhealthy } = entry;
  writer.endRecordWith(unhealthy === undefined ? undefined : () => writer.varint(unhealthy));
}

function readEntry(reader: NodeReader): CatalogueEntry {
  const entry = { serviceKey: readServiceKey(reader), ...readDatumVersion(reader), size: reader.varint() };
  const unhealthy = reader.endRecordWith(() => reader.varint());
  return unhealthy === undefined ? entry : { ...entry, unhealthy };
}
