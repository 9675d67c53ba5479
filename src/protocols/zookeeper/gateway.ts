// ZooKeeper's clients: sessions, znodes and watches, on a tree in the durable store.

import { JUTE_ERRORS } from "../../encoding/jute/errors.ts";
import type { Gateway } from "../kit/gateway.ts";
import { ZOOKEEPER_CONFIG_KEYS } from "./configKeys.ts";
import type { ZooKeeperConfig } from "./environment.ts";
import { ZOOKEEPER_ERRORS } from "./errorTable.ts";
import { ZOOKEEPER_METRICS, type ZooKeeperMetrics } from "./metricTable.ts";

export const zookeeperGateway = {
  name: "zookeeper",
  configKeys: ZOOKEEPER_CONFIG_KEYS,
  errors: { ...JUTE_ERRORS, ...ZOOKEEPER_ERRORS },
  metrics: ZOOKEEPER_METRICS,
  load: async () => (await import("./gatewayCode.ts")).zookeeperGatewayCode,
} as const satisfies Gateway<ZooKeeperConfig, ZooKeeperMetrics>;
