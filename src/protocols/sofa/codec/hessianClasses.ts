// The classes of the client protocol with their fields in the order in which SOFARegistry 6.x writes them. Readers use
// the names, so the order is free; keeping Java's makes our bytes comparable with captured ones.

import type { WrittenClass } from "../../../encoding/hessian/writer.ts";
import { writtenClass } from "../../../encoding/hessian/writtenClass.ts";
import type { ServiceMessage } from "./messages.ts";

const MODEL = "com.alipay.sofa.registry.core.model.";

const REGISTER_FIELDS = [
  "instanceId",
  "zone",
  "appName",
  "dataId",
  "group",
  "processId",
  "registId",
  "clientId",
  "dataInfoId",
  "ip",
  "port",
  "eventType",
  "version",
  "timestamp",
] as const;

/** The common part, with dataList before attributes. */
export const PUBLISHER_REGISTER = writtenClass(`${MODEL}PublisherRegister`, [
  ...REGISTER_FIELDS,
  "dataList",
  "attributes",
]);

/** Its own fields come before the common part. */
export const SUBSCRIBER_REGISTER = writtenClass(`${MODEL}SubscriberRegister`, [
  "scope",
  "acceptEncoding",
  "acceptMulti",
  ...REGISTER_FIELDS,
  "attributes",
]);

/** The common part alone. */
export const CONFIGURATOR_REGISTER = writtenClass(`${MODEL}ConfiguratorRegister`, [...REGISTER_FIELDS, "attributes"]);

/** Two strings. */
export const SYNC_CONFIG_REQUEST = writtenClass(`${MODEL}SyncConfigRequest`, ["dataCenter", "zone"]);

/** Its version and flags are Java primitives: never null. */
export const REGISTER_RESPONSE = writtenClass(`${MODEL}RegisterResponse`, [
  "success",
  "registId",
  "version",
  "refused",
  "message",
]);

/** Its own retryInterval comes before the fields of Result, availableSegments after them. */
export const SYNC_CONFIG_RESPONSE = writtenClass(`${MODEL}SyncConfigResponse`, [
  "retryInterval",
  "success",
  "message",
  "availableSegments",
]);

/** The answer to a push. */
export const RESULT = writtenClass(`${MODEL}Result`, ["success", "message"]);

/** One address. */
export const DATA_BOX = writtenClass(`${MODEL}DataBox`, ["data"]);

const RECEIVED_FIELDS = ["dataId", "group", "instanceId", "segment", "scope", "version", "localZone"] as const;

/** As Java writes it; we push PUSHED_DATA. */
export const RECEIVED_DATA = writtenClass(`${MODEL}ReceivedData`, [
  ...RECEIVED_FIELDS,
  "subscriberRegistIds",
  "data",
  "dataCount",
]);

/** As RECEIVED_DATA, but with the fields that differ between subscribers at the end. */
export const PUSHED_DATA = writtenClass(`${MODEL}ReceivedData`, [
  ...RECEIVED_FIELDS,
  "data",
  "dataCount",
  "subscriberRegistIds",
]);

/** Its dataBox is null if the key has no value. */
export const RECEIVED_CONFIG_DATA = writtenClass(`${MODEL}ReceivedConfigData`, [
  "dataId",
  "group",
  "instanceId",
  "version",
  "configuratorRegistIds",
  "dataBox",
]);

const MULTI_RECEIVED_FIELDS = ["dataId", "group", "instanceId", "scope", "localSegment", "localZone"] as const;

/** As Java writes it; we push PUSHED_MULTI_DATA. */
export const MULTI_RECEIVED_DATA = writtenClass(`${MODEL}MultiReceivedData`, [
  ...MULTI_RECEIVED_FIELDS,
  "subscriberRegistIds",
  "multiData",
]);

/** As MULTI_RECEIVED_DATA, but with the fields that differ between subscribers at the end. */
export const PUSHED_MULTI_DATA = writtenClass(`${MODEL}MultiReceivedData`, [
  ...MULTI_RECEIVED_FIELDS,
  "multiData",
  "subscriberRegistIds",
]);

/** One segment of a MULTI_RECEIVED_DATA. */
export const MULTI_SEGMENT_DATA = writtenClass(`${MODEL}MultiSegmentData`, [
  "segment",
  "encoding",
  "version",
  "zipData",
  "unzipData",
  "dataCount",
]);

/** Java 7 and later; suppressedExceptions is absent before. */
export const RPC_SERVER_EXCEPTION = writtenClass("com.alipay.remoting.rpc.exception.RpcServerException", [
  "detailMessage",
  "cause",
  "stackTrace",
  "suppressedExceptions",
]);

/** Today's clients never send it: they send the scope as a string. */
export const SCOPE_ENUM_CLASS = `${MODEL}ScopeEnum`;

/** Occurs in exceptions, and is only skipped. */
export const STACK_TRACE_ELEMENT_CLASS = "java.lang.StackTraceElement";

/** The class of each kind of message. */
export const HESSIAN_CLASSES: Readonly<Record<ServiceMessage["kind"], WrittenClass>> = {
  publisherRegister: PUBLISHER_REGISTER,
  subscriberRegister: SUBSCRIBER_REGISTER,
  configuratorRegister: CONFIGURATOR_REGISTER,
  syncConfigRequest: SYNC_CONFIG_REQUEST,
  registerResponse: REGISTER_RESPONSE,
  syncConfigResponse: SYNC_CONFIG_RESPONSE,
  result: RESULT,
  receivedData: RECEIVED_DATA,
  receivedConfigData: RECEIVED_CONFIG_DATA,
  multiReceivedData: MULTI_RECEIVED_DATA,
  rpcServerException: RPC_SERVER_EXCEPTION,
};
