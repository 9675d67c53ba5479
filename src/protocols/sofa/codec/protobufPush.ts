// Pushes in protobuf. A body is a message without registIds, and a tail is a message with nothing else. Set one after
// the other they are one message, since protobuf's fields may come in any order and lists are joined.

import { assert } from "../../../base/assert.ts";
import type { WireText } from "../../../base/text.ts";
import { encodeProtobuf, type MessageOf } from "../../../encoding/protobuf/schema.ts";
import { boxesPb } from "./protobufEncode.ts";
import {
  type BoxesByZonePb,
  MULTI_RECEIVED_DATA,
  MULTI_RECEIVED_DATA_TAIL,
  type MULTI_SEGMENT_DATA,
  RECEIVED_DATA,
  RECEIVED_DATA_BODY,
  RECEIVED_DATA_TAIL,
} from "./protobufSchemas.ts";
import { type MultiPush, type PushMessage, type PushSegment, type PushZone, pushBytesExpected } from "./push.ts";

/** A ReceivedDataPb without its subscriberRegistIds. */
export function encodeProtobufPushBody(push: PushMessage): Uint8Array {
  const { dataId, group, instanceId, segment, scope, version, localZone, zones, compressed } = push;
  const message = { ...RECEIVED_DATA.blank(), dataId, group, instanceId, segment, scope, version, localZone };
  const pushDataCount = countsOf(zones);
  if (compressed !== undefined) return encodeProtobuf(RECEIVED_DATA, { ...message, ...compressed, pushDataCount });
  return encodeProtobuf(
    RECEIVED_DATA,
    { ...message, data: boxesByZone(zones), pushDataCount },
    pushBytesExpected(zones),
  );
}

/** A MultiReceivedDataPb without its subscriberRegistIds. */
export function encodeProtobufMultiPushBody(push: MultiPush): Uint8Array {
  const { dataId, group, instanceId, scope, localSegment, localZone } = push;
  const multiData = new Map<string, SegmentPb>();
  for (const segment of push.segments) multiData.set(segment.segment, segmentOf(segment));
  const message = { dataId, group, instanceId, scope, localSegment, localZone, subscriberRegistIds: [], multiData };
  return encodeProtobuf(MULTI_RECEIVED_DATA, message);
}

/** The subscriberRegistIds of a ReceivedDataPb. */
export function encodeProtobufPushTail(registIds: readonly string[]): Uint8Array {
  return encodeProtobuf(RECEIVED_DATA_TAIL, { subscriberRegistIds: registIds });
}

/** The subscriberRegistIds of a MultiReceivedDataPb. */
export function encodeProtobufMultiPushTail(registIds: readonly string[]): Uint8Array {
  return encodeProtobuf(MULTI_RECEIVED_DATA_TAIL, { subscriberRegistIds: registIds });
}

/** A ReceivedDataBodyPb: the content that is compressed for `compressed.body`. */
export function encodeProtobufBoxes(zones: Iterable<PushZone>): Uint8Array {
  return encodeProtobuf(RECEIVED_DATA_BODY, { data: boxesByZone(zones) }, pushBytesExpected(zones));
}

type SegmentPb = MessageOf<typeof MULTI_SEGMENT_DATA>;

const NO_BYTES = new Uint8Array(0);

function segmentOf(push: PushSegment): SegmentPb {
  const { segment, version, zones, compressed } = push;
  return {
    segment,
    zipData: compressed?.body ?? NO_BYTES,
    unzipData: compressed === undefined ? boxesByZone(zones) : new Map(),
    encoding: compressed?.encoding ?? "",
    version,
    pushDataCount: countsOf(zones),
  };
}

function boxesByZone(zones: Iterable<PushZone>): BoxesByZonePb {
  const byZone = new Map<string, { readonly data: readonly WireText[] }>();
  for (const { zone, boxes, count } of zones) {
    const data = boxesPb(boxes);
    assert(data.length === count, "a zone has as many boxes as it says");
    byZone.set(zone, { data });
  }
  return byZone;
}

function countsOf(zones: Iterable<PushZone>): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { zone, count } of zones) counts.set(zone, count);
  return counts;
}
