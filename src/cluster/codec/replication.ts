// The bytes of the messages between a follower and its leader: src/cluster/messages/replication.ts.

import { unreachable } from "../../base/assert.ts";
import { HOST_NUMBERS, type ServiceKey } from "../../model/ids.ts";
import type {
  FollowerToLeader,
  KeptVersion,
  LeaderToFollower,
  Remover,
  ReplicaDatum,
  SlotHold,
} from "../messages/replication.ts";
import { readServiceKey, writeDatumVersion } from "./datum.ts";
import type { UnknownMessage } from "./format.ts";
import { NodeReader } from "./nodeReader.ts";
import { encodeMessage, type NodeWriter } from "./nodeWriter.ts";
import { readPublication, readStamp, writePublication, writeStamp } from "./publication.ts";
import { readPublishItem, writePublishItem } from "./publishItem.ts";

const TO_LEADER = { follow: 1 } as const satisfies Record<FollowerToLeader["kind"], number>;

const TO_FOLLOWER = {
  replica: 1,
  change: 2,
  notLeader: 3,
} as const satisfies Record<LeaderToFollower["kind"], number>;

export function encodeFollowerToLeader(message: FollowerToLeader): Uint8Array {
  return encodeMessage(message, writeFollowerToLeader);
}

export function encodeLeaderToFollower(message: LeaderToFollower): Uint8Array {
  return encodeMessage(message, writeLeaderToFollower);
}

export function writeFollowerToLeader(writer: NodeWriter, message: FollowerToLeader): void {
  writer.begin(TO_LEADER[message.kind]);
  writer.varint(message.slot);
  writer.long(message.leaderEpoch);
  writer.list(message.kept, writeKeptVersion);
}

/** Throws NODE_MESSAGE_MALFORMED. */
export function decodeFollowerToLeader(content: Uint8Array): FollowerToLeader | UnknownMessage {
  const reader = new NodeReader(content);
  if (reader.kind !== TO_LEADER.follow) return reader.unknown();
  return {
    kind: "follow",
    slot: reader.varint(),
    leaderEpoch: reader.long(),
    kept: reader.list(readKeptVersion),
  };
}

export function writeLeaderToFollower(writer: NodeWriter, message: LeaderToFollower): void {
  writer.begin(TO_FOLLOWER[message.kind]);
  writer.varint(message.slot);
  writer.long(message.leaderEpoch);
  switch (message.kind) {
    case "replica":
      writer.list(message.datums, writeReplicaDatum);
      writer.names(message.gone);
      writer.flag(message.isLast);
      writer.flag(message.hold !== undefined);
      return message.hold === undefined ? undefined : writeSlotHold(writer, message.hold);
    case "change":
      writer.name(message.serviceKey);
      writeDatumVersion(writer, message);
      writer.list(message.items, writePublishItem);
      writer.varint(message.expected);
      writer.flag(message.hidden !== undefined);
      return message.hidden === undefined ? undefined : writer.varint(message.hidden);
    case "notLeader":
      return;
    default:
      return unreachable(message);
  }
}

/** Throws NODE_MESSAGE_MALFORMED. */
export function decodeLeaderToFollower(content: Uint8Array): LeaderToFollower | UnknownMessage {
  const reader = new NodeReader(content);
  switch (reader.kind) {
    case TO_FOLLOWER.replica:
      return {
        kind: "replica",
        slot: reader.varint(),
        leaderEpoch: reader.long(),
        datums: reader.list(readReplicaDatum),
        gone: reader.list(readServiceKey),
        isLast: reader.flag(),
        ...(reader.flag() && { hold: readSlotHold(reader) }),
      };
    case TO_FOLLOWER.change:
      return readChange(reader);
    case TO_FOLLOWER.notLeader:
      return { kind: "notLeader", slot: reader.varint(), leaderEpoch: reader.long() };
    default:
      return reader.unknown();
  }
}

function readChange(reader: NodeReader): LeaderToFollower | UnknownMessage {
  const change = {
    kind: "change",
    slot: reader.varint(),
    leaderEpoch: reader.long(),
    serviceKey: readServiceKey(reader),
    version: reader.long(),
    origin: reader.long(),
  } as const;
  const items = reader.listIfKnown(readPublishItem);
  if (items === undefined) return reader.unknown("a kind of publish item");
  const expected = reader.varint();
  // Leaders of earlier releases write only the fields above.
  return { ...change, items, expected, ...(reader.remaining > 0 && reader.flag() && { hidden: reader.varint() }) };
}

function writeSlotHold(writer: NodeWriter, { remainingMs, expected }: SlotHold): void {
  writer.varint(remainingMs);
  writer.list(expected, writeExpected);
}

function readSlotHold(reader: NodeReader): SlotHold {
  return { remainingMs: reader.varint(), expected: reader.list(readExpected) };
}

function writeExpected(writer: NodeWriter, [serviceKey, size]: readonly [ServiceKey, number]): void {
  writer.name(serviceKey);
  writer.varint(size);
  writer.endRecord();
}

function readExpected(reader: NodeReader): readonly [ServiceKey, number] {
  const expected = [readServiceKey(reader), reader.varint()] as const;
  reader.endRecord();
  return expected;
}

function writeKeptVersion(writer: NodeWriter, kept: KeptVersion): void {
  writer.name(kept.serviceKey);
  writeDatumVersion(writer, kept);
  writer.varint(kept.count);
  writer.digest(kept.digest);
  writer.endRecord();
}

function readKeptVersion(reader: NodeReader): KeptVersion {
  const kept = {
    serviceKey: readServiceKey(reader),
    version: reader.long(),
    origin: reader.long(),
    count: reader.varint(),
    digest: reader.digest(),
  };
  reader.endRecord();
  return kept;
}

function writeReplicaDatum(writer: NodeWriter, datum: ReplicaDatum): void {
  writer.name(datum.serviceKey);
  writeDatumVersion(writer, datum);
  writer.list(datum.publications, writePublication);
  writer.list(datum.tombstones, writeTombstone);
  const { hidden } = datum;
  writer.endRecordWith(hidden === undefined ? undefined : () => writer.varint(hidden));
}

function readReplicaDatum(reader: NodeReader): ReplicaDatum {
  const datum = {
    serviceKey: readServiceKey(reader),
    version: reader.long(),
    origin: reader.long(),
    publications: reader.list(readPublication),
    tombstones: reader.list(readTombstone),
  };
  const hidden = reader.endRecordWith(() => reader.varint());
  return { ...datum, ...(hidden !== undefined && { hidden }) };
}

type Tombstone = ReplicaDatum["tombstones"][number];

function writeTombstone(writer: NodeWriter, [registId, stamp, by]: Tombstone): void {
  writer.text(registId);
  writeStamp(writer, stamp);
  writer.endRecordWith(by && (() => writeRemover(writer, by)));
}

function readTombstone(reader: NodeReader): Tombstone {
  const registId = reader.text();
  const stamp = readStamp(reader);
  const by = reader.endRecordWith(() => readRemover(reader));
  return by === undefined ? [registId, stamp] : [registId, stamp, by];
}

function writeRemover(writer: NodeWriter, { found, host }: Remover): void {
  writer.flag(found === "held");
  writer.varint(host);
}

function readRemover(reader: NodeReader): Remover {
  const found = reader.flag() ? "held" : "nothing";
  const start = reader.offset;
  const host = reader.varint();
  if (host > HOST_NUMBERS) throw reader.wrong(`${host} is the number of no host`, start);
  return { found, host };
}
