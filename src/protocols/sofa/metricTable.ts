import type { METRICS, MetricsOf, MetricTable } from "../../base/metrics.ts";

/** Metrics of the gateway for SOFARegistry's clients alone. */
export const SOFA_METRICS = {
  roster_frames_refused_total: {
    type: "counter",
    help: "Bolt frames that were not understood or not allowed, by error code.",
    labels: ["reason"],
  },
} as const satisfies MetricTable;

/** The gateway's port for reporting. */
export type SofaMetrics = MetricsOf<typeof METRICS & typeof SOFA_METRICS>;
