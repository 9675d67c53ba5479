// The clients of a large cluster, as few as will do: one connection to each session that publishes and subscribes for
// all of that session's clients.

import { anonymous } from "../../access/principal.ts";
import { unlimitedBudget } from "../../base/budget.ts";
import { type ClientId, clientId } from "../../model/ids.ts";
import { makeServiceKey } from "../../model/serviceKey.ts";
import type { ClientChannel } from "../../registry/registry.ts";
import type { SessionHost } from "../cluster/sessionHost.ts";

/** The registrations of each session's clients. */
export interface CrowdSize {
  readonly publishers: number;
  readonly subscribers: number;
  /** In the whole cluster. */
  readonly services: number;
}

// The cost of pushing a short list.
const PUSH_COST_MS = 0.015;
const PAYLOAD_BYTES = 150;

export class Crowd implements ClientChannel {
  readonly #client: ClientId;
  readonly #session: SessionHost;
  readonly #size: CrowdSize;
  readonly #at: number;
  readonly writtenBytes = 0;
  readonly sentBytes = 0;
  readonly address = "10.0.0.1";
  readonly answersQuestions = true;
  /** The number of pushes received. */
  pushes = 0;

  /** The crowd of the session with the number `at`. */
  constructor(session: SessionHost, at: number, size: CrowdSize) {
    this.#client = clientId(`10.0.0.${at}:1_session#${at}`);
    this.#session = session;
    this.#size = size;
    this.#at = at;
    const account = unlimitedBudget().open(this.#client);
    const principal = anonymous(this.address);
    session.step({ kind: "connected", client: this.#client, channel: this, principal, account });
  }

  ask(): void {
    // The client is there, and no other client wants its registrations.
  }

  isSilentSince(): boolean {
    return false;
  }

  join(): void {
    for (let index = 0; index < this.#size.publishers; index++) this.publish(index, 1n);
    for (let index = 0; index < this.#size.subscribers; index++) {
      this.#session.step({
        kind: "subscribed",
        client: this.#client,
        request: 1,
        subscription: {
          ...this.#key(index * 7, `s${index}`),
          version: 1n,
          scope: "dataCenter",
          zone: "Z",
          variant: "v",
        },
      });
    }
  }

  /** Registers one publisher, again with a higher version. */
  publish(index: number, version: bigint): void {
    const publication = {
      ...this.#key(index, `p${index}`),
      version,
      zone: "Z",
      appName: "app",
      attributes: new Map(),
      payload: new Uint8Array(PAYLOAD_BYTES).fill(Number(version % 256n)),
    };
    this.#session.step({ kind: "published", client: this.#client, request: 1, publication });
  }

  /** Registrations that were accepted. */
  accepted = 0;

  answer(): void {
    this.accepted++;
  }

  report(): void {
    // Clients never answer here, so nothing is paused.
  }

  /** The client never answers, so the pusher does not wait for it. */
  push(): number {
    this.pushes++;
    return PUSH_COST_MS;
  }

  pushConfig(): "sent" {
    return "sent";
  }

  #key(index: number, registId: string) {
    const service = (this.#at * 31 + index) % this.#size.services;
    return {
      serviceKey: makeServiceKey({ name: `service-${service}`, namespace: "", group: "" }),
      registId: `${this.#at}-${registId}`,
    };
  }
}
