// Metrics under the names that SOFARegistry 6.6 gives them, where Roster has the figure. Their values count what ours
// count; labels that would name a slot, a service's group or a server are left out, so sums over them stay right.
//
// Not given: times (session_push_push_delay and meta_slot_arrange_leader_migrating_secs are histograms of
// milliseconds with other ends than ours), fetches and buffers of the push tasks that Roster does not have, and the
// gauges of meta by server and slot. docs/reference/metrics.md names our own figure for each.

import type { MetricAliases } from "../../base/metricAlias.ts";

const OK = { outcome: ["ok"] };

/** `type` is Y for accepted requests and N for refused ones. */
const access = (type: string) => [
  { labels: { type: "Y" }, of: "roster_requests_total", where: { type: [type], ...OK } },
  { labels: { type: "N" }, of: "roster_requests_total", where: { type: [type] }, except: OK },
];

export const SOFA_METRIC_ALIASES = {
  session_cache_pub_sum: {
    type: "gauge",
    help: "Publishers of a session's clients.",
    series: [{ of: "roster_client_publishers" }],
  },
  session_cache_sub_sum: {
    type: "gauge",
    help: "Subscribers of a session's clients.",
    series: [{ of: "roster_subscribers" }],
  },
  session_cache_wat_sum: {
    type: "gauge",
    help: "Configuration values that a session's clients watch.",
    series: [{ of: "roster_config_watches" }],
  },
  session_cache_channel_sum: {
    type: "gauge",
    help: "Client connections of a session.",
    series: [{ of: "roster_client_connections" }],
  },
  session_access_pub_total: {
    type: "counter",
    help: "Requests to register or unregister a publisher, accepted (Y) or refused (N).",
    series: access("publisherRegister"),
  },
  session_access_sub_total: {
    type: "counter",
    help: "Requests to register or unregister a subscriber, accepted (Y) or refused (N).",
    series: access("subscriberRegister"),
  },
  session_access_wat_total: {
    type: "counter",
    help: "Requests to watch a configuration value or end that, accepted (Y) or refused (N).",
    series: access("configuratorRegister"),
  },
  session_push_push_client_ing_total: {
    type: "counter",
    help: "Pushes that were handed to clients' connections.",
    series: [{ of: "roster_pushes_sent_total" }],
  },
  session_push_retry_total: {
    type: "counter",
    help: "Pushes that were not confirmed, by the reason: refused by the client, or timeout.",
    series: ["refused", "timeout"].map((reason) => ({
      labels: { reason },
      of: "roster_pushes_total",
      where: { outcome: [reason] },
    })),
  },
  data_cache_pub_total: {
    type: "gauge",
    help: "Publishers in the slots that a data node leads.",
    series: [{ of: "roster_publishers" }],
  },
  data_cache_pub_dataID_total: {
    type: "gauge",
    help: "Services in the slots that a data node leads.",
    series: [{ of: "roster_services" }],
  },
  data_change_notify_total: {
    type: "counter",
    help: "Versions that a data node has made (commit), and notices that it has sent to sessions (success).",
    series: [
      { labels: { type: "commit" }, of: "roster_versions_total" },
      { labels: { type: "success" }, of: "roster_notices_total" },
    ],
  },
  data_slot_leader_assign_total: {
    type: "gauge",
    help: "Slots that a data node leads.",
    series: [{ of: "roster_slots", where: { state: ["serving", "gathering"] } }],
  },
  data_slot_follower_assign_total: {
    type: "gauge",
    help: "Slots that a data node follows.",
    series: [{ of: "roster_slots", where: { state: ["in-sync", "copying"] } }],
  },
  data_slot_leader_migrating_total: {
    type: "gauge",
    help: "Slots that a data node leads and does not serve yet.",
    series: [{ of: "roster_slots", where: { state: ["gathering"] } }],
  },
} as const satisfies MetricAliases;
