// The Hessian shapes of requests and their answers. Every field is read by name; absent ones keep their defaults.

import { objectShape, type ReadField } from "../../../encoding/hessian/shape.ts";
import * as classes from "./hessianClasses.ts";
import {
  ANSWER,
  attributes,
  type Filling,
  NAMED,
  orEmpty,
  publishedBoxes,
  readScope,
  strings,
} from "./hessianFields.ts";
import {
  ABSENT_LIST,
  ABSENT_MAP,
  type BaseRegister,
  type ConfiguratorRegister,
  type PublisherRegister,
  type RegisterResponse,
  type Result,
  type RpcServerException,
  type SubscriberRegister,
  type SyncConfigRequest,
  type SyncConfigResponse,
} from "./messages.ts";

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

// A message begins as a clone of one of these: V8 copies an object far faster than it builds one.
const blankPublisher: Filling<PublisherRegister> = {
  kind: "publisherRegister",
  ...blankRegister,
  dataList: ABSENT_LIST,
};
const blankSubscriber: Filling<SubscriberRegister> = {
  kind: "subscriberRegister",
  ...blankRegister,
  scope: null,
  acceptEncoding: null,
  acceptMulti: false,
};

/** PublisherRegister, of all clients. */
export const publisherRegister = objectShape<Filling<PublisherRegister>>({
  className: classes.PUBLISHER_REGISTER.className,
  blank: () => ({ ...blankPublisher }),
  fields: {
    ...BASE_REGISTER,
    dataList: (target, reader) => {
      target.dataList = orEmpty(reader, publishedBoxes);
    },
  },
});

/** SubscriberRegister; 5.x clients lack acceptEncoding and acceptMulti. */
export const subscriberRegister = objectShape<Filling<SubscriberRegister>>({
  className: classes.SUBSCRIBER_REGISTER.className,
  blank: () => ({ ...blankSubscriber }),
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

/** ConfiguratorRegister: the common part alone. */
export const configuratorRegister = objectShape<Filling<ConfiguratorRegister>>({
  className: classes.CONFIGURATOR_REGISTER.className,
  blank: () => ({ kind: "configuratorRegister", ...blankRegister }),
  fields: BASE_REGISTER,
});

/** SyncConfigRequest. */
export const syncConfigRequest = objectShape<Filling<SyncConfigRequest>>({
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

/** RegisterResponse. */
export const registerResponse = objectShape<Filling<RegisterResponse>>({
  className: classes.REGISTER_RESPONSE.className,
  blank: () => ({
    kind: "registerResponse",
    success: false,
    registId: null,
    version: 0n,
    refused: false,
    message: null,
  }),
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

/** SyncConfigResponse. */
export const syncConfigResponse = objectShape<Filling<SyncConfigResponse>>({
  className: classes.SYNC_CONFIG_RESPONSE.className,
  blank: () => ({
    kind: "syncConfigResponse",
    success: false,
    message: null,
    retryInterval: 0,
    availableSegments: ABSENT_LIST,
  }),
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

/** Result. */
export const result = objectShape<Filling<Result>>({
  className: classes.RESULT.className,
  blank: () => ({ kind: "result", success: false, message: null }),
  fields: ANSWER,
});

/** RpcServerException. The cause is the exception itself and the stack is Java's: both are skipped. */
export const rpcServerException = objectShape<Filling<RpcServerException>>({
  className: classes.RPC_SERVER_EXCEPTION.className,
  blank: () => ({ kind: "rpcServerException", message: null }),
  fields: {
    detailMessage: (target, reader) => {
      target.message = reader.string();
    },
  },
});
