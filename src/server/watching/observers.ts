// The observers of registrations, versions and pushes that the configuration asks for.

import type { Clock, Log } from "../../base/ports.ts";
import type { MadeVersion } from "../../data/dataPorts.ts";
import type { Config } from "../config/table.ts";
import type { ClientObserver } from "./clientObserver.ts";
import { debugLog, logVersion } from "./debugLog.ts";
import { SampledLines } from "./sampledLines.ts";
import { openTraces } from "./traces.ts";

export interface Observers {
  readonly clients: readonly ClientObserver[];
  readonly versions: readonly ((made: MadeVersion) => void)[];
}

/** No observers with the default configuration. */
export async function openObservers(
  { logLevel, traceOneIn: oneIn }: Pick<Config, "logLevel" | "traceOneIn">,
  { clock, log }: { clock: Clock; log: Log },
): Promise<Observers> {
  const clients: ClientObserver[] = [];
  const versions: ((made: MadeVersion) => void)[] = [];
  if (logLevel === "debug" || logLevel === "trace") {
    const lines = new SampledLines(log, clock);
    clients.push(debugLog(lines));
    versions.push((made) => logVersion(lines, made));
  }
  const traces = await openTraces({ oneIn, clock, log });
  if (traces !== undefined) {
    clients.push(traces.clients);
    versions.push((made) => traces.versionMade(made));
  }
  return { clients, versions };
}
