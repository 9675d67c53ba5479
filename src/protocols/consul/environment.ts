import type { GatewayEnvironment } from "../kit/gateway.ts";

/** Settings, each a key of the configuration. */
export interface ConsulConfig {
  readonly serveConsul: boolean;
  readonly consulDatacenter: string;
  readonly consulNode: string;
  readonly zone: string;
}

/** The surroundings of the gateway. */
export type ConsulEnvironment = GatewayEnvironment<ConsulConfig>;
