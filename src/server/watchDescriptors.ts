// When no descriptor is left, Node closes new connections silently. The parts of descriptors.ts leave some for
// everything; a cluster with very many links, or a limit that is lowered while the process runs, can still use them up.
// So one is requested each second.

import { closeSync, openSync } from "node:fs";
import { devNull } from "node:os";
import type { Metrics } from "../base/metrics.ts";
import type { Log } from "../base/ports.ts";

const INTERVAL_MS = 1_000;

/** Counts the seconds that begin without a free descriptor. Returns its stop. */
export function watchDescriptors({ log, metrics }: { log: Log; metrics: Metrics }): () => void {
  let seconds = 0;
  const look = () => {
    if (isOneFree()) {
      if (seconds > 0) log.warn("file descriptors are available again", { seconds });
      seconds = 0;
      return;
    }
    seconds++;
    metrics.add("roster_descriptors_exhausted_seconds_total", 1);
    if (seconds === 1) log.error("no file descriptors are left: new connections are lost; raise ulimit -n", {});
  };
  const timer = setInterval(look, INTERVAL_MS);
  return () => clearInterval(timer);
}

function isOneFree(): boolean {
  try {
    closeSync(openSync(devNull, "r"));
    return true;
  } catch {
    return false;
  }
}
