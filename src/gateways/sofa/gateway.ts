// SOFARegistry's clients: accepts their Bolt connections, and ends those that are silent for too long.

import { addressGroup } from "../../base/addressGroup.ts";
import type { RegistryError } from "../../base/errors.ts";
import type { Connection, ConnectionHandler } from "../../base/ports.ts";
import { ConnectionAccount } from "./connectionAccount.ts";
import type { SofaEnvironment } from "./environment.ts";
import { SofaHandler } from "./handler.ts";
import { PushBodies } from "./pushBodies.ts";

// Twice the time between two rounds.
const CHECK_MS_MAX = 1_000;

export class SofaGateway {
  readonly #environment: SofaEnvironment;
  readonly #bodies: PushBodies;
  readonly #open = new Set<SofaHandler>();
  #accepted = 0;
  #checkedMs = Number.POSITIVE_INFINITY;

  constructor(environment: SofaEnvironment) {
    this.#environment = environment;
    this.#bodies = new PushBodies(environment.config, environment.compression);
  }

  /** Serves a new connection. */
  accept(connection: Connection, nowMs: number): ConnectionHandler {
    const account = new ConnectionAccount(this.#environment.budget.open(addressGroup(connection.remoteAddress)));
    const refusal = account.open();
    if (refusal !== undefined) return this.#refuse(connection, { account, refusal, nowMs });
    const handler: SofaHandler = new SofaHandler(connection, {
      ...this.#environment,
      bodies: this.#bodies,
      account,
      ended: () => this.#ended(handler),
      number: this.#accepted++,
      nowMs,
    });
    this.#open.add(handler);
    this.#environment.metrics.set("roster_client_connections", this.#open.size);
    return handler;
  }

  /**
   * Ends connections on which nothing was read for client-idle-ms, or that are blocked for too long. The host calls it
   * twice a second. A round that is late says that this process was away, and that what the clients sent meanwhile may
   * not have been read yet: it is left to the next one.
   */
  closeIdle(nowMs: number): void {
    const isLate = nowMs - this.#checkedMs > CHECK_MS_MAX;
    this.#checkedMs = nowMs;
    if (isLate) return;
    for (const handler of this.#open) handler.closeIdle(nowMs);
  }

  #refuse(
    connection: Connection,
    { account, refusal, nowMs }: { account: ConnectionAccount; refusal: RegistryError; nowMs: number },
  ): ConnectionHandler {
    const { log, metrics } = this.#environment;
    metrics.add("roster_connections_closed_total", 1, { reason: refusal.code });
    if (account.account.mayLog(nowMs)) {
      log.warn("a connection was refused", { client: connection.remoteAddress, reason: refusal.message });
    }
    account.close();
    connection.close();
    return { received: () => undefined, drained: () => undefined, closed: () => undefined };
  }

  #ended(handler: SofaHandler): void {
    this.#open.delete(handler);
    this.#environment.metrics.set("roster_client_connections", this.#open.size);
  }
}
