import type { METRICS, MetricsOf, MetricTable } from "../../base/metrics.ts";

/** Metrics of the DNS server alone. */
export const DNS_METRICS = {
  roster_dns_queries_total: {
    type: "counter",
    help:
      "DNS queries, by transport and outcome: ok, empty (the name has no such record), unknown, refused, malformed, " +
      "unavailable (the lists have not come), or dropped (too many of one address).",
    labels: ["transport", "outcome"],
  },
} as const satisfies MetricTable;

/** The server's port for reporting. */
export type DnsMetrics = MetricsOf<typeof METRICS & typeof DNS_METRICS>;
