import type { METRICS, MetricsOf, MetricTable } from "../../base/metrics.ts";

/** What only the gateway of SOFARegistry's clients counts. */
export const SOFA_METRICS = {
  roster_frames_refused_total: {
    type: "counter",
    help: "Bolt frames that were not understood or not allowed, by error code.",
    labels: ["reason"],
  },
} as const satisfies MetricTable;

/** Where the gateway reports. */
export type SofaMetrics = MetricsOf<typeof METRICS & typeof SOFA_METRICS>;
