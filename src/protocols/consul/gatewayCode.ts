import type { GatewayCode } from "../kit/gateway.ts";
import type { ConsulConfig } from "./environment.ts";

/** The gateway's part in a node. */
export const consulGatewayCode: GatewayCode<ConsulConfig> = {
  open: () => ({ listeners: [] }),
};
