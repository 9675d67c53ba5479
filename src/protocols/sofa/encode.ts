// The registry's answers as messages of the protocol.

import type { ConfigPush, Outcome } from "../../registry/registry.ts";
import type { ReceivedConfigData, RegisterResponse, SyncConfigResponse } from "./codec/messages.ts";
import { serviceNameOf } from "./serviceName.ts";

/**
 * The answer to a registration. The version goes back exactly as it came: the client repeats a request until the answer
 * has its version. `refused` is never set: the client would not try again for the rest of its life.
 */
export function registerResponse(outcome: Outcome): RegisterResponse {
  const { registId, version } = outcome;
  const message = outcome.kind === "accepted" ? null : outcome.error.message;
  return { kind: "registerResponse", success: outcome.kind === "accepted", registId, version, refused: false, message };
}

/**
 * The client hides segments that are not named here, so the pushes' segment is named. 0 keeps the client's own
 * interval.
 */
export function syncConfigResponse(dataCenter: string): SyncConfigResponse {
  return {
    kind: "syncConfigResponse",
    success: true,
    message: null,
    retryInterval: 0,
    availableSegments: [dataCenter],
  };
}

const encoder = new TextEncoder();

export function receivedConfigData({ serviceKey, version, data, registIds }: ConfigPush): ReceivedConfigData {
  const dataBox = data === null ? null : { utf8: encoder.encode(data), units: data.length };
  const service = serviceNameOf(serviceKey);
  return { kind: "receivedConfigData", ...service, version, configuratorRegistIds: registIds, dataBox };
}
