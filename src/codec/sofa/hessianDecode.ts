// The Hessian shapes of the client protocol. Every field is read by name; absent ones keep their defaults.

import { HessianReader, type Read, type Shape } from "../hessian/reader.ts";
import { listShape, mapShape, type ObjectShape, objectShape, type ReadField, ShapeTable, wrapperShape } from "../hessian/shape.ts";
import type { HessianDialect } from "../hessian/tokenReader.ts";
import * as classes from "./hessianClasses.ts";
import {
  ABSENT_LIST,
  ABSENT_MAP,
  type BaseRegister,
  type Box,
  type ConfiguratorRegister,
  type MultiReceivedData,
  type MultiSegmentData,
  type PublisherRegister,
  type ReceivedConfigData,
  type ReceivedData,
  type RegisterResponse,
  type Result,
  type RpcServerException,
  type ServiceMessage,
  type SubscriberRegister,
  type SyncConfigRequest,
  type SyncConfigResponse,
} from "./messages.ts";

type Filling<T> = { -readonly [Key in keyof T]: T[Key] };

const scopeEnum = wrapperShape<string>(classes.SCOPE_ENUM_CLASS, "name", (reader) => reader.string());
const dataBox = wrapperShape<NonNullable<Box>>(classes.DATA_BOX.className, "data", (reader) => reader.text());

const boxes = listShape<Box>((reader) => reader.value(dataBox));
const boxesByZone = mapShape((reader) => reader.value(boxes));
const counts = mapShape((reader) => reader.int());
const attributes = mapShape((reader) => reader.string());
const strings = listShape(required);

function required(reader: HessianReader): string {
  const value = reader.string();
  if (value === null) throw reader.wrong("a null among strings");
  return value;
}

function orEmpty<T>(reader: HessianReader, shape: Shape<readonly T[]>): readonly T[] {
  return reader.value(shape) ?? ABSENT_LIST;
}

const readScope: Read<string | null> = (reader) => reader.stringOrEnum(scopeEnum);

// Fields that several classes have.
type Named = Filling<Pick<BaseRegister, "dataId" | "group" | "instanceId" | "version">>;

const NAMED: { readonly [name: string]: ReadField<Named> } = {
  dataId: (target, reader) => {
    target.dataId = reader.string() ?? "";
  },
  group: (target, reader) => {
    target.group = reader.string() ?? "";
  },
  instanceId: (target, reader) => {
    target.instanceId = reader.string();
  },
  version: (target, reader) => {
    target.version = reader.long() ?? 0n;
  },
};

const ANSWER: { readonly [name: string]: ReadField<Filling<Pick<Result, "success" | "message">>> } = {
  success: (target, reader) => {
    target.success = reader.boolean();
  },
  message: (target, reader) => {
    target.message = reader.string();
  },
};

const BASE_REGISTER: { readonly [name: string]: ReadField<Filling<BaseRegister>> } = {
  ...NAMED,
  zone: (target, reader) => {
    target.zone = reader.string();
  },
  appName: (target, reader) => {
    target.appName = reader.string();
  },
  processId: (target, reader) => {
    target.processId = reader.string();
  },
  registId: (target, reader) => {
    target.registId = reader.string() ?? "";
  },
  clientId: (target, reader) => {
    target.clientId = reader.string();
  },
  dataInfoId: (target, reader) => {
    target.dataInfoId = reader.string();
  },
  ip: (target, reader) => {
    target.ip = reader.string();
  },
  port: (target, reader) => {
    target.port = reader.int();
  },
  eventType: (target, reader) => {
    target.eventType = reader.string();
  },
  timestamp: (target, reader) => {
    target.timestamp = reader.long() ?? 0n;
  },
  attributes: (target, reader) => {
    target.attributes = reader.value(attributes) ?? ABSENT_MAP;
  },
};

const blankRegister: BaseRegister = {
  instanceId: null,
  zone: null,
  appName: null,
  dataId: "",
  group: "",
  processId: null,
  registId: "",
  clientId: null,
  dataInfoId: null,
  ip: null,
  port: null,
  eventType: null,
  version: 0n,
  timestamp: 0n,
  attributes: ABSENT_MAP,
};

const publisherRegister = objectShape<Filling<PublisherRegister>>({
  className: classes.PUBLISHER_REGISTER.className,
  blank: () => ({ kind: "publisherRegister", ...blankRegister, dataList: ABSENT_LIST }),
  fields: {
    ...BASE_REGISTER,
    dataList: (target, reader) => {
      target.dataList = orEmpty(reader, boxes);
    },
  },
});

