import type { GatewayEnvironment } from "../kit/gateway.ts";
import type { NacosMetrics } from "./metricTable.ts";

/** Settings, each a key of the configuration. */
export interface NacosConfig {
  readonly serveNacos: boolean;
  readonly nacosPort: number;
  readonly nacosGrpcPort: number;
  readonly nacosUdpPush: boolean;
  readonly tlsCertFile: string;
  readonly tlsPorts: readonly string[];
  readonly zone: string;
  readonly registrationBytesMax: number;
  readonly clientIdleMs: number;
  readonly clientOutputBytesMax: number;
  readonly nacosConfigBytesMax: number;
  readonly nacosConfigsMax: number;
}

/** The surroundings of the gateway. */
export type NacosEnvironment = GatewayEnvironment<NacosConfig, NacosMetrics>;
