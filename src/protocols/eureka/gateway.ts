// Eureka's clients: the REST interface of Netflix' server and of Spring's, in JSON and XML.

import { XML_ERRORS } from "../../encoding/xml/errors.ts";
import type { Gateway } from "../kit/gateway.ts";
import { EUREKA_CONFIG_KEYS } from "./configKeys.ts";
import type { EurekaConfig, EurekaMetrics } from "./environment.ts";
import { EUREKA_ERRORS } from "./errorTable.ts";
import { EUREKA_METRICS } from "./metricTable.ts";

export const eurekaGateway = {
  name: "eureka",
  configKeys: EUREKA_CONFIG_KEYS,
  errors: { ...XML_ERRORS, ...EUREKA_ERRORS },
  metrics: EUREKA_METRICS,
  load: async () => (await import("./gatewayCode.ts")).eurekaGatewayCode,
} as const satisfies Gateway<EurekaConfig, EurekaMetrics>;
