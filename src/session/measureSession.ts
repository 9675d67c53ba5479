import type { Metrics } from "../base/metrics.ts";
import type { ConfigWatches } from "./configWatches.ts";
import type { DataLinks } from "./dataLinks.ts";
import type { DepartedClients } from "./departedClients.ts";
import type { Leases } from "./leases.ts";
import type { Publications } from "./publications.ts";
import type { Pusher } from "./pusher.ts";
import type { SessionRules } from "./sessionRules.ts";

interface MeasuredParts {
  readonly publications: Publications;
  readonly configs: ConfigWatches;
  readonly links: DataLinks;
  readonly pusher: Pusher;
  readonly departed: DepartedClients;
  readonly leases: Leases;
  readonly rules: SessionRules;
}

/** Sets the gauges that are not set when something changes. */
export function measureSession(metrics: Metrics, parts: MeasuredParts): void {
  const { publications, configs, links, pusher, departed, leases, rules } = parts;
  metrics.set("roster_client_publishers", publications.size);
  metrics.set("roster_config_watches", configs.size);
  for (const [from, count] of Object.entries(rules.holding)) {
    metrics.set("roster_rules_holding_pushes", count, { from });
  }
  metrics.set("roster_queue_length", links.waiting, { queue: "changes" });
  metrics.set("roster_queue_length", pusher.servicesDue, { queue: "pushes" });
  metrics.set("roster_queue_length", pusher.retriesDue, { queue: "retries" });
  metrics.set("roster_queue_length", departed.size, { queue: "returns" });
  metrics.set("roster_queue_length", leases.waiting, { queue: "heartbeats" });
}
