import type { METRICS, MetricsOf, MetricTable } from "../../base/metrics.ts";

/** Metrics of the gateway for ZooKeeper's clients alone. */
export const ZOOKEEPER_METRICS = {
  roster_zookeeper_requests_total: {
    type: "counter",
    help: "Requests of ZooKeeper's clients that were answered, by operation.",
    labels: ["operation"],
  },
  roster_zookeeper_znodes: { type: "gauge", help: "Znodes in this session's copy of the tree.", labels: [] },
  roster_zookeeper_tree_bytes: {
    type: "gauge",
    help: "Bytes of data and paths in this session's copy of the tree.",
    labels: [],
  },
  roster_zookeeper_watches: { type: "gauge", help: "Watches of ZooKeeper's clients at this session.", labels: [] },
  roster_zookeeper_sessions: {
    type: "gauge",
    help: "Sessions of ZooKeeper's clients that this node judges.",
    labels: [],
  },
} as const satisfies MetricTable;

/** The gateway's port for reporting. */
export type ZooKeeperMetrics = MetricsOf<typeof METRICS & typeof ZOOKEEPER_METRICS>;
