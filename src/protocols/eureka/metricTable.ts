import type { MetricTable } from "../../base/metrics.ts";

/** Metrics of the gateway for Eureka's clients alone. */
export const EUREKA_METRICS = {
  roster_eureka_peer_words_total: {
    type: "counter",
    help:
      "Words of clients for each server of eureka-peers, by outcome: told, refused (by the peer, after it was told), " +
      "or dropped because the peer could not be told in time.",
    labels: ["outcome"],
  },
} as const satisfies MetricTable;
