// The classes of the client protocol's protobuf form.

import type { ConfiguratorRegister, RpcServerException, SofaMessage } from "./messages.ts";

/** The prefix of every class name here. */
export const PB = "com.alipay.sofa.registry.common.model.client.pb.";

/** The messages that have a protobuf form. */
export type ProtobufMessage = Exclude<SofaMessage, ConfiguratorRegister | RpcServerException>;

/** The class name of each kind. */
export const PROTOBUF_CLASS_NAMES: Readonly<Record<ProtobufMessage["kind"], string>> = {
  publisherRegister: `${PB}PublisherRegisterPb`,
  subscriberRegister: `${PB}SubscriberRegisterPb`,
  syncConfigRequest: `${PB}SyncConfigRequestPb`,
  registerResponse: `${PB}RegisterResponsePb`,
  syncConfigResponse: `${PB}SyncConfigResponsePb`,
  result: `${PB}ResultPb`,
  receivedData: `${PB}ReceivedDataPb`,
  receivedConfigData: `${PB}ReceivedConfigDataPb`,
  multiReceivedData: `${PB}MultiReceivedDataPb`,
  metaRegister: `${PB}MetaRegister`,
  serviceAppMappingRequest: `${PB}ServiceAppMappingRequest`,
  serviceAppMappingResponse: `${PB}ServiceAppMappingResponse`,
  getRevisionsRequest: `${PB}GetRevisionsRequest`,
  getRevisionsResponse: `${PB}GetRevisionsResponse`,
  metaHeartbeatRequest: `${PB}MetaHeartbeatRequest`,
  metaHeartbeatResponse: `${PB}MetaHeartbeatResponse`,
};
