// The requests of SOFARegistry's clients, and what each asks for.

import type { GatewayRequest } from "../kit/clientAccess.ts";

/** All of them. A revision is asked for by its id, which those know who may list the service. */
export const SOFA_REQUESTS: readonly GatewayRequest[] = [
  { name: "publisherRegister", asks: "publish" },
  { name: "subscriberRegister", asks: "subscribe" },
  { name: "configuratorRegister", asks: "subscribe" },
  { name: "syncConfigRequest", asks: "open" },
  { name: "metaRegister", asks: "publish" },
  { name: "getRevisionsRequest", asks: "open" },
  { name: "serviceAppMappingRequest", asks: "list" },
  { name: "metaHeartbeatRequest", asks: "open" },
];
