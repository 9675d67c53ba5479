// The bytes of the messages between members and meta nodes: src/cluster/messages/membership.ts.

import { unreachable } from "../../base/assert.ts";
import type { SlotOwner, SlotTable } from "../../model/slot.ts";
import type {
  ClientAddresses,
  ClientCount,
  ConfigValue,
  Heartbeat,
  MemberAddress,
  Members,
  MembersVersion,
  MemberToMeta,
  MetaToMember,
  SlotReport,
} from "../messages/membership.ts";
import {
  readAppRevision,
  readAppsListed,
  readName,
  readRevisionRefused,
  readRevisions,
  readRevisionsStored,
  readServiceApps,
  writeAppRevision,
  writeAppsListed,
  writeRevisionRefused,
  writeRevisions,
  writeRevisionsStored,
  writeServiceApps,
} from "./apps.ts";
import { readServiceKey } from "./datum.ts";
import type { UnknownMessage } from "./format.ts";
import { NodeReader } from "./nodeReader.ts";
import { encodeMessage, type NodeWriter } from "./nodeWriter.ts";
import { readMemberRole, writeRole } from "./role.ts";
import { readRules, writeRules } from "./rules.ts";

const TO_META = {
  heartbeat: 1,
  watchConfig: 2,
  unwatchConfig: 3,
  registerRevision: 4,
  findRevisions: 5,
  renewRevisions: 6,
  watchServiceApps: 7,
  unwatchServiceApps: 8,
  listApps: 9,
} as const satisfies Record<MemberToMeta["kind"], number>;

const TO_MEMBER = {
  slotTable: 1,
  members: 2,
  config: 3,
  refused: 4,
  clientCounts: 5,
  revisions: 6,
  revisionsStored: 7,
  revisionRefused: 8,
  serviceApps: 9,
  appsListed: 10,
  rules: 11,
} as const satisfies Record<MetaToMember["kind"], number>;

export function encodeMemberToMeta(message: MemberToMeta): Uint8Array {
  return encodeMessage(message, writeMemberToMeta);
}

export function encodeMetaToMember(message: MetaToMember): Uint8Array {
  return encodeMessage(message, writeMetaToMember);
}

export function writeMemberToMeta(writer: NodeWriter, message: MemberToMeta): void {
  writer.begin(TO_META[message.kind]);
  switch (message.kind) {
    case "heartbeat":
      return writeHeartbeat(writer, message);
    case "watchConfig":
    case "unwatchConfig":
      return writer.names(message.serviceKeys);
    case "registerRevision":
      return writeAppRevision(writer, message.revision);
    case "findRevisions":
    case "renewRevisions":
      return writer.names(message.ids);
    case "watchServiceApps":
    case "unwatchServiceApps":
      return writer.names(message.services);
    case "listApps":
      return writer.varint(message.question);
    default:
      return unreachable(message);
  }
}

/** Throws NODE_MESSAGE_MALFORMED. */
export function decodeMemberToMeta(content: Uint8Array): MemberToMeta | UnknownMessage {
  const reader = new NodeReader(content);
  switch (reader.kind) {
    case TO_META.heartbeat:
      return readHeartbeat(reader) ?? reader.unknown("a role");
    case TO_META.watchConfig:
      return { kind: "watchConfig", serviceKeys: reader.list(readServiceKey) };
    case TO_META.unwatchConfig:
      return { kind: "unwatchConfig", serviceKeys: reader.list(readServiceKey) };
    case TO_META.registerRevision:
      return { kind: "registerRevision", revision: readAppRevision(reader) };
    case TO_META.findRevisions:
      return { kind: "findRevisions", ids: reader.list(readName) };
    case TO_META.renewRevisions:
      return { kind: "renewRevisions", ids: reader.list(readName) };
    case TO_META.watchServiceApps:
      return { kind: "watchServiceApps", services: reader.list(readName) };
    case TO_META.unwatchServiceApps:
      return { kind: "unwatchServiceApps", services: reader.list(readName) };
    case TO_META.listApps:
      return { kind: "listApps", question: reader.varint() };
    default:
      return reader.unknown();
  }
}

export function writeMetaToMember(writer: NodeWriter, message: MetaToMember): void {
  writer.begin(TO_MEMBER[message.kind]);
  switch (message.kind) {
    case "slotTable":
      writeSlotTable(writer, message.table);
      return writer.long(message.versionFloor);
    case "members":
      writeMembersVersion(writer, message.members);
      writer.list(message.members.list, writeMemberAddress);
      return writer.names(message.members.blocked ?? []);
    case "config":
      return writeConfigValue(writer, message.value);
    case "refused":
      return writer.text(message.reason);
    case "clientCounts":
      return writer.list(message.counts, writeClientCount);
    case "revisions":
      return writeRevisions(writer, message);
    case "revisionsStored":
      return writeRevisionsStored(writer, message);
    case "revisionRefused":
      return writeRevisionRefused(writer, message);
    case "serviceApps":
      return writeServiceApps(writer, message);
    case "appsListed":
      return writeAppsListed(writer, message);
    case "rules":
      return writeRules(writer, message);
    default:
      return unreachable(message);
  }
}

