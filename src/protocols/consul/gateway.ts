// Consul's clients: the HTTP interface of its agents, with the whole cluster as one agent.

import type { Gateway } from "../kit/gateway.ts";
import { CONSUL_CONFIG_KEYS } from "./configKeys.ts";
import type { ConsulConfig } from "./environment.ts";

export const consulGateway = {
  name: "consul",
  configKeys: CONSUL_CONFIG_KEYS,
  errors: {},
  metrics: {},
  load: async () => (await import("./gatewayCode.ts")).consulGatewayCode,
} as const satisfies Gateway<ConsulConfig>;
