import type { GatewayEnvironment } from "../kit/gateway.ts";

/** Settings, each a key of the configuration. */
export interface EurekaConfig {
  readonly serveEureka: boolean;
  readonly dataCenter: string;
  readonly zone: string;
}

/** The surroundings of the gateway. */
export type EurekaEnvironment = GatewayEnvironment<EurekaConfig>;
