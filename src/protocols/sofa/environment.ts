import type { Budget } from "../../base/budget.ts";
import type { Metrics } from "../../base/metrics.ts";
import type { Compression, Log } from "../../base/ports.ts";
import type { Registry } from "../../registry/registry.ts";

/** Settings, each a key of the configuration. */
export interface SofaConfig {
  readonly dataCenter: string;
  readonly zone: string;
  readonly frameBytesMax: number;
  readonly registrationBytesMax: number;
  readonly clientProbeMs: number;
  readonly clientIdleMs: number;
  readonly clientMuteIdleMs: number;
  readonly clientOutputBytesMax: number;
  readonly pushTimeoutMs: number;
  readonly pushCompress: boolean;
  readonly pushCompressBytesMin: number;
}

/** What the gateway lives in. */
export interface SofaEnvironment {
  readonly config: SofaConfig;
  readonly registry: Registry;
  readonly budget: Budget;
  readonly compression: Compression;
  readonly log: Log;
  readonly metrics: Metrics;
}
