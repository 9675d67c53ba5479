// Reads the client protocol in protobuf. The result holds protobuf's defaults and no nulls, except for an absent box or
// compressed body.

import { decodeProtobuf, type MessageOf, type Schema } from "../../../encoding/protobuf/schema.ts";
import * as app from "./appMessages.ts";
import type {
  BaseRegister,
  Box,
  MultiReceivedData,
  MultiSegmentData,
  PublisherRegister,
  ReceivedConfigData,
  ReceivedData,
  SubscriberRegister,
  SyncConfigResponse,
} from "./messages.ts";
import { PROTOBUF_CLASS_NAMES, type ProtobufMessage } from "./protobufClasses.ts";
import * as schemas from "./protobufSchemas.ts";
import { REGISTER_LIMITS } from "./registerLimits.ts";

type Decode = (content: Uint8Array) => ProtobufMessage;

function decoding<P>(schema: Schema<P>, convert: (pb: P) => ProtobufMessage, fieldsMax?: number): Decode {
  return (content) => convert(decodeProtobuf(schema, content, fieldsMax));
}

const DECODERS: Readonly<Record<ProtobufMessage["kind"], Decode>> = {
  publisherRegister: decoding(schemas.PUBLISHER_REGISTER, publisherOf, REGISTER_LIMITS.valuesMax),
  subscriberRegister: decoding(schemas.SUBSCRIBER_REGISTER, subscriberOf, REGISTER_LIMITS.valuesMax),
  syncConfigRequest: decoding(schemas.SYNC_CONFIG_REQUEST, (pb) => ({ kind: "syncConfigRequest", ...pb })),
  registerResponse: decoding(schemas.REGISTER_RESPONSE, (pb) => ({ kind: "registerResponse", ...pb })),
  syncConfigResponse: decoding(schemas.SYNC_CONFIG_RESPONSE, syncConfigResponseOf),
  result: decoding(schemas.RESULT, (pb) => ({ kind: "result", ...pb })),
  receivedData: decoding(schemas.RECEIVED_DATA, receivedOf),
  receivedConfigData: decoding(schemas.RECEIVED_CONFIG_DATA, receivedConfigOf),
  multiReceivedData: decoding(schemas.MULTI_RECEIVED_DATA, multiReceivedOf),
  metaRegister: decoding(app.META_REGISTER, (pb) => ({ kind: "metaRegister", ...pb }), app.APP_LIMITS.fieldsMax),
  serviceAppMappingRequest: decoding(app.SERVICE_APP_MAPPING_REQUEST, (pb) => ({
    kind: "serviceAppMappingRequest",
    ...pb,
  })),
  serviceAppMappingResponse: decoding(app.SERVICE_APP_MAPPING_RESPONSE, (pb) => ({
    kind: "serviceAppMappingResponse",
    ...pb,
  })),
  getRevisionsRequest: decoding(app.GET_REVISIONS_REQUEST, (pb) => ({ kind: "getRevisionsRequest", ...pb })),
  getRevisionsResponse: decoding(app.GET_REVISIONS_RESPONSE, (pb) => ({ kind: "getRevisionsResponse", ...pb })),
  metaHeartbeatRequest: decoding(app.META_HEARTBEAT_REQUEST, (pb) => ({ kind: "metaHeartbeatRequest", ...pb })),
  metaHeartbeatResponse: decoding(app.META_HEARTBEAT_RESPONSE, (pb) => ({ kind: "metaHeartbeatResponse", ...pb })),
};

const DECODER_BY_CLASS: ReadonlyMap<string, Decode> = new Map(
  Object.entries(DECODERS).map(([kind, decode]) => [PROTOBUF_CLASS_NAMES[kind as ProtobufMessage["kind"]], decode]),
);

/** Decodes a message; undefined if its class does not belong to the protocol. Throws PROTOBUF_*. */
export function decodeProtobufMessage(className: string, content: Uint8Array): ProtobufMessage | undefined {
  return DECODER_BY_CLASS.get(className)?.(content);
}

function publisherOf(pb: MessageOf<typeof schemas.PUBLISHER_REGISTER>): PublisherRegister {
  return { kind: "publisherRegister", ...baseOf(pb.baseRegister), dataList: pb.dataList };
}

function subscriberOf(pb: MessageOf<typeof schemas.SUBSCRIBER_REGISTER>): SubscriberRegister {
  const { scope, acceptEncoding, acceptMulti } = pb;
  return { kind: "subscriberRegister", ...baseOf(pb.baseRegister), scope, acceptEncoding, acceptMulti };
}

// As in Java, an absent message reads as one with all defaults.
function baseOf(pb: schemas.BaseRegisterPb | null): BaseRegister {
  return pb ?? schemas.BASE_REGISTER.blank();
}

function syncConfigResponseOf(pb: MessageOf<typeof schemas.SYNC_CONFIG_RESPONSE>): SyncConfigResponse {
  const { retryInterval, availableSegments } = pb;
  return { kind: "syncConfigResponse", ...(pb.result ?? schemas.RESULT.blank()), retryInterval, availableSegments };
}

function receivedOf(pb: MessageOf<typeof schemas.RECEIVED_DATA>): ReceivedData {
  const { data, encoding, body, originBodySize, pushDataCount, ...rest } = pb;
  const compressed = encoding === "" ? null : { encoding, body, originBodySize };
  return { kind: "receivedData", ...rest, data: boxesByZone(data), dataCount: pushDataCount, compressed };
}

function receivedConfigOf(pb: MessageOf<typeof schemas.RECEIVED_CONFIG_DATA>): ReceivedConfigData {
  return { kind: "receivedConfigData", ...pb };
}

function multiReceivedOf(pb: MessageOf<typeof schemas.MULTI_RECEIVED_DATA>): MultiReceivedData {
  const multiData = new Map<string, MultiSegmentData>();
  for (const [name, segment] of pb.multiData) {
    const { unzipData, zipData, pushDataCount, ...rest } = segment;
    const zipped = zipData.length === 0 ? null : zipData;
    multiData.set(name, { ...rest, zipData: zipped, unzipData: boxesByZone(unzipData), dataCount: pushDataCount });
  }
  return { kind: "multiReceivedData", ...pb, multiData };
}

/** Decodes the decompressed content of a compressed push: boxes by zone. Throws PROTOBUF_*. */
export function decodeProtobufBoxes(body: Uint8Array): ReadonlyMap<string, readonly Box[]> {
  return boxesByZone(decodeProtobuf(schemas.RECEIVED_DATA_BODY, body).data);
}

function boxesByZone(pb: schemas.BoxesByZonePb): ReadonlyMap<string, readonly Box[]> {
  const zones = new Map<string, readonly Box[]>();
  for (const [zone, boxes] of pb) zones.set(zone, boxes.data);
  return zones;
}
