// Writes the client protocol in Hessian. The values of each class follow in the order of hessianClasses.ts.

import { unreachable } from "../../../base/assert.ts";
import { ByteWriter, freshBytes } from "../../../base/bytes.ts";
import { DraftWriter } from "../../../encoding/hessian/draftWriter.ts";
import { FinalWriter } from "../../../encoding/hessian/finalWriter.ts";
import type { HessianDialect } from "../../../encoding/hessian/tokenReader.ts";
import type { HessianWriter } from "../../../encoding/hessian/writer.ts";
import * as classes from "./hessianClasses.ts";
import {
  ABSENT_LIST,
  ABSENT_MAP,
  type BaseRegister,
  type Box,
  type MultiReceivedData,
  type MultiSegmentData,
  type PublisherRegister,
  type ReceivedConfigData,
  type ReceivedData,
  type RegisterResponse,
  type RpcServerException,
  type ServiceMessage,
  type SubscriberRegister,
  type SyncConfigResponse,
} from "./messages.ts";

/** A writer of the dialect; `out` is empty. */
export function hessianWriter(dialect: HessianDialect, out?: ByteWriter): HessianWriter {
  return dialect === "draft" ? new DraftWriter(out) : new FinalWriter(out);
}

// Answers take 200 bytes, registrations 700, a few messages megabytes: they are written here and then copied to memory
// of their size.
const SCRATCH_BYTES_MAX = 64 * 1024;
let scratch = new ByteWriter(SCRATCH_BYTES_MAX);

/** Encodes a message into fresh memory. */
export function encodeHessian(dialect: HessianDialect, message: ServiceMessage): Uint8Array {
  scratch.length = 0;
  write(hessianWriter(dialect, scratch), message);
  const written = scratch.done();
  if (written.length > SCRATCH_BYTES_MAX) {
    scratch = new ByteWriter(SCRATCH_BYTES_MAX);
    return written;
  }
  const bytes = freshBytes(written.length);
  bytes.set(written);
  return bytes;
}

function write(writer: HessianWriter, message: ServiceMessage): void {
  switch (message.kind) {
    case "publisherRegister":
      return writePublisher(writer, message);
    case "subscriberRegister":
      return writeSubscriber(writer, message);
    case "configuratorRegister":
      writer.object(classes.CONFIGURATOR_REGISTER);
      writeBase(writer, message);
      return writeMap(writer, message.attributes, (value) => writer.string(value));
    case "syncConfigRequest":
      writer.object(classes.SYNC_CONFIG_REQUEST);
      writer.string(message.dataCenter);
      return writer.string(message.zone);
    case "registerResponse":
      return writeRegisterResponse(writer, message);
    case "syncConfigResponse":
      return writeSyncConfigResponse(writer, message);
    case "result":
      writer.object(classes.RESULT);
      writer.boolean(message.success);
      return writer.string(message.message);
    case "receivedData":
      return writeReceived(writer, message);
    case "receivedConfigData":
      return writeReceivedConfig(writer, message);
    case "multiReceivedData":
      return writeMultiReceived(writer, message);
    case "rpcServerException":
      return writeException(writer, message);
    default:
      return unreachable(message);
  }
}

function writePublisher(writer: HessianWriter, message: PublisherRegister): void {
  writer.object(classes.PUBLISHER_REGISTER);
  writeBase(writer, message);
  writeList(writer, message.dataList, (box) => writeBox(writer, box));
  writeMap(writer, message.attributes, (value) => writer.string(value));
}

function writeSubscriber(writer: HessianWriter, message: SubscriberRegister): void {
  writer.object(classes.SUBSCRIBER_REGISTER);
  writer.string(message.scope);
  writer.string(message.acceptEncoding);
  writer.boolean(message.acceptMulti);
  writeBase(writer, message);
  writeMap(writer, message.attributes, (value) => writer.string(value));
}

function writeBase(writer: HessianWriter, base: BaseRegister): void {
  writer.string(base.instanceId);
  writer.string(base.zone);
  writer.string(base.appName);
  writer.string(base.dataId);
  writer.string(base.group);
  writer.string(base.processId);
  writer.string(base.registId);
  writer.string(base.clientId);
  writer.string(base.dataInfoId);
  writer.string(base.ip);
  if (base.port === null) writer.null();
  else writer.int(base.port);
  writer.string(base.eventType);
  writer.long(base.version);
  writer.long(base.timestamp);
}

