// The metrics of all parts, in one table, and the port through which roles and gateways report. The metrics of one
// protocol are in its folder. Names follow Prometheus's rules: base units, `_total` for counters.
// docs/reference/metrics.md is generated from this table.

import { PORT_METRICS } from "./portMetrics.ts";

/** One metric. */
export interface MetricSpec {
  readonly type: "counter" | "gauge" | "histogram";
  /** One sentence that names the thing counted. */
  readonly help: string;
  /** Few labels, each with few values: a label never carries a service, a client or an address. */
  readonly labels: readonly string[];
  /** For a value that several workers of a server share, which must not be summed. */
  readonly ofWorkers?: "max" | "min";
  /** Upper bounds of a histogram's buckets, rising. */
  readonly buckets?: readonly number[];
}

// From the time of a push inside one process (well below 1 ms) to the longest configured delay.
const LATENCY_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;

/** Metrics by their names. */
export type MetricTable = Readonly<Record<string, MetricSpec>>;

/** The metrics of all parts, in the order in which the reference page lists them. */
export const METRICS = {
  roster_client_connections: {
    type: "gauge",
    help: "Open client connections, by protocol.",
    labels: ["protocol"],
  },
  ...PORT_METRICS,
  roster_descriptors_exhausted_seconds_total: {
    type: "counter",
    help: "Seconds that began without a free file descriptor: the system then closes new connections silently.",
    labels: [],
  },
  roster_connections_closed_total: {
    type: "counter",
    help: "Closed client connections, by reason: the client's own end, or the error code.",
    labels: ["reason"],
  },
  roster_requests_total: {
    type: "counter",
    help: "Client requests answered, by request type and outcome: ok, or the error code.",
    labels: ["type", "outcome"],
  },
  roster_pushes_total: {
    type: "counter",
    help: "Pushes, by outcome: answered, refused or timeout; late is an answer after its timeout, blocked is a push that waits.",
    labels: ["outcome"],
  },
  roster_clients_paused: {
    type: "gauge",
    help: "Clients that no longer answer pushes as before, and are pushed to only now and then.",
    labels: [],
  },
  roster_push_bytes_total: {
    type: "counter",
    help: "Bytes of pushes handed to connections.",
    labels: [],
  },
  roster_held_bytes: {
    type: "gauge",
    help: "Memory that clients make this process hold, as counted, by use.",
    labels: ["held"],
  },
  roster_budget_max_bytes: {
    type: "gauge",
    help: "The most memory that clients may make this process hold.",
    labels: [],
  },
  roster_bytes_refused_total: {
    type: "counter",
    help: "Refusals because a client, an address or the node would have held too much.",
    labels: ["level"],
  },
  roster_publishers: {
    type: "gauge",
    help: "Registered publishers.",
    labels: [],
  },
  roster_publishers_memory_bytes: {
    type: "gauge",
    help: "Memory for publishers at a data node, outside the JavaScript heap.",
    labels: [],
  },
  roster_publishers_unlisted_total: {
    type: "counter",
    help: "Publishers that a data node did not list, because the list of their service would have become too large.",
    labels: [],
  },
  roster_publishers_unlisted: {
    type: "gauge",
    help: "Publishers of a session's clients that are not listed, because the list of their service is too large.",
    labels: [],
  },
  roster_revisions_kept_bytes: {
    type: "gauge",
    help: "Memory for the revisions of applications that a session keeps.",
    labels: [],
  },
  roster_lists_without_revision: {
    type: "gauge",
    help: "Lists that a session does not show, or shows in part, because it can't read a revision that they name.",
    labels: [],
  },
  roster_data_full: {
    type: "gauge",
    help: "1 while a data node is full and sessions refuse new registrations for it, 0 otherwise.",
    ofWorkers: "max",
    labels: [],
  },
  roster_registrations_contested_total: {
    type: "counter",
    help: "Registrations that a client wanted and did not get, because a client at another session holds them.",
    labels: [],
  },
  roster_versions_refused_total: {
    type: "counter",
    help: "Versions and epochs named by other nodes that no clock can have given by now; they were not believed.",
    labels: ["message"],
  },
  roster_tombstones: {
    type: "gauge",
    help: "Removals that a data node remembers, so that nothing older comes back.",
    labels: [],
  },
  roster_tombstones_ended_early_total: {
    type: "counter",
    help: "Removals that a data node has forgotten early because there were too many.",
    labels: [],
  },
  roster_services: {
    type: "gauge",
    help: "Services in the slots that a data node leads, those without publishers included.",
    labels: [],
  },
  roster_subscribers: {
    type: "gauge",
    help: "Registered subscribers.",
    labels: [],
  },
  roster_client_publishers: {
    type: "gauge",
    help: "Publishers of a session's own clients.",
    labels: [],
  },
  roster_rules_holding_pushes: {
    type: "gauge",
    help:
      "Rules in force that hold pushes of a session: told by meta, or set at this session alone while no meta node " +
      "led. The latter end when meta changes the rule of the same name.",
    labels: ["from"],
  },
  roster_config_watches: {
    type: "gauge",
    help: "Configuration values that a session's clients watch.",
    labels: [],
  },
  roster_leases: {
    type: "gauge",
    help: "Registrations that are kept by heartbeats, at the leader of their slot.",
    labels: [],
  },
  roster_leases_unhealthy: {
    type: "gauge",
    help: "Those of them whose heartbeats are missing, and that are shown as unhealthy.",
    labels: [],
  },
  roster_persistent_registrations: {
    type: "gauge",
    help: "Persistent registrations of the cluster, as this session's copy of the records has them.",
    labels: [],
    ofWorkers: "max",
  },
  roster_persistent_kept: {
    type: "gauge",
    help: "Persistent registrations that this session keeps registered, with the marks of those that were taken back.",
    labels: [],
  },
  roster_persistent_removed_total: {
    type: "counter",
    help: "Persistent registrations that were removed because a check was critical for too long.",
    labels: [],
  },
  roster_checks: {
    type: "gauge",
    help: "Checks of the persistent registrations that this session keeps, by status.",
    labels: ["status"],
  },
  roster_checks_running: { type: "gauge", help: "Probes that are under way.", labels: [] },
  roster_checks_total: {
    type: "counter",
    help:
      "Probes that have ended, by kind (tcp, http, grpc, udp) and result: passing, warning, critical, or denied, " +
      "which this node may not make.",
    labels: ["kind", "result"],
  },
  roster_check_statuses_waiting: {
    type: "gauge",
    help: "Persistent registrations with a new status of a check that the store does not have yet.",
    labels: [],
  },
  roster_lease_renewals_total: {
    type: "counter",
    help:
      "Heartbeats that a data node has been told of: of known registrations, of unknown ones and those of which an " +
      "earlier leader may have heard more, whose clients register again, and of those of which it can't tell yet.",
    labels: ["registration"],
  },
  roster_leases_ended_total: {
    type: "counter",
    help: "Registrations that a data node has removed because their heartbeats have stopped.",
    labels: [],
  },
  roster_services_held: {
    type: "gauge",
    help: "Services that are not pushed at present because their publishers are not all back.",
    labels: [],
  },
  roster_services_held_oldest_seconds: {
    type: "gauge",
    help: "The time for which the loss protection has held a list for longest; 0 while it holds none.",
    ofWorkers: "max",
    labels: [],
  },
  roster_push_hop_seconds: {
    type: "histogram",
    help:
      "Time that a change takes for each hop of its way, named by the end of the hop. " +
      "sent: from a session's acceptance to the batch for the slot's leader, once a batch, of its first change. " +
      "taken: from that batch to the leader's answer, which comes after the new version. " +
      "noticed: from the making of a version, by the leader's clock, to its notice at a session. " +
      "pushed: from a newer list at a session to handing its push to a client's connection, if that client was not " +
      "still busy with the push before. answered: from there to the client's confirmation.",
    labels: ["hop"],
    buckets: LATENCY_BUCKETS,
  },
  roster_pushes_sent_total: {
    type: "counter",
    help: "Pushes that were handed to clients' connections.",
    labels: [],
  },
  roster_versions_total: {
    type: "counter",
    help: "Versions of lists that a data node has made.",
    labels: [],
  },
  roster_notices_total: {
    type: "counter",
    help: "Notices of changes that a data node has sent to sessions.",
    labels: [],
  },
  roster_queue_length: {
    type: "gauge",
    help:
      "Entries of each queue. changes: registrations that wait for a data node. pushes: services whose list is to be " +
      "pushed. retries: clients' lists that are to be pushed again. returns: clients whose connection is lost and " +
      "who may return. heartbeats: of clients without connections, until a data node has heard them. store: calls to " +
      "the store without an answer.",
    labels: ["queue"],
  },
  roster_slots: {
    type: "gauge",
    help:
      "Slots of a data node, by state. serving: led, lists are sent. gathering: led, waits for sessions to report. " +
      "in-sync: followed, with a whole copy. copying: followed, without one yet.",
    labels: ["state"],
  },
  roster_members: {
    type: "gauge",
    help: "Members of the cluster, by role, as the leading meta node knows them; 0 on the others.",
    labels: ["role"],
  },
  roster_slots_unserved: {
    type: "gauge",
    help: "Slots that no data node has reported to serve, on the leading meta node; 0 on the others.",
    labels: [],
  },
  roster_slots_without_follower: {
    type: "gauge",
    help: "Slots without a follower in sync although the table names one, on the leading meta node; 0 on the others.",
    labels: [],
  },
  roster_divergence_found_total: {
    type: "counter",
    help:
      "Comparisons that found two nodes to differ. digest: a session's publications in a slot that its leader has " +
      "compared before. takeover: the same where the leader is new, which is no fault. scan: a list at a session, " +
      "changes under way included. copy: a service at a follower that was in sync, changes under way included.",
    labels: ["by"],
  },
  roster_divergence_repaired_total: {
    type: "counter",
    help: "Differences that are gone again, by the comparison that found them.",
    labels: ["by"],
  },
  roster_node_links: {
    type: "gauge",
    help: "Links to other nodes that are up, by purpose: meta, data or replication.",
    labels: ["link"],
  },
  roster_node_peers_refused_total: {
    type: "counter",
    help:
      "Greetings of nodes that were refused: without a proof of the cluster's secret, with a wrong one, with the " +
      "certificate of another node, or for what they say.",
    labels: ["reason"],
  },
  roster_node_connections_failed_total: {
    type: "counter",
    help: "Connections to the node port that ended before they became a link: strangers, refused nodes, silence.",
    labels: ["reason"],
  },
  roster_node_links_lost_total: {
    type: "counter",
    help: "Links to other nodes that were up and ended, by purpose.",
    labels: ["link"],
  },
  roster_node_waiting_bytes: {
    type: "gauge",
    help: "Bytes of messages that wait for other nodes, since these or the line do not take them.",
    labels: [],
  },
  roster_node_messages_sent_total: {
    type: "counter",
    help: "Messages to other nodes, by sender and receiver.",
    labels: ["message"],
  },
  roster_node_bytes_sent_total: {
    type: "counter",
    help: "Bytes of messages to other nodes, by sender and receiver.",
    labels: ["message"],
  },
  roster_node_blocked: {
    type: "gauge",
    help: "1 while an operator has blocked this node, 0 otherwise.",
    labels: [],
  },
  roster_nodes_blocked: {
    type: "gauge",
    help: "Nodes that operators have blocked, on the leading meta node; 0 on the others.",
    labels: [],
  },
  roster_slots_paused: {
    type: "gauge",
    help: "1 while operators pause the arrangement of slots, on the leading meta node; 0 on the others.",
    labels: [],
  },
  roster_store_reachable: {
    type: "gauge",
    help: "1 while the store under the role meta answers, 0 while it does not.",
    ofWorkers: "max",
    labels: [],
  },
  roster_meta_leader: {
    type: "gauge",
    help: "1 on the leading meta node, 0 on the others.",
    ofWorkers: "max",
    labels: [],
  },
  roster_disk_writes_failed_total: {
    type: "counter",
    help: "Hints for the next start that the node's own disk did not take, by content.",
    labels: ["what"],
  },
  roster_log_blocked: {
    type: "gauge",
    help: "1 while log lines can't be written, as on a full disk or without a reader, 0 otherwise.",
    ofWorkers: "max",
    labels: [],
  },
  roster_log_lines_lost_total: {
    type: "counter",
    help: "Log lines that could not be written and were given up.",
    labels: [],
  },
  roster_event_loop_lag_seconds: {
    type: "gauge",
    help: "The delay with which the event loop last ran a timer: a lower bound of every other delay.",
    ofWorkers: "max",
    labels: [],
  },
  roster_event_loop_delay_seconds: {
    type: "histogram",
    help: "The delay with which the event loop runs a timer, measured once a second.",
    labels: [],
    buckets: LATENCY_BUCKETS,
  },
  roster_event_loop_busy_seconds_total: {
    type: "counter",
    help: "Time in which the event loop ran code and did not wait: 1 a second is all that it has.",
    labels: [],
  },
  roster_build_info: {
    type: "gauge",
    help: "Always 1; the labels name this build, and the Node that runs it.",
    ofWorkers: "max",
    labels: ["version", "node"],
  },
  roster_workers: {
    type: "gauge",
    help: "Processes whose values this page sums up: one, or the workers that answered.",
    labels: [],
  },
  process_cpu_seconds_total: {
    type: "counter",
    help: "User and system time of the processor.",
    labels: [],
  },
  process_start_time_seconds: {
    type: "gauge",
    help: "Start of the process, in seconds since 1970.",
    ofWorkers: "min",
    labels: [],
  },
  process_resident_memory_bytes: {
    type: "gauge",
    help: "Resident memory.",
    labels: [],
  },
  process_virtual_memory_bytes: {
    type: "gauge",
    help: "Mapped memory.",
    labels: [],
  },
  process_open_fds: {
    type: "gauge",
    help: "Open file descriptors.",
    labels: [],
  },
  process_max_fds: {
    type: "gauge",
    help: "The most file descriptors that may be open.",
    labels: [],
  },
  nodejs_heap_size_used_bytes: {
    type: "gauge",
    help: "V8's heap in use, garbage included.",
    labels: [],
  },
  nodejs_heap_size_total_bytes: {
    type: "gauge",
    help: "V8's heap.",
    labels: [],
  },
  nodejs_external_memory_bytes: {
    type: "gauge",
    help: "Memory outside V8's heap that its objects hold: buffers.",
    labels: [],
  },
} as const satisfies MetricTable;
type NameOfType<Table extends MetricTable, T extends MetricSpec["type"]> = {
  [N in keyof Table]: Table[N]["type"] extends T ? N : never;
}[keyof Table] &
  string;

