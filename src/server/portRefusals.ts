import { fail } from "../base/errors.ts";
import type { Metrics } from "../base/metrics.ts";
import type { Log } from "../base/ports.ts";
import type { ListenOptions } from "../transport/listen.ts";

interface Reports {
  readonly log: Log;
  readonly metrics: Metrics;
  /** Whether operators let this session take clients; not given for ports of other peers. */
  readonly servesClients?: () => boolean;
}

/** A port's reports on refused connections; `port` is its label in metrics. */
export function portRefusals(
  { log, metrics, servesClients = () => true }: Reports,
  port: string,
): Pick<ListenOptions, "refused" | "notAccepted"> {
  return {
    refused: (share, address, numbers) => {
      const { code, message } = servesClients() ? fail(share, numbers) : fail("CLIENTS_NOT_SERVED", {});
      metrics.add("roster_connections_refused_total", 1, { port, reason: code });
      log.warn("a connection was refused", { address, port, reason: message });
    },
    // Node has closed the connection that it could not take; its peer tries again.
    notAccepted: (error) => {
      metrics.add("roster_connections_refused_total", 1, { port, reason: "SYSTEM" });
      log.error("the operating system could not accept a connection", { port, reason: error.message });
    },
  };
}
