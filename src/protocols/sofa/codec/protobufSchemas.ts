// The protobuf messages of the client protocol. Numbers and quirks (the body's field 7, the service's missing field 2)
// are the real server's.

import {
  BOOL,
  BYTES,
  field,
  INT32,
  INT64,
  type MessageOf,
  mapOf,
  optional,
  repeated,
  repeatedTexts,
  STRING,
  schema,
  stringMapOf,
  TEXT,
  wrapper,
} from "../../../encoding/protobuf/schema.ts";
import { REGISTER_LIMITS } from "./registerLimits.ts";

/** A DataBoxPb, a message with the single field `data`, which stands for it: a push holds thousands. */
export const DATA_BOX = wrapper(1, TEXT);

/** The boxes of one zone. */
export const DATA_BOXES = schema({ data: repeatedTexts(1, 1) });

/** The fields of every registration. */
export const BASE_REGISTER = schema({
  instanceId: field(1, STRING),
  zone: field(2, STRING),
  appName: field(3, STRING),
  dataId: field(4, STRING),
  group: field(5, STRING),
  processId: field(6, STRING),
  registId: field(7, STRING),
  clientId: field(8, STRING),
  dataInfoId: field(9, STRING),
  ip: field(10, STRING),
  port: field(11, INT32),
  eventType: field(12, STRING),
  version: field(13, INT64),
  timestamp: field(14, INT64),
  attributes: stringMapOf(15, {
    entriesMax: REGISTER_LIMITS.attributesMax,
    unitsMax: REGISTER_LIMITS.attributeCharsMax,
  }),
});

/** PublisherRegisterPb. */
export const PUBLISHER_REGISTER = schema({
  dataList: repeated(1, DATA_BOX, REGISTER_LIMITS.boxesMax),
  baseRegister: optional(2, BASE_REGISTER),
});

/** SubscriberRegisterPb. */
export const SUBSCRIBER_REGISTER = schema({
  scope: field(1, STRING),
  baseRegister: optional(2, BASE_REGISTER),
  acceptEncoding: field(3, STRING),
  acceptMulti: field(4, BOOL),
});

/** SyncConfigRequestPb. */
export const SYNC_CONFIG_REQUEST = schema({ dataCenter: field(1, STRING), zone: field(2, STRING) });

/** ResultPb. */
export const RESULT = schema({ success: field(1, BOOL), message: field(2, STRING) });

/** RegisterResponsePb. */
export const REGISTER_RESPONSE = schema({
  success: field(1, BOOL),
  registId: field(2, STRING),
  version: field(3, INT64),
  refused: field(4, BOOL),
  message: field(5, STRING),
});

/** SyncConfigResponsePb, in which the result is a message of its own. */
export const SYNC_CONFIG_RESPONSE = schema({
  result: optional(1, RESULT),
  availableSegments: repeated(2, STRING),
  retryInterval: field(3, INT32),
});

/** ReceivedDataPb. Compressed, it has `encoding`, `body` and `originBodySize` instead of `data`. */
export const RECEIVED_DATA = schema({
  dataId: field(1, STRING),
  group: field(2, STRING),
  instanceId: field(3, STRING),
  segment: field(4, STRING),
  scope: field(5, STRING),
  subscriberRegistIds: repeated(6, STRING),
  data: mapOf(7, DATA_BOXES),
  version: field(8, INT64),
  localZone: field(9, STRING),
  encoding: field(10, STRING),
  body: field(11, BYTES),
  originBodySize: field(12, INT32),
  pushDataCount: mapOf(13, INT32),
});

/** The one field that a push body leaves to the tail. */
export const RECEIVED_DATA_TAIL = schema({ subscriberRegistIds: repeated(6, STRING) });

/** The content of a compressed body. The field's number is 7, as in RECEIVED_DATA. */
export const RECEIVED_DATA_BODY = schema({ data: mapOf(7, DATA_BOXES) });

/** MultiSegmentDataPb; its zipData is a compressed RECEIVED_DATA_BODY. */
export const MULTI_SEGMENT_DATA = schema({
  segment: field(1, STRING),
  zipData: field(2, BYTES),
  unzipData: mapOf(3, DATA_BOXES),
  encoding: field(4, STRING),
  version: field(5, INT64),
  pushDataCount: mapOf(6, INT32),
});

/** MultiReceivedDataPb. */
export const MULTI_RECEIVED_DATA = schema({
  dataId: field(1, STRING),
  group: field(2, STRING),
  instanceId: field(3, STRING),
  scope: field(4, STRING),
  subscriberRegistIds: repeated(5, STRING),
  localSegment: field(6, STRING),
  localZone: field(7, STRING),
  multiData: mapOf(8, MULTI_SEGMENT_DATA),
});

/** The one field that a multi push body leaves to the tail. */
export const MULTI_RECEIVED_DATA_TAIL = schema({ subscriberRegistIds: repeated(5, STRING) });

/** ReceivedConfigDataPb. */
export const RECEIVED_CONFIG_DATA = schema({
  dataId: field(1, STRING),
  group: field(2, STRING),
  instanceId: field(3, STRING),
  configuratorRegistIds: repeated(4, STRING),
  dataBox: optional(5, DATA_BOX),
  version: field(6, INT64),
});

/** The base of a registration in protobuf. */
export type BaseRegisterPb = MessageOf<typeof BASE_REGISTER>;

/** Boxes by zone in protobuf. */
export type BoxesByZonePb = MessageOf<typeof RECEIVED_DATA_BODY>["data"];
