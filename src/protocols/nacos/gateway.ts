// Nacos' clients: naming and configuration by gRPC, and by HTTP for those that have nothing else.

import { GRPC_ERRORS } from "../../encoding/grpc/errors.ts";
import { JSON_ERRORS } from "../../encoding/json/errors.ts";
import { PROTOBUF_ERRORS } from "../../encoding/protobuf/errors.ts";
import type { Gateway } from "../kit/gateway.ts";
import { NACOS_CONFIG_KEYS } from "./configKeys.ts";
import type { NacosConfig } from "./environment.ts";
import { NACOS_ERRORS } from "./errorTable.ts";
import { NACOS_METRICS, type NacosMetrics } from "./metricTable.ts";

export const nacosGateway = {
  name: "nacos",
  configKeys: NACOS_CONFIG_KEYS,
  errors: { ...GRPC_ERRORS, ...JSON_ERRORS, ...PROTOBUF_ERRORS, ...NACOS_ERRORS },
  metrics: NACOS_METRICS,
  load: async () => (await import("./gatewayCode.ts")).nacosGatewayCode,
} as const satisfies Gateway<NacosConfig, NacosMetrics>;
