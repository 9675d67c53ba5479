// Writes the client protocol in protobuf, which has no null: a null is written as its default, so not at all.

import { unreachable } from "../../../base/assert.ts";
import { textOf, type WireText } from "../../../base/text.ts";
import { encodeProtobuf, type MessageOf } from "../../../encoding/protobuf/schema.ts";
import * as app from "./appMessages.ts";
import type {
  BaseRegister,
  Box,
  MultiReceivedData,
  MultiSegmentData,
  ReceivedConfigData,
  ReceivedData,
  ServiceMessage,
} from "./messages.ts";
import type { ProtobufMessage } from "./protobufClasses.ts";
import * as schemas from "./protobufSchemas.ts";

/** Encodes a message into fresh memory. */
export function encodeProtobufMessage(message: ProtobufMessage): Uint8Array {
  switch (message.kind) {
    case "metaRegister":
      return encodeProtobuf(app.META_REGISTER, message);
    case "serviceAppMappingRequest":
      return encodeProtobuf(app.SERVICE_APP_MAPPING_REQUEST, message);
    case "serviceAppMappingResponse":
      return encodeProtobuf(app.SERVICE_APP_MAPPING_RESPONSE, message);
    case "getRevisionsRequest":
      return encodeProtobuf(app.GET_REVISIONS_REQUEST, message);
    case "getRevisionsResponse":
      return encodeProtobuf(app.GET_REVISIONS_RESPONSE, message);
    case "metaHeartbeatRequest":
      return encodeProtobuf(app.META_HEARTBEAT_REQUEST, message);
    case "metaHeartbeatResponse":
      return encodeProtobuf(app.META_HEARTBEAT_RESPONSE, message);
    default:
      return encodeServiceMessage(message);
  }
}

function encodeServiceMessage(message: Extract<ProtobufMessage, ServiceMessage>): Uint8Array {
  switch (message.kind) {
    case "publisherRegister":
      return encodeProtobuf(schemas.PUBLISHER_REGISTER, {
        dataList: boxesPb(message.dataList),
        baseRegister: basePb(message),
      });
    case "subscriberRegister":
      return encodeProtobuf(schemas.SUBSCRIBER_REGISTER, {
        scope: message.scope ?? "",
        baseRegister: basePb(message),
        acceptEncoding: message.acceptEncoding ?? "",
        acceptMulti: message.acceptMulti,
      });
    case "syncConfigRequest":
      return encodeProtobuf(schemas.SYNC_CONFIG_REQUEST, {
        dataCenter: message.dataCenter ?? "",
        zone: message.zone ?? "",
      });
    case "registerResponse":
      return encodeProtobuf(schemas.REGISTER_RESPONSE, {
        ...message,
        registId: message.registId ?? "",
        message: message.message ?? "",
      });
    case "syncConfigResponse":
      return encodeProtobuf(schemas.SYNC_CONFIG_RESPONSE, {
        ...message,
        result: { success: message.success, message: message.message ?? "" },
      });
    case "result":
      return encodeProtobuf(schemas.RESULT, { success: message.success, message: message.message ?? "" });
    case "receivedData":
      return encodeProtobuf(schemas.RECEIVED_DATA, receivedPb(message));
    case "receivedConfigData":
      return encodeProtobuf(schemas.RECEIVED_CONFIG_DATA, receivedConfigPb(message));
    case "multiReceivedData":
      return encodeProtobuf(schemas.MULTI_RECEIVED_DATA, multiReceivedPb(message));
    default:
      return unreachable(message);
  }
}

function basePb(base: BaseRegister): schemas.BaseRegisterPb {
  return {
    instanceId: base.instanceId ?? "",
    zone: base.zone ?? "",
    appName: base.appName ?? "",
    dataId: base.dataId,
    group: base.group,
    processId: base.processId ?? "",
    registId: base.registId,
    clientId: base.clientId ?? "",
    dataInfoId: base.dataInfoId ?? "",
    ip: base.ip ?? "",
    port: base.port ?? 0,
    eventType: base.eventType ?? "",
    version: base.version,
    timestamp: base.timestamp,
    attributes: base.attributes,
  };
}

function receivedPb(message: ReceivedData): MessageOf<typeof schemas.RECEIVED_DATA> {
  return {
    dataId: message.dataId,
    group: message.group,
    instanceId: message.instanceId ?? "",
    segment: message.segment ?? "",
    scope: message.scope ?? "",
    subscriberRegistIds: message.subscriberRegistIds,
    data: zonesPb(message.data),
    version: message.version,
    localZone: message.localZone ?? "",
    encoding: message.compressed?.encoding ?? "",
    body: message.compressed?.body ?? NO_BYTES,
    originBodySize: message.compressed?.originBodySize ?? 0,
    pushDataCount: message.dataCount ?? new Map(),
  };
}

function receivedConfigPb(message: ReceivedConfigData): MessageOf<typeof schemas.RECEIVED_CONFIG_DATA> {
  return {
    dataId: message.dataId,
    group: message.group,
    instanceId: message.instanceId ?? "",
    configuratorRegistIds: message.configuratorRegistIds,
    dataBox: message.dataBox,
    version: message.version,
  };
}

function multiReceivedPb(message: MultiReceivedData): MessageOf<typeof schemas.MULTI_RECEIVED_DATA> {
  const multiData = new Map<string, MessageOf<typeof schemas.MULTI_SEGMENT_DATA>>();
  for (const [name, segment] of message.multiData) multiData.set(name, segmentPb(segment));
  return {
    dataId: message.dataId,
    group: message.group,
    instanceId: message.instanceId ?? "",
    scope: message.scope ?? "",
    subscriberRegistIds: message.subscriberRegistIds,
    localSegment: message.localSegment ?? "",
    localZone: message.localZone ?? "",
    multiData,
  };
}

function segmentPb(segment: MultiSegmentData): MessageOf<typeof schemas.MULTI_SEGMENT_DATA> {
  return {
    segment: segment.segment ?? "",
    zipData: segment.zipData ?? NO_BYTES,
    unzipData: zonesPb(segment.unzipData),
    encoding: segment.encoding ?? "",
    version: segment.version,
    pushDataCount: segment.dataCount ?? new Map(),
  };
}

const NO_BYTES = new Uint8Array(0);
const NO_TEXT = textOf("");

/** Boxes in protobuf, where a null box becomes an empty one. */
export function boxesPb(boxes: Iterable<Box>): readonly WireText[] {
  const texts: WireText[] = [];
  for (const box of boxes) texts.push(box ?? NO_TEXT);
  return texts;
}

function zonesPb(zones: ReadonlyMap<string, readonly Box[]> | null): schemas.BoxesByZonePb {
  const pb = new Map<string, MessageOf<typeof schemas.DATA_BOXES>>();
  for (const [zone, boxes] of zones ?? []) pb.set(zone, { data: boxesPb(boxes) });
  return pb;
}
