// The clients whose breakers hold back their pushes, counted for operators.

import type { Metrics } from "../base/metrics.ts";
import { Breaker } from "./breaker.ts";
import type { Client } from "./client.ts";

export class PausedClients {
  readonly #clients = new Set<Client>();
  readonly #metrics: Metrics;

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  /** A push was not answered. Returns whether pushes to the client are held back. */
  fail(client: Client, nowMs: number): boolean {
    client.breaker ??= new Breaker();
    client.breaker.failed(nowMs);
    if (!client.breaker.isOpen) return false;
    if (this.#clients.has(client)) return true;
    this.#clients.add(client);
    this.#count();
    client.channel.report("paused");
    return true;
  }

  /** The client has answered. Returns whether its pushes were held back until now. */
  resume(client: Client): boolean {
    client.breaker = undefined;
    if (!this.#clients.delete(client)) return false;
    this.#count();
    client.channel.report("resumed");
    return true;
  }

  /** The client's connection is lost. */
  delete(client: Client): void {
    if (this.#clients.delete(client)) this.#count();
  }

  #count(): void {
    this.#metrics.set("roster_clients_paused", this.#clients.size);
  }
}