/** Throws NODE_MESSAGE_MALFORMED. */
export function decodeMetaToMember(content: Uint8Array): MetaToMember | UnknownMessage {
  const reader = new NodeReader(content);
  switch (reader.kind) {
    case TO_MEMBER.slotTable:
      return { kind: "slotTable", table: readSlotTable(reader), versionFloor: reader.long() };
    case TO_MEMBER.members:
      return { kind: "members", members: readMembers(reader) };
    case TO_MEMBER.config:
      return { kind: "config", value: readConfigValue(reader) };
    case TO_MEMBER.refused:
      return { kind: "refused", reason: reader.text() };
    case TO_MEMBER.clientCounts:
      return { kind: "clientCounts", counts: reader.list(readClientCount) };
    case TO_MEMBER.revisions:
      return readRevisions(reader);
    case TO_MEMBER.revisionsStored:
      return readRevisionsStored(reader);
    case TO_MEMBER.revisionRefused:
      return readRevisionRefused(reader);
    case TO_MEMBER.serviceApps:
      return readServiceApps(reader);
    case TO_MEMBER.appsListed:
      return readAppsListed(reader);
    case TO_MEMBER.rules:
      return readRules(reader);
    default:
      return reader.unknown();
  }
}

function writeHeartbeat(writer: NodeWriter, heartbeat: Heartbeat): void {
  writeRole(writer, heartbeat.role);
  writer.text(heartbeat.address);
  writer.optionalText(heartbeat.clientAddresses?.get(FIRST_LISTENER));
  writer.long(heartbeat.tableEpoch);
  writeMembersVersion(writer, heartbeat.members);
  writer.flag(heartbeat.isLeaving);
  writer.flag(heartbeat.slots !== undefined);
  if (heartbeat.slots !== undefined) writeSlotReport(writer, heartbeat.slots);
  writer.flag(heartbeat.newestVersion !== undefined);
  if (heartbeat.newestVersion !== undefined) writer.long(heartbeat.newestVersion);
  writer.flag(heartbeat.clients !== undefined);
  if (heartbeat.clients !== undefined) writer.varint(heartbeat.clients);
  writer.list(laterAddresses(heartbeat.clientAddresses), writeClientAddress);
  writer.flag(heartbeat.rulesEpoch !== undefined);
  if (heartbeat.rulesEpoch !== undefined) writer.long(heartbeat.rulesEpoch);
  writeZone(writer, heartbeat.zone);
}

function readHeartbeat(reader: NodeReader): Heartbeat | undefined {
  const role = readMemberRole(reader);
  if (role === undefined) return undefined;
  const address = reader.plainText();
  const clientAddress = reader.flag() ? reader.plainText() : undefined;
  const heartbeat = {
    kind: "heartbeat",
    role,
    address,
    tableEpoch: reader.long(),
    members: readMembersVersion(reader),
    isLeaving: reader.flag(),
  } as const;
  return {
    ...heartbeat,
    ...(reader.flag() && { slots: readSlotReport(reader) }),
    ...(reader.flag() && { newestVersion: reader.long() }),
    // The first release wrote only the fields above, the second one nothing after the clients.
    ...(reader.remaining > 0 && reader.flag() && { clients: reader.varint() }),
    ...clientAddresses(clientAddress, reader.remaining > 0 ? reader.list(readClientAddress) : []),
    ...(reader.remaining > 0 && reader.flag() && { rulesEpoch: reader.long() }),
    ...(reader.remaining > 0 && reader.flag() && { zone: reader.name() }),
  };
}

function writeZone(writer: NodeWriter, zone: string | undefined): void {
  writer.flag(zone !== undefined);
  if (zone !== undefined) writer.name(zone);
}

// The first releases knew one listener of a session, whose address has its own field.
const FIRST_LISTENER = "bolt";

type NamedAddress = readonly [listener: string, address: string];

function laterAddresses(addresses: ClientAddresses = NO_ADDRESSES): NamedAddress[] {
  return [...addresses].filter(([listener]) => listener !== FIRST_LISTENER);
}

const NO_ADDRESSES: ClientAddresses = new Map();

function clientAddresses(
  first: string | undefined,
  later: readonly NamedAddress[],
): { readonly clientAddresses?: ClientAddresses } {
  const named: readonly NamedAddress[] = first === undefined ? later : [[FIRST_LISTENER, first], ...later];
  return named.length === 0 ? {} : { clientAddresses: new Map(named) };
}

