// A number named by another node that no node can have given by now: it was not believed, and operators hear of it.

import type { Metrics } from "../base/metrics.ts";
import type { Log } from "../base/ports.ts";

interface Refused {
  /** The message with the number, or its part. */
  readonly what: string;
  readonly from: string;
  readonly version: bigint;
}

export function versionRefused(
  { what, from, version }: Refused,
  { log, metrics }: { log: Log; metrics: Metrics },
): void {
  metrics.add("roster_versions_refused_total", 1, { message: what });
  log.warn("a version was ignored as not credible: a clock is days ahead, or a stranger uses the node port", {
    message: what,
    from,
    version: String(version),
  });
}