const subscriberRegister = objectShape<Filling<SubscriberRegister>>({
  className: classes.SUBSCRIBER_REGISTER.className,
  blank: () => ({ kind: "subscriberRegister", ...blankRegister, scope: null, acceptEncoding: null, acceptMulti: false }),
  fields: {
    ...BASE_REGISTER,
    scope: (target, reader) => {
      target.scope = readScope(reader);
    },
    acceptEncoding: (target, reader) => {
      target.acceptEncoding = reader.string();
    },
    acceptMulti: (target, reader) => {
      target.acceptMulti = reader.boolean();
    },
  },
});

const configuratorRegister = objectShape<Filling<ConfiguratorRegister>>({
  className: classes.CONFIGURATOR_REGISTER.className,
  blank: () => ({ kind: "configuratorRegister", ...blankRegister }),
  fields: BASE_REGISTER,
});

const syncConfigRequest = objectShape<Filling<SyncConfigRequest>>({
  className: classes.SYNC_CONFIG_REQUEST.className,
  blank: () => ({ kind: "syncConfigRequest", dataCenter: null, zone: null }),
  fields: {
    dataCenter: (target, reader) => {
      target.dataCenter = reader.string();
    },
    zone: (target, reader) => {
      target.zone = reader.string();
    },
  },
});

const registerResponse = objectShape<Filling<RegisterResponse>>({
  className: classes.REGISTER_RESPONSE.className,
  blank: () => ({ kind: "registerResponse", success: false, registId: null, version: 0n, refused: false, message: null }),
  fields: {
    ...ANSWER,
    registId: (target, reader) => {
      target.registId = reader.string();
    },
    version: (target, reader) => {
      target.version = reader.long() ?? 0n;
    },
    refused: (target, reader) => {
      target.refused = reader.boolean();
    },
  },
});

const syncConfigResponse = objectShape<Filling<SyncConfigResponse>>({
  className: classes.SYNC_CONFIG_RESPONSE.className,
  blank: () => ({ kind: "syncConfigResponse", success: false, message: null, retryInterval: 0, availableSegments: ABSENT_LIST }),
  fields: {
    ...ANSWER,
    retryInterval: (target, reader) => {
      target.retryInterval = reader.int() ?? 0;
    },
    availableSegments: (target, reader) => {
      target.availableSegments = orEmpty(reader, strings);
    },
  },
});

const result = objectShape<Filling<Result>>({
  className: classes.RESULT.className,
  blank: () => ({ kind: "result", success: false, message: null }),
  fields: ANSWER,
});

const receivedData = objectShape<Filling<ReceivedData>>({
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

const receivedConfigData = objectShape<Filling<ReceivedConfigData>>({
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

const multiSegmentData = objectShape<Filling<MultiSegmentData>>({
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

const multiReceivedData = objectShape<Filling<MultiReceivedData>>({
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

// The cause is the exception itself and the stack is Java's: both are skipped.
const rpcServerException = objectShape<Filling<RpcServerException>>({
  className: classes.RPC_SERVER_EXCEPTION.className,
  blank: () => ({ kind: "rpcServerException", message: null }),
  fields: {
    detailMessage: (target, reader) => {
      target.message = reader.string();
    },
  },
});

const MESSAGES: readonly ObjectShape<ServiceMessage>[] = [
  publisherRegister,
  subscriberRegister,
  configuratorRegister,
  syncConfigRequest,
  registerResponse,
  syncConfigResponse,
  result,
  receivedData,
  receivedConfigData,
  multiReceivedData,
  rpcServerException,
];

const SHAPES = new Map(MESSAGES.map((shape) => [shape.className, shape]));

const USUAL = [...Object.values(classes.HESSIAN_CLASSES), classes.DATA_BOX, classes.PUSHED_DATA];

const CLASSES = new ShapeTable([...MESSAGES, dataBox, scopeEnum, multiSegmentData], [classes.STACK_TRACE_ELEMENT_CLASS], USUAL);

/** Decodes a message, or gives undefined if this class is none of the protocol's. Throws HESSIAN_*. */
export function decodeHessian(dialect: HessianDialect, className: string, content: Uint8Array): ServiceMessage | undefined {
  const shape = SHAPES.get(className);
  return shape === undefined ? undefined : new HessianReader(dialect, content, CLASSES).whole(shape);
}
