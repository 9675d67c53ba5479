import type { GatewayEnvironment } from "../kit/gateway.ts";
import type { DnsMetrics } from "./metricTable.ts";

/** Settings, each a key of the configuration. */
export interface DnsConfig {
  readonly serveDns: boolean;
  readonly dnsDomain: string;
  readonly dnsTtlSeconds: number;
  readonly dnsUdpAnswersMax: number;
  readonly consulDatacenter: string;
}

/** The surroundings of the gateway. */
export type DnsEnvironment = GatewayEnvironment<DnsConfig, DnsMetrics>;
