// The metrics of the ports of a node and of TLS at them; part of the table in metrics.ts.

export const PORT_METRICS = {
  roster_connections_max: {
    type: "gauge",
    help:
      "Connections that are accepted at once: of clients, of the " +
      "session's ports together, of each other HTTP port, of nodes.",
    labels: ["of"],
  },
  roster_connections_refused_total: {
    type: "counter",
    help: "Connections that were refused at once, by port and error code.",
    labels: ["port", "reason"],
  },
  roster_datagrams_dropped_total: {
    type: "counter",
    help: "Datagrams that were not sent, by port and reason: too much waits to leave, or the system refused them.",
    labels: ["port", "reason"],
  },
  roster_tls_handshakes_total: {
    type: "counter",
    help:
      "TLS handshakes, by port and outcome: ok, failed, timeout, or refused because too many were under way; " +
      "plain is a connection without TLS at a port that takes both.",
    labels: ["port", "outcome"],
  },
  roster_tls_handshakes_open: {
    type: "gauge",
    help: "TLS handshakes that are under way, by port.",
    labels: ["port"],
  },
  roster_tls_certificate_expiry_timestamp_seconds: {
    type: "gauge",
    help: "The time at which a certificate in force expires, in seconds since 1970: of the server, or for its links.",
    labels: ["certificate"],
    ofWorkers: "min",
  },
  roster_tls_reloads_total: {
    type: "counter",
    help: "Changed certificate files that were read again, by outcome: ok, or failed, which leaves the old ones in force.",
    labels: ["certificate", "outcome"],
  },
} as const;