/** A value for each label of the metric. */
type LabelsOf<Spec extends MetricSpec> = Readonly<Record<Spec["labels"][number], string>>;

// A metric without labels takes no third argument, one with labels requires it.
type LabelArguments<Spec extends MetricSpec> = Spec["labels"] extends readonly [] ? [] : [labels: LabelsOf<Spec>];

/** A counter under fixed labels: to add to it finds nothing and allocates nothing. */
export interface CounterPort {
  add(value: number): void;
}

/** A histogram under fixed labels; as cheap. */
export interface HistogramPort {
  /** Counts one measured value. */
  observe(value: number): void;
}

/** The port for reporting a table's metrics. A metric that is not in the table does not compile. */
export interface MetricsOf<Table extends MetricTable> {
  /** Adds to a counter: `metrics.add("roster_pushes_total", 1, { outcome: "ok" })`. */
  add<N extends NameOfType<Table, "counter">>(name: N, value: number, ...labels: LabelArguments<Table[N]>): void;
  /** Sets the present value of a gauge. */
  set<N extends NameOfType<Table, "gauge">>(name: N, value: number, ...labels: LabelArguments<Table[N]>): void;
  /** A counter for a hot path, found once. */
  counter<N extends NameOfType<Table, "counter">>(name: N, ...labels: LabelArguments<Table[N]>): CounterPort;
  histogram<N extends NameOfType<Table, "histogram">>(name: N, ...labels: LabelArguments<Table[N]>): HistogramPort;
}

/** The port for reporting of roles and the server. */
export type Metrics = MetricsOf<typeof METRICS>;

export const NO_COUNTER: CounterPort = { add: () => undefined };
export const NO_HISTOGRAM: HistogramPort = { observe: () => undefined };

/** Discards all reports: for tests, and for programs that embed a role without metrics. */
export const noMetrics = {
  add: () => undefined,
  set: () => undefined,
  counter: () => NO_COUNTER,
  histogram: () => NO_HISTOGRAM,
};
