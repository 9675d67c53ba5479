// The bytes of the messages between session and data nodes: src/cluster/messages/sessionData.ts.

import { unreachable } from "../../base/assert.ts";
import type { ServiceKey } from "../../model/ids.ts";
import type { DataToSession, InventoryEntry, SessionToData } from "../messages/sessionData.ts";
import {
  readAddressAnswer,
  readAddressAsk,
  readAddressRelease,
  writeAddressAnswer,
  writeAddressAsk,
  writeAddressRelease,
} from "./address.ts";
import {
  readCatalogue,
  readCatalogueChanged,
  readCatalogueRelease,
  readCatalogueWatch,
  readScanned,
  readSlotDigest,
  writeCatalogue,
  writeCatalogueChanged,
  writeCatalogueRelease,
  writeCatalogueWatch,
  writeScanned,
  writeSlotDigest,
} from "./catalogue.ts";
import {
  readDatumVersion,
  readDelta,
  readServiceKey,
  readSnapshot,
  writeDatumVersion,
  writeDelta,
  writeSnapshot,
} from "./datum.ts";
import type { UnknownMessage } from "./format.ts";
import { readRenew, readRenewed, writeRenew, writeRenewed } from "./lease.ts";
import { NodeReader } from "./nodeReader.ts";
import { encodeMessage, type NodeWriter } from "./nodeWriter.ts";
import { writeStamp } from "./publication.ts";
import {
  readPublishItem,
  readSuperseded,
  readUnlisted,
  writePublishItem,
  writeSuperseded,
  writeUnlisted,
} from "./publishItem.ts";
import {
  readSurveyAnswer,
  readSurveyAsk,
  readSurveyAsked,
  readSurveyEnded,
  readSurveyLost,
  readSurveyPart,
  readSurveySpread,
  writeSurveyAnswer,
  writeSurveyAsk,
  writeSurveyAsked,
  writeSurveyEnded,
  writeSurveyLost,
  writeSurveyPart,
  writeSurveySpread,
} from "./survey.ts";

const TO_DATA = {
  publish: 1,
  fetch: 2,
  release: 3,
  scan: 4,
  digests: 5,
  inventory: 6,
  recalled: 7,
  yielded: 8,
  catalogueWatch: 9,
  catalogueRelease: 10,
  addressAsk: 11,
  addressRelease: 12,
  reissue: 13,
  surveyAsk: 14,
  surveyRelease: 15,
  surveyPart: 16,
  renew: 17,
} as const satisfies Record<SessionToData["kind"], number>;

const TO_SESSION = {
  taken: 1,
  moved: 2,
  snapshot: 3,
  delta: 4,
  changed: 5,
  current: 6,
  notReady: 7,
  synced: 8,
  differs: 9,
  wanted: 10,
  recall: 11,
  challenged: 12,
  catalogue: 13,
  catalogueChanged: 14,
  addressAnswer: 15,
  surveySpread: 16,
  surveyAnswer: 17,
  surveyLost: 18,
  surveyAsked: 19,
  surveyEnded: 20,
  renewed: 21,
} as const satisfies Record<DataToSession["kind"], number>;

export function encodeSessionToData(message: SessionToData): Uint8Array {
  return encodeMessage(message, writeSessionToData);
}

export function encodeDataToSession(message: DataToSession): Uint8Array {
  return encodeMessage(message, writeDataToSession);
}

export function writeSessionToData(writer: NodeWriter, message: SessionToData): void {
  writer.begin(TO_DATA[message.kind]);
  switch (message.kind) {
    case "publish":
      writer.varint(message.batch);
      writer.long(message.epoch);
      return writer.list(message.items, writePublishItem);
    case "fetch":
    case "reissue":
      writer.name(message.serviceKey);
      return writeDatumVersion(writer, message.have);
    case "release":
      return writer.names(message.serviceKeys);
    case "scan":
      return writer.list(message.versions, writeScanned);
    case "digests":
      writer.long(message.epoch);
      return writer.list(message.slots, writeSlotDigest);
    case "inventory":
      writer.long(message.epoch);
      writer.varint(message.slot);
      writer.list(message.entries, writeInventoryEntry);
      writer.flag(message.isFirst);
      return writer.flag(message.isLast);
    case "recalled":
      return writeSnapshot(writer, message.datum);
    case "yielded":
      return writer.list(message.registrations, writeInventoryEntry);
    case "catalogueWatch":
      return writeCatalogueWatch(writer, message);
    case "catalogueRelease":
      return writeCatalogueRelease(writer, message);
    case "addressAsk":
      return writeAddressAsk(writer, message);
    case "addressRelease":
      return writeAddressRelease(writer, message);
    case "surveyAsk":
      return writeSurveyAsk(writer, message);
    case "surveyRelease":
      return writer.numbers(message.questions);
    case "surveyPart":
      return writeSurveyPart(writer, message);
    case "renew":
      return writeRenew(writer, message);
    default:
      return unreachable(message);
  }
}