function writeRegisterResponse(writer: HessianWriter, message: RegisterResponse): void {
  writer.object(classes.REGISTER_RESPONSE);
  writer.boolean(message.success);
  writer.string(message.registId);
  writer.long(message.version);
  writer.boolean(message.refused);
  writer.string(message.message);
}

function writeSyncConfigResponse(writer: HessianWriter, message: SyncConfigResponse): void {
  writer.object(classes.SYNC_CONFIG_RESPONSE);
  writer.int(message.retryInterval);
  writer.boolean(message.success);
  writer.string(message.message);
  writeStrings(writer, message.availableSegments);
}

function writeReceived(writer: HessianWriter, message: ReceivedData): void {
  writer.object(classes.RECEIVED_DATA);
  writer.string(message.dataId);
  writer.string(message.group);
  writer.string(message.instanceId);
  writer.string(message.segment);
  writer.string(message.scope);
  writer.long(message.version);
  writer.string(message.localZone);
  writeStrings(writer, message.subscriberRegistIds);
  writeZones(writer, message.data);
  writeMap(writer, message.dataCount, (count) => writer.int(count));
}

function writeReceivedConfig(writer: HessianWriter, message: ReceivedConfigData): void {
  writer.object(classes.RECEIVED_CONFIG_DATA);
  writer.string(message.dataId);
  writer.string(message.group);
  writer.string(message.instanceId);
  writer.long(message.version);
  writeStrings(writer, message.configuratorRegistIds);
  if (message.dataBox === null) writer.null();
  else writeBox(writer, message.dataBox);
}

function writeMultiReceived(writer: HessianWriter, message: MultiReceivedData): void {
  writer.object(classes.MULTI_RECEIVED_DATA);
  writer.string(message.dataId);
  writer.string(message.group);
  writer.string(message.instanceId);
  writer.string(message.scope);
  writer.string(message.localSegment);
  writer.string(message.localZone);
  writeStrings(writer, message.subscriberRegistIds);
  writeMap(writer, message.multiData, (segment) => writeSegment(writer, segment));
}

function writeSegment(writer: HessianWriter, segment: MultiSegmentData): void {
  writer.object(classes.MULTI_SEGMENT_DATA);
  writer.string(segment.segment);
  writer.string(segment.encoding);
  writer.long(segment.version);
  writer.bytes(segment.zipData);
  writeZones(writer, segment.unzipData);
  writeMap(writer, segment.dataCount, (count) => writer.int(count));
}

// As the real server's, down to the types of the empty lists; only the stack trace, which would be ours, stays empty.
function writeException(writer: HessianWriter, message: RpcServerException): void {
  writer.object(classes.RPC_SERVER_EXCEPTION);
  writer.string(message.message);
  writer.ref(0);
  writer.beginList(0, "[java.lang.StackTraceElement");
  writer.endList();
  writer.beginList(0, "java.util.Collections$EmptyList");
  writer.endList();
}

function writeBox(writer: HessianWriter, box: Box): void {
  writer.object(classes.DATA_BOX);
  writer.text(box);
}

/** Writes a list of strings. */
export function writeStrings(writer: HessianWriter, values: readonly string[]): void {
  writeList(writer, values, (value) => writer.string(value));
}

function writeZones(writer: HessianWriter, zones: ReadonlyMap<string, readonly Box[]> | null): void {
  writeMap(writer, zones, (boxes) => writeList(writer, boxes, (box) => writeBox(writer, box)));
}

function writeList<T>(writer: HessianWriter, values: readonly T[], write: (value: T) => void): void {
  if (values === ABSENT_LIST) return writer.null();
  writer.beginList(values.length);
  for (const value of values) write(value);
  writer.endList();
}

function writeMap<V>(writer: HessianWriter, map: ReadonlyMap<string, V> | null, write: (value: V) => void): void {
  if (map === null || map === ABSENT_MAP) return writer.null();
  writer.beginMap();
  for (const [key, value] of map) {
    writer.string(key);
    write(value);
  }
  writer.endMap();
}
