// DNS: the services of the registry, whatever protocol registered them, under the names that Consul gives them.

import { DNS_ERRORS } from "../../encoding/dns/errors.ts";
import type { Gateway } from "../kit/gateway.ts";
import { DNS_CONFIG_KEYS } from "./configKeys.ts";
import type { DnsConfig } from "./environment.ts";
import { DNS_METRICS, type DnsMetrics } from "./metricTable.ts";

export const dnsGateway = {
  name: "dns",
  configKeys: DNS_CONFIG_KEYS,
  errors: DNS_ERRORS,
  metrics: DNS_METRICS,
  load: async () => (await import("./gatewayCode.ts")).dnsGatewayCode,
} as const satisfies Gateway<DnsConfig, DnsMetrics>;