function writeClientAddress(writer: NodeWriter, [listener, address]: NamedAddress): void {
  writer.name(listener);
  writer.name(address);
  writer.endRecord();
}

function readClientAddress(reader: NodeReader): NamedAddress {
  const listener = reader.plainName();
  const address = reader.plainName();
  reader.endRecord();
  return [listener, address];
}

function writeSlotReport(writer: NodeWriter, report: SlotReport): void {
  writer.numbers(report.serving);
  writer.numbers(report.held);
  writer.numbers(report.inSync);
  writer.endRecord();
}

function readSlotReport(reader: NodeReader): SlotReport {
  const report = { serving: readSlotNumbers(reader), held: readSlotNumbers(reader), inSync: readSlotNumbers(reader) };
  reader.endRecord();
  return report;
}

// Sixteen times the slots of a cluster. A member's report of its slots is kept in memory.
const SLOTS_MAX = 4_096;

function readSlotNumbers(reader: NodeReader): number[] {
  const start = reader.offset;
  const slots = reader.numbers();
  if (slots.length > SLOTS_MAX) throw reader.wrong(`${slots.length} slots`, start);
  return slots;
}

function writeMembersVersion(writer: NodeWriter, version: MembersVersion): void {
  writer.long(version.epoch);
  writer.varint(version.serial);
}

function readMembersVersion(reader: NodeReader): MembersVersion {
  return { epoch: reader.long(), serial: reader.varint() };
}

// Skips a member in a role that this release does not know: the other members are still valid.
function readMembers(reader: NodeReader): Members {
  const version = readMembersVersion(reader);
  const list = reader.list(readMemberAddress).filter((member) => member !== undefined);
  // The first release wrote only the fields above.
  const blocked = reader.remaining > 0 ? reader.list(readNodeId) : [];
  return { ...version, list, ...(blocked.length > 0 && { blocked }) };
}

function writeClientCount(writer: NodeWriter, { session, clients }: ClientCount): void {
  writer.name(session);
  writer.varint(clients);
  writer.endRecord();
}

function readClientCount(reader: NodeReader): ClientCount {
  const count = { session: reader.nodeName(), clients: reader.varint() };
  reader.endRecord();
  return count;
}

function writeMemberAddress(writer: NodeWriter, member: MemberAddress): void {
  writer.name(member.id);
  writeRole(writer, member.role);
  writer.name(member.address);
  writer.optionalText(member.clientAddresses?.get(FIRST_LISTENER));
  const later = laterAddresses(member.clientAddresses);
  const { zone } = member;
  const writeTail = () => {
    writer.list(later, writeClientAddress);
    writeZone(writer, zone);
  };
  writer.endRecordWith(later.length === 0 && zone === undefined ? undefined : writeTail);
}

function readMemberAddress(reader: NodeReader): MemberAddress | undefined {
  const id = reader.nodeName();
  const role = readMemberRole(reader);
  const address = reader.plainName();
  const clientAddress = reader.flag() ? reader.plainText() : undefined;
  const tail = reader.endRecordWith((end) => {
    const later = reader.list(readClientAddress);
    return { later, ...(reader.offset < end && reader.flag() && { zone: reader.name() }) };
  });
  if (role === undefined) return undefined;
  const { later = [], ...rest } = tail ?? {};
  return { id, role, address, ...clientAddresses(clientAddress, later), ...rest };
}

function writeSlotTable(writer: NodeWriter, table: SlotTable): void {
  writer.long(table.epoch);
  writer.list(table.slots, writeSlotOwner);
}

function readSlotTable(reader: NodeReader): SlotTable {
  return { epoch: reader.long(), slots: reader.list(readSlotOwner) };
}

function writeSlotOwner(writer: NodeWriter, owner: SlotOwner): void {
  writer.name(owner.leader);
  writer.long(owner.leaderEpoch);
  writer.names(owner.followers);
  writer.endRecord();
}

function readSlotOwner(reader: NodeReader): SlotOwner {
  const owner = {
    leader: reader.nodeName(),
    leaderEpoch: reader.long(),
    followers: reader.list(readNodeId),
  };
  reader.endRecord();
  return owner;
}

function readNodeId(reader: NodeReader): SlotOwner["leader"] {
  return reader.nodeName();
}

function writeConfigValue(writer: NodeWriter, value: ConfigValue): void {
  writer.name(value.serviceKey);
  writer.long(value.version);
  writer.optionalText(value.data ?? undefined);
}

function readConfigValue(reader: NodeReader): ConfigValue {
  return {
    serviceKey: readServiceKey(reader),
    version: reader.long(),
    data: reader.optionalText() ?? null,
  };
}
