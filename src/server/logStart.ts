// The beginning of a process's log: the program, its configuration, and the values in force.

import type { BudgetLimits } from "../base/budget.ts";
import { camelCase } from "../base/keySpec.ts";
import type { Metrics } from "../base/metrics.ts";
import type { Log } from "../base/ports.ts";
import { HIDDEN, isSecret } from "./config/load.ts";
import { CONFIG_KEYS, type Config, specOf } from "./config/table.ts";
import type { ConnectionLimits } from "./descriptors.ts";
import { packageVersion } from "./packageVersion.ts";

/** The first line. Settings at their default are left out. */
export function logStart(log: Log, config: Config): void {
  const settings = CONFIG_KEYS.flatMap((key) => {
    const value = config[camelCase(key)];
    if (String(value) === String(specOf(key).default)) return [];
    return `${key}=${isSecret(key) ? HIDDEN : String(value)}`;
  });
  log.info("roster is starting", { version: packageVersion(), node: process.version, settings: settings.join(" ") });
}

export interface LimitsInForce {
  readonly budget: BudgetLimits;
  readonly connections: ConnectionLimits;
  readonly descriptors: number | undefined;
}

/** The part of the configured values that the machine allows, in the log and in the metrics. */
export function logLimits(
  { budget, connections, descriptors }: LimitsInForce,
  { log, metrics }: { log: Log; metrics: Metrics },
): void {
  const { clients, session, otherHttp, nodes } = connections;
  log.info("limits in force", {
    budgetBytes: budget.bytesMax,
    clientConnections: clients,
    sessionConnections: session,
    otherHttpConnections: otherHttp,
    nodeConnections: nodes,
    ...(descriptors === undefined ? {} : { descriptors }),
  });
  metrics.set("roster_connections_max", clients, { of: "clients" });
  metrics.set("roster_connections_max", session, { of: "session" });
  metrics.set("roster_connections_max", otherHttp, { of: "other-http" });
  metrics.set("roster_connections_max", nodes, { of: "nodes" });
}
