import type { GatewayEnvironment } from "../kit/gateway.ts";
import type { ZooKeeperMetrics } from "./metricTable.ts";

/** Settings, each a key of the configuration. */
export interface ZooKeeperConfig {
  readonly serveZookeeper: boolean;
  readonly zookeeperSessionMinMs: number;
  readonly zookeeperSessionMaxMs: number;
  readonly zookeeperFrameBytesMax: number;
  readonly zookeeperAddressConnectionsMax: number;
  readonly zookeeperWords: readonly string[];
  readonly zookeeperSuperDigest: string;
  readonly zookeeperNodesMax: number;
  readonly zookeeperTreeBytesMax: number;
  readonly zookeeperEnforceQuota: boolean;
  readonly zookeeperServicePaths: readonly string[];
  readonly clientOutputBytesMax: number;
  readonly dataCenter: string;
  readonly zone: string;
}

/** The surroundings of the gateway. */
export type ZooKeeperEnvironment = GatewayEnvironment<ZooKeeperConfig, ZooKeeperMetrics>;

/** The part of it that the gateway's own parts need. */
export type ZooKeeperParts = Pick<
  ZooKeeperEnvironment,
  "access" | "config" | "registry" | "records" | "budget" | "log" | "metrics" | "later" | "secrets"
>;