/** Throws NODE_MESSAGE_MALFORMED. */
export function decodeSessionToData(content: Uint8Array): SessionToData | UnknownMessage {
  const reader = new NodeReader(content);
  switch (reader.kind) {
    case TO_DATA.publish:
      return readPublish(reader);
    case TO_DATA.fetch:
      return { kind: "fetch", serviceKey: readServiceKey(reader), have: readDatumVersion(reader) };
    case TO_DATA.reissue:
      return { kind: "reissue", serviceKey: readServiceKey(reader), have: readDatumVersion(reader) };
    case TO_DATA.release:
      return { kind: "release", serviceKeys: reader.list(readServiceKey) };
    case TO_DATA.scan:
      return { kind: "scan", versions: reader.list(readScanned) };
    case TO_DATA.digests:
      return { kind: "digests", epoch: reader.long(), slots: reader.list(readSlotDigest) };
    case TO_DATA.inventory:
      return {
        kind: "inventory",
        epoch: reader.long(),
        slot: reader.varint(),
        entries: reader.list(readInventoryEntry),
        isFirst: reader.flag(),
        isLast: reader.flag(),
      };
    case TO_DATA.recalled:
      return { kind: "recalled", datum: readSnapshot(reader) };
    case TO_DATA.yielded:
      return { kind: "yielded", registrations: reader.list(readInventoryEntry) };
    case TO_DATA.catalogueWatch:
      return readCatalogueWatch(reader);
    case TO_DATA.catalogueRelease:
      return readCatalogueRelease(reader);
    case TO_DATA.addressAsk:
      return readAddressAsk(reader);
    case TO_DATA.addressRelease:
      return readAddressRelease(reader);
    case TO_DATA.surveyAsk:
      return readSurveyAsk(reader);
    case TO_DATA.surveyRelease:
      return { kind: "surveyRelease", questions: reader.numbers() };
    case TO_DATA.surveyPart:
      return readSurveyPart(reader);
    case TO_DATA.renew:
      return readRenew(reader);
    default:
      return reader.unknown();
  }
}

function readPublish(reader: NodeReader): SessionToData | UnknownMessage {
  const batch = reader.varint();
  const epoch = reader.long();
  const items = reader.listIfKnown(readPublishItem);
  return items === undefined ? reader.unknown("a kind of publish item") : { kind: "publish", batch, epoch, items };
}

export function writeDataToSession(writer: NodeWriter, message: DataToSession): void {
  writer.begin(TO_SESSION[message.kind]);
  switch (message.kind) {
    case "taken":
      writer.varint(message.batch);
      writer.list(message.superseded, writeSuperseded);
      writer.list(message.unlisted, writeUnlisted);
      return writer.flag(message.isFull);
    case "moved":
      writer.varint(message.batch);
      return writer.long(message.epoch);
    case "snapshot":
      return writeSnapshot(writer, message.datum);
    case "delta":
      return writeDelta(writer, message.delta);
    case "changed":
      writer.name(message.serviceKey);
      return writeDatumVersion(writer, message.version);
    case "current":
    case "notReady":
    case "recall":
      return writer.name(message.serviceKey);
    case "synced":
    case "differs":
      return writer.numbers(message.slots);
    case "wanted":
      writer.varint(message.slot);
      writer.list(message.keys, writeWantedKey);
      return writer.list(message.superseded, writeSuperseded);
    case "challenged":
      return writer.list(message.registrations, writeInventoryEntry);
    case "catalogue":
      return writeCatalogue(writer, message);
    case "catalogueChanged":
      return writeCatalogueChanged(writer, message);
    case "addressAnswer":
      return writeAddressAnswer(writer, message);
    case "surveySpread":
      return writeSurveySpread(writer, message);
    case "surveyAnswer":
      return writeSurveyAnswer(writer, message);
    case "surveyLost":
      return writeSurveyLost(writer, message);
    case "surveyAsked":
      return writeSurveyAsked(writer, message);
    case "surveyEnded":
      return writeSurveyEnded(writer, message);
    case "renewed":
      return writeRenewed(writer, message);
    default:
      return unreachable(message);
  }
}

