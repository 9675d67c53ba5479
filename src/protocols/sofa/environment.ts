import type { GatewayEnvironment } from "../kit/gateway.ts";
import type { SofaMetrics } from "./metricTable.ts";
import type { CompressionSettings } from "./variant.ts";

/** Settings, each a key of the configuration. Those of model/dynamicKeys.ts may change: they are read when needed. */
export interface SofaConfig extends CompressionSettings {
  readonly dataCenter: string;
  readonly zone: string;
  readonly frameBytesMax: number;
  readonly registrationBytesMax: number;
  readonly clientProbeMs: number;
  readonly clientIdleMs: number;
  readonly clientMuteIdleMs: number;
  readonly clientOutputBytesMax: number;
  readonly pushTimeoutMs: number;
  readonly pushCompressBytesMin: number;
  readonly pushWindowMaxMs: number;
}

/** The setting of the paths at the HTTP port of the role session. */
export interface SofaHttpConfig {
  readonly sofaSessionChanges: "local" | "all" | "none";
  readonly sofaServerList: "all" | "zone";
}

/** The setting of the paths at the HTTP port of the role data. */
export interface SofaDataConfig {
  readonly sofaTestApi: boolean;
}

/** The surroundings of the clients' connections. */
export type SofaEnvironment = Omit<
  GatewayEnvironment<SofaConfig, SofaMetrics>,
  "node" | "others" | "persistent" | "records" | "readXml" | "secrets" | "later"
>;
