// SOFARegistry's clients: accepts their Bolt connections, and ends those that are silent for too long.

import type { Connection, ConnectionHandler } from "../../base/ports.ts";
import type { SofaEnvironment } from "./environment.ts";
import { SofaHandler } from "./handler.ts";
import { PushBodies } from "./pushBodies.ts";

export class SofaGateway {
  readonly #environment: SofaEnvironment;
  readonly #bodies: PushBodies;
  readonly #open = new Set<SofaHandler>();

  constructor(environment: SofaEnvironment) {
    this.#environment = environment;
    this.#bodies = new PushBodies(environment.config, environment.compression);
  }

  /** Serves a new connection. */
  accept(connection: Connection, nowMs: number): ConnectionHandler {
    const handler: SofaHandler = new SofaHandler(connection, {
      ...this.#environment,
      bodies: this.#bodies,
      ended: () => this.#ended(handler),
      nowMs,
    });
    this.#open.add(handler);
    this.#environment.metrics.set("roster_client_connections", this.#open.size);
    return handler;
  }

  /** Ends connections on which nothing was read for client-idle-ms. The host calls it a few times within that span. */
  closeIdle(nowMs: number): void {
    for (const handler of this.#open) handler.closeIdle(nowMs);
  }

  #ended(handler: SofaHandler): void {
    this.#open.delete(handler);
    this.#environment.metrics.set("roster_client_connections", this.#open.size);
  }
}
