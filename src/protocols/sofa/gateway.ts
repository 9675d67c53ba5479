// SOFARegistry's clients: SOFABolt v1 and v2 with Hessian or protobuf contents, and the paths of its HTTP servers.

import { BOLT_ERRORS } from "../../encoding/bolt/errors.ts";
import { HESSIAN_ERRORS } from "../../encoding/hessian/errors.ts";
import { PROTOBUF_ERRORS } from "../../encoding/protobuf/errors.ts";
import type { Gateway } from "../kit/gateway.ts";
import { SOFA_CONFIG_KEYS } from "./configKeys.ts";
import type { SofaConfig, SofaDataConfig, SofaHttpConfig } from "./environment.ts";
import { SOFA_ERRORS } from "./errorTable.ts";
import { SOFA_METRIC_ALIASES } from "./metricAliases.ts";
import { SOFA_METRICS, type SofaMetrics } from "./metricTable.ts";

export const sofaGateway = {
  name: "sofa",
  configKeys: SOFA_CONFIG_KEYS,
  errors: { ...BOLT_ERRORS, ...HESSIAN_ERRORS, ...PROTOBUF_ERRORS, ...SOFA_ERRORS },
  metrics: SOFA_METRICS,
  metricAliases: { table: SOFA_METRIC_ALIASES, isOn: ({ sofaMetricNames }) => sofaMetricNames },
  load: async () => (await import("./gatewayCode.ts")).sofaGatewayCode,
} as const satisfies Gateway<
  SofaConfig & SofaHttpConfig & SofaDataConfig & { readonly sofaMetricNames: boolean },
  SofaMetrics
>;
