import type { METRICS, MetricsOf } from "../../base/metrics.ts";
import type { GatewayEnvironment } from "../kit/gateway.ts";
import type { EUREKA_METRICS } from "./metricTable.ts";

/** The gateway's port for reporting. */
export type EurekaMetrics = MetricsOf<typeof METRICS & typeof EUREKA_METRICS>;

/** Settings, each a key of the configuration. */
export interface EurekaConfig {
  readonly serveEureka: boolean;
  readonly dataCenter: string;
  readonly zone: string;
  readonly eurekaPeers: string;
}

/** The surroundings of the gateway. */
export type EurekaEnvironment = GatewayEnvironment<EurekaConfig, EurekaMetrics>;
