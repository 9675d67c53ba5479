// A publisher at a session: one registration of one client.

import { randomUUID } from "node:crypto";
import type { ServiceKey } from "../model/ids.ts";
import { BoltClient, type BoltClientOptions, type OwnPublisher } from "./boltClient.ts";

export interface PublisherOptions extends BoltClientOptions {
  readonly serviceKey: ServiceKey;
  readonly boxes: readonly string[];
  /** Whether to subscribe to the service too, as clients do that call it. */
  readonly isSubscriber: boolean;
}

/** Reports of a publisher. */
export interface PublisherEvents {
  /** The session has the registration. */
  registered(session: string): void;
  unregistered(): void;
  /** The session refused it; it is sent again. */
  refused(message: string): void;
  /** A connection was lost, or not made; another one follows. */
  disconnected(session: string, reason: string): void;
}

export class BoltPublisher {
  readonly registId = randomUUID();
  readonly #client: BoltClient;
  readonly #publisher: OwnPublisher;

  /** Connects and publishes. */
  constructor(options: PublisherOptions, events: PublisherEvents) {
    this.#client = new BoltClient(options, {
      acknowledged: ({ isRegistered }, session) => {
        if (isRegistered) events.registered(session);
        else events.unregistered();
      },
      refused: (message) => events.refused(message),
      disconnected: (session, reason) => events.disconnected(session, reason),
    });
    this.#publisher = this.#client.publish(options.serviceKey, options.boxes, this.registId);
    if (options.isSubscriber) this.#client.subscribe(options.serviceKey);
  }

  /** Takes the registration back; `unregistered` follows when the session has answered. */
  unregister(): void {
    this.#client.unregister(this.#publisher);
  }

  /** Ends the connection. May be called twice. */
  close(): void {
    this.#client.close();
  }
}