/** Throws NODE_MESSAGE_MALFORMED. */
export function decodeDataToSession(content: Uint8Array): DataToSession | UnknownMessage {
  const reader = new NodeReader(content);
  switch (reader.kind) {
    case TO_SESSION.taken:
      return readTaken(reader);
    case TO_SESSION.moved:
      return { kind: "moved", batch: reader.varint(), epoch: reader.long() };
    case TO_SESSION.snapshot:
      return { kind: "snapshot", datum: readSnapshot(reader) };
    case TO_SESSION.delta: {
      const delta = readDelta(reader);
      return delta === undefined ? reader.unknown("a kind of datum change") : { kind: "delta", delta };
    }
    case TO_SESSION.changed:
      return { kind: "changed", serviceKey: readServiceKey(reader), version: readDatumVersion(reader) };
    case TO_SESSION.current:
      return { kind: "current", serviceKey: readServiceKey(reader) };
    case TO_SESSION.notReady:
      return { kind: "notReady", serviceKey: readServiceKey(reader) };
    case TO_SESSION.recall:
      return { kind: "recall", serviceKey: readServiceKey(reader) };
    case TO_SESSION.synced:
      return { kind: "synced", slots: reader.numbers() };
    case TO_SESSION.differs:
      return { kind: "differs", slots: reader.numbers() };
    case TO_SESSION.wanted:
      return {
        kind: "wanted",
        slot: reader.varint(),
        keys: reader.list(readWantedKey),
        superseded: reader.list(readSuperseded),
      };
    case TO_SESSION.challenged:
      return { kind: "challenged", registrations: reader.list(readInventoryEntry) };
    case TO_SESSION.catalogue:
      return readCatalogue(reader);
    case TO_SESSION.catalogueChanged:
      return readCatalogueChanged(reader);
    case TO_SESSION.addressAnswer:
      return readAddressAnswer(reader);
    case TO_SESSION.surveySpread:
      return readSurveySpread(reader);
    case TO_SESSION.surveyAnswer:
      return readSurveyAnswer(reader);
    case TO_SESSION.surveyLost:
      return readSurveyLost(reader);
    case TO_SESSION.surveyAsked:
      return readSurveyAsked(reader);
    case TO_SESSION.surveyEnded:
      return readSurveyEnded(reader);
    case TO_SESSION.renewed:
      return readRenewed(reader);
    default:
      return reader.unknown();
  }
}

// A release that knows no bounds reports neither unlisted registrations nor that it is full.
function readTaken(reader: NodeReader): DataToSession {
  const batch = reader.varint();
  const superseded = reader.list(readSuperseded);
  if (reader.remaining === 0) return { kind: "taken", batch, superseded, unlisted: [], isFull: false };
  return { kind: "taken", batch, superseded, unlisted: reader.list(readUnlisted), isFull: reader.flag() };
}

function writeInventoryEntry(writer: NodeWriter, entry: InventoryEntry): void {
  writer.name(entry.serviceKey);
  writer.text(entry.registId);
  writeStamp(writer, entry);
  writer.endRecord();
}

function readInventoryEntry(reader: NodeReader): InventoryEntry {
  const entry = {
    serviceKey: readServiceKey(reader),
    registId: reader.text(),
    version: reader.long(),
    registeredMs: reader.f64(),
  };
  reader.endRecord();
  return entry;
}

function writeWantedKey(writer: NodeWriter, [serviceKey, registId]: readonly [ServiceKey, string]): void {
  writer.name(serviceKey);
  writer.text(registId);
  writer.endRecord();
}

function readWantedKey(reader: NodeReader): readonly [ServiceKey, string] {
  const key = [readServiceKey(reader), reader.text()] as const;
  reader.endRecord();
  return key;
}
