// The Hessian shapes of pushes, which only clients read.

import { mapShape, objectShape } from "../../../encoding/hessian/shape.ts";
import * as classes from "./hessianClasses.ts";
import { boxesByZone, counts, dataBox, type Filling, NAMED, orEmpty, readScope, strings } from "./hessianFields.ts";
import {
  ABSENT_LIST,
  ABSENT_MAP,
  type MultiReceivedData,
  type MultiSegmentData,
  type ReceivedConfigData,
  type ReceivedData,
} from "./messages.ts";

/** ReceivedData; servers before 6.x send no dataCount. */
export const receivedData = objectShape<Filling<ReceivedData>>({
  className: classes.RECEIVED_DATA.className,
  blank: () => ({
    kind: "receivedData",
    dataId: "",
    group: "",
    instanceId: null,
    segment: null,
    scope: null,
    version: 0n,
    localZone: null,
    subscriberRegistIds: ABSENT_LIST,
    data: null,
    dataCount: null,
    compressed: null,
  }),
  fields: {
    ...NAMED,
    segment: (target, reader) => {
      target.segment = reader.string();
    },
    scope: (target, reader) => {
      target.scope = readScope(reader);
    },
    localZone: (target, reader) => {
      target.localZone = reader.string();
    },
    subscriberRegistIds: (target, reader) => {
      target.subscriberRegistIds = orEmpty(reader, strings);
    },
    data: (target, reader) => {
      target.data = reader.value(boxesByZone);
    },
    dataCount: (target, reader) => {
      target.dataCount = reader.value(counts);
    },
  },
});

/** ReceivedConfigData. */
export const receivedConfigData = objectShape<Filling<ReceivedConfigData>>({
  className: classes.RECEIVED_CONFIG_DATA.className,
  blank: () => ({
    kind: "receivedConfigData",
    dataId: "",
    group: "",
    instanceId: null,
    version: 0n,
    configuratorRegistIds: ABSENT_LIST,
    dataBox: null,
  }),
  fields: {
    ...NAMED,
    configuratorRegistIds: (target, reader) => {
      target.configuratorRegistIds = orEmpty(reader, strings);
    },
    dataBox: (target, reader) => {
      target.dataBox = reader.value(dataBox);
    },
  },
});

/** One segment of a MultiReceivedData. */
export const multiSegmentData = objectShape<Filling<MultiSegmentData>>({
  className: classes.MULTI_SEGMENT_DATA.className,
  blank: () => ({ segment: null, encoding: null, version: 0n, zipData: null, unzipData: null, dataCount: null }),
  fields: {
    segment: (target, reader) => {
      target.segment = reader.string();
    },
    encoding: (target, reader) => {
      target.encoding = reader.string();
    },
    version: (target, reader) => {
      target.version = reader.long() ?? 0n;
    },
    zipData: (target, reader) => {
      target.zipData = reader.bytes();
    },
    unzipData: (target, reader) => {
      target.unzipData = reader.value(boxesByZone);
    },
    dataCount: (target, reader) => {
      target.dataCount = reader.value(counts);
    },
  },
});

const segments = mapShape((reader) => reader.value(multiSegmentData));

/** MultiReceivedData. */
export const multiReceivedData = objectShape<Filling<MultiReceivedData>>({
  className: classes.MULTI_RECEIVED_DATA.className,
  blank: () => ({
    kind: "multiReceivedData",
    dataId: "",
    group: "",
    instanceId: null,
    scope: null,
    subscriberRegistIds: ABSENT_LIST,
    localSegment: null,
    localZone: null,
    multiData: ABSENT_MAP,
  }),
  fields: {
    dataId: (target, reader) => {
      target.dataId = reader.string() ?? "";
    },
    group: (target, reader) => {
      target.group = reader.string() ?? "";
    },
    instanceId: (target, reader) => {
      target.instanceId = reader.string();
    },
    scope: (target, reader) => {
      target.scope = readScope(reader);
    },
    localSegment: (target, reader) => {
      target.localSegment = reader.string();
    },
    localZone: (target, reader) => {
      target.localZone = reader.string();
    },
    subscriberRegistIds: (target, reader) => {
      target.subscriberRegistIds = orEmpty(reader, strings);
    },
    multiData: (target, reader) => {
      target.multiData = reader.value(segments) ?? ABSENT_MAP;
    },
  },
});
