import { fail } from "../base/errors.ts";
import type { Metrics } from "../base/metrics.ts";
import type { Log } from "../base/ports.ts";
import type { ListenOptions } from "../transport/listen.ts";

/** A port's reports on refused connections; `port` is its label in metrics. */
export function portRefusals(
  { log, metrics }: { readonly log: Log; readonly metrics: Metrics },
  port: string,
): Pick<ListenOptions, "refused" | "notAccepted"> {
  return {
    refused: (reason, address, numbers) => {
      metrics.add("roster_connections_refused_total", 1, { port, reason });
      log.warn("a connection was refused", { address, port, reason: fail(reason, numbers).message });
    },
    // Node has closed the connection that it could not take; its peer tries again.
    notAccepted: (error) => {
      metrics.add("roster_connections_refused_total", 1, { port, reason: "SYSTEM" });
      log.error("the operating system could not accept a connection", { port, reason: error.message });
    },
  };
}
