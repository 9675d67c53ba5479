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
  /** Zones that only their own clients see. */
  readonly sofaInvalidForeverZones: readonly string[];
  /** The beginnings of the dataIds that all clients see in spite of that. */
  readonly sofaInvalidForeverZonesExcept: readonly string[];
}

/** The setting of all paths that change something. */
export interface SofaChangesConfig {
  /** The callers who may change something without a proof: those on the node's machine, all, or none. */
  readonly sofaChanges: "local" | "all" | "none";
}

/** The settings of the paths at the HTTP port of the role session. */
export interface SofaHttpConfig extends SofaChangesConfig {
  readonly sofaServerList: "all" | "zone";
}

/** The settings of the paths at the HTTP port of the role data. */
export interface SofaDataConfig extends SofaChangesConfig {
  readonly sofaTestApi: boolean;
}

/** The surroundings of the clients' connections. */
export type SofaEnvironment = Omit<
  GatewayEnvironment<SofaConfig, SofaMetrics>,
  "node" | "others" | "audit" | "persistent" | "records" | "readXml" | "sendHttp" | "secrets" | "later" | "timers"
>;
