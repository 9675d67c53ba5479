// The requests of SOFARegistry's clients, and what each asks for.

import type { GatewayRequest } from "../kit/clientAccess.ts";

/** All of them. Questions about applications are judged by no policy: they tell which services an application has. */
export const SOFA_REQUESTS: readonly GatewayRequest[] = [
  { name: "publisherRegister", asks: "publish" },
  { name: "subscriberRegister", asks: "subscribe" },
  { name: "configuratorRegister", asks: "subscribe" },
  { name: "syncConfigRequest", asks: "open" },
  { name: "metaRegister", asks: "open" },
  { name: "getRevisionsRequest", asks: "open" },
  { name: "serviceAppMappingRequest", asks: "open" },
  { name: "metaHeartbeatRequest", asks: "open" },
];
