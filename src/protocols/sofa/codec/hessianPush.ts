// Pushes in Hessian: the fields of hessianClasses.PUSHED_DATA and PUSHED_MULTI_DATA, with the registIds left to the
// tail.

import { assert } from "../../../base/assert.ts";
import { ByteWriter } from "../../../base/bytes.ts";
import type { HessianDialect } from "../../../encoding/hessian/tokenReader.ts";
import type { HessianWriter } from "../../../encoding/hessian/writer.ts";
import { DATA_BOX, MULTI_SEGMENT_DATA, PUSHED_DATA, PUSHED_MULTI_DATA } from "./hessianClasses.ts";
import { hessianWriter, writeStrings } from "./hessianEncode.ts";
import { type MultiPush, type PushMessage, type PushSegment, type PushZone, pushBytesExpected } from "./push.ts";

/** A ReceivedData without its subscriberRegistIds. */
export function encodeHessianPushBody(dialect: HessianDialect, push: PushMessage): Uint8Array {
  assert(push.compressed === undefined, "Hessian pushes are never compressed");
  const writer = hessianWriter(dialect, new ByteWriter(pushBytesExpected(push.zones)));
  writer.object(PUSHED_DATA);
  writer.string(push.dataId);
  writer.string(push.group);
  writer.string(push.instanceId);
  writer.string(push.segment);
  writer.string(push.scope);
  writer.long(push.version);
  writer.string(push.localZone);
  writeZones(writer, push.zones);
  writeCounts(writer, push.zones);
  return writer.out.done();
}

/** A MultiReceivedData without its subscriberRegistIds. It is never compressed in Hessian. */
export function encodeHessianMultiPushBody(dialect: HessianDialect, push: MultiPush): Uint8Array {
  const writer = hessianWriter(dialect);
  writer.object(PUSHED_MULTI_DATA);
  writer.string(push.dataId);
  writer.string(push.group);
  writer.string(push.instanceId);
  writer.string(push.scope);
  writer.string(push.localSegment);
  writer.string(push.localZone);
  writer.beginMap();
  for (const segment of push.segments) writeSegment(writer, segment);
  writer.endMap();
  return writer.out.done();
}

/** The subscriberRegistIds that end either body. */
export function encodeHessianPushTail(dialect: HessianDialect, registIds: readonly string[]): Uint8Array {
  const writer = hessianWriter(dialect, new ByteWriter(registIds.length * REGIST_ID_BYTES_EXPECTED + 16));
  writeStrings(writer, registIds);
  return writer.out.done();
}

// A UUID has 36 characters, and the writer reserves three bytes for each.
const REGIST_ID_BYTES_EXPECTED = 112;

function writeSegment(writer: HessianWriter, segment: PushSegment): void {
  assert(segment.compressed === undefined, "Hessian pushes are never compressed");
  writer.string(segment.segment);
  writer.object(MULTI_SEGMENT_DATA);
  writer.string(segment.segment);
  writer.null(); // encoding
  writer.long(segment.version);
  writer.null(); // zipData
  writeZones(writer, segment.zones);
  writeCounts(writer, segment.zones);
}

function writeZones(writer: HessianWriter, zones: Iterable<PushZone>): void {
  writer.beginMap();
  for (const { zone, boxes, count } of zones) {
    let written = 0;
    writer.string(zone);
    writer.beginList(count);
    for (const box of boxes) {
      writer.object(DATA_BOX);
      writer.text(box);
      written++;
    }
    assert(written === count, "a zone has as many boxes as it says");
    writer.endList();
  }
  writer.endMap();
}

function writeCounts(writer: HessianWriter, zones: Iterable<PushZone>): void {
  writer.beginMap();
  for (const { zone, count } of zones) {
    writer.string(zone);
    writer.int(count);
  }
  writer.endMap();
}
