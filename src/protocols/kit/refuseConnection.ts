// A connection that its budget has no room for: counted, logged once a minute for its address, and closed.

import type { RegistryError } from "../../base/errors.ts";
import type { Metrics } from "../../base/metrics.ts";
import type { Connection, Log } from "../../base/ports.ts";
import type { ConnectionAccount } from "./connectionAccount.ts";

export interface RefusedConnection {
  readonly account: ConnectionAccount;
  readonly refusal: RegistryError;
  readonly nowMs: number;
}

/** Closes the connection and its account. */
export function refuseConnection(
  connection: Pick<Connection, "remoteAddress" | "close">,
  { account, refusal, nowMs }: RefusedConnection,
  { log, metrics }: { readonly log: Pick<Log, "warn">; readonly metrics: Pick<Metrics, "add"> },
): void {
  metrics.add("roster_connections_closed_total", 1, { reason: refusal.code });
  if (account.account.mayLog(nowMs)) {
    log.warn("a connection was refused", { client: connection.remoteAddress, reason: refusal.message });
  }
  account.close();
  connection.close();
}
