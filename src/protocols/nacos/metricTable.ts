import type { METRICS, MetricsOf, MetricTable } from "../../base/metrics.ts";

/** Metrics of the gateway for Nacos' clients alone. */
export const NACOS_METRICS = {
  roster_nacos_requests_total: {
    type: "counter",
    help: "Requests of Nacos' clients by gRPC, by type (`unknown` for one that is not served) and outcome.",
    labels: ["type", "outcome"],
  },
  roster_nacos_datagrams_total: {
    type: "counter",
    help: "Lists for clients of Nacos 1.x by UDP, by outcome: sent, acknowledged, or too_large for a message.",
    labels: ["outcome"],
  },
} as const satisfies MetricTable;

/** The gateway's port for reporting. */
export type NacosMetrics = MetricsOf<typeof METRICS & typeof NACOS_METRICS>;
