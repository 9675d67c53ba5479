// The connected clients of each host, for questions about an address.

import { hostOf } from "../model/ids.ts";
import type { Client } from "./client.ts";

const NONE: ReadonlySet<Client> = new Set();

export class ClientsByHost {
  readonly #clients = new Map<string, Set<Client>>();

  /** The clients that connect from this host, as their ids name it. */
  at(host: string): ReadonlySet<Client> {
    return this.#clients.get(host) ?? NONE;
  }

  hosts(): Iterable<string> {
    return this.#clients.keys();
  }

  /** The number of hosts. */
  get size(): number {
    return this.#clients.size;
  }

  add(client: Client): void {
    const host = hostOf(client.id);
    const ofHost = this.#clients.get(host) ?? new Set();
    this.#clients.set(host, ofHost.add(client));
  }

  delete(client: Client): void {
    const host = hostOf(client.id);
    const ofHost = this.#clients.get(host);
    ofHost?.delete(client);
    if (ofHost?.size === 0) this.#clients.delete(host);
  }
}
