// A client of Nacos 1.x as the registry knows it: its lists go to its port by UDP.

import type { Principal } from "../../../access/principal.ts";
import { anonymous } from "../../../access/principal.ts";
import type { Account } from "../../../base/budget.ts";
import type { ClientId } from "../../../model/ids.ts";
import type { Blocked, ClientChannel, Outcome, Push } from "../../../registry/registry.ts";
import type { Datagrams } from "./datagrams.ts";
import type { Subscribed } from "./subscriptions.ts";

/** A subscription, which ends when its client does not ask for the list any more. */
export interface UdpSubscription extends Subscribed {
  readonly client: UdpClient;
}

/** Stands in the id of such a client behind the address of its port. */
export const UDP_CLIENT = "_nacos-udp#";

/** A push under way, and the subscription that it is for. */
export interface Sent {
  readonly push: number;
  readonly registId: string;
}

interface Parts {
  readonly id: ClientId;
  /** The address of its port, and the host in it. */
  readonly to: string;
  readonly host: string;
  readonly account: Account;
  readonly datagrams: Datagrams;
  readonly send: (bytes: Uint8Array, to: string) => void;
  /** A list can't be sent: the client reads it when it asks next. */
  readonly skipped: (push: number) => void;
}

// So many messages go to a port that acknowledges none, for each question of its host. A port that is closed, or whose
// messages are lost, gets no more.
const UNACKNOWLEDGED_MAX = 4;
// The pusher has as many under way to one client; late ones count, too.
const SENT_MAX = 256;
// As by gRPC; the system takes a message at once.
const SEND_COST_MS = 0.025;

/** Unique among the subscriptions of one client. */
export function udpRegistIdOf({ serviceKey, clusters }: Subscribed): string {
  return `nacos-udp:${serviceKey}#${clusters}`;
}

export class UdpClient implements ClientChannel {
  readonly id: ClientId;
  readonly to: string;
  readonly address: string;
  readonly account: Account;
  readonly principal: Principal;
  readonly answersQuestions = false;
  /** By service and clusters. */
  readonly subscriptions = new Map<string, UdpSubscription>();
  readonly #parts: Parts;
  /** The pushes that may be acknowledged, by the times of their lists. */
  readonly #sent = new Map<string, Sent>();
  #left = UNACKNOWLEDGED_MAX;
  #isBlocked = false;
  writtenBytes = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.id = parts.id;
    this.to = parts.to;
    this.address = parts.host;
    this.account = parts.account;
    this.principal = anonymous(parts.host);
  }

  get sentBytes(): number {
    return this.writtenBytes;
  }

  push({ id, view, variant }: Push): number | Blocked {
    if (this.#left === 0) {
      this.#isBlocked = true;
      return "blocked";
    }
    const { datagrams, send, skipped, to } = this.#parts;
    const { bytes, refTime, costMs } = datagrams.of(view, variant);
    if (bytes === undefined) {
      skipped(id);
      return costMs;
    }
    this.#left--;
    this.#sent.set(refTime, { push: id, registId: udpRegistIdOf({ serviceKey: view.serviceKey, clusters: variant }) });
    for (const oldest of this.#sent.keys()) {
      if (this.#sent.size <= SENT_MAX) break;
      this.#sent.delete(oldest);
    }
    this.writtenBytes += bytes.length;
    send(bytes, to);
    return SEND_COST_MS + costMs;
  }

  /** The push that this acknowledges; undefined if it is none that was sent. */
  acknowledged(refTime: string): Sent | undefined {
    const sent = this.#sent.get(refTime);
    this.#sent.delete(refTime);
    return sent;
  }

  /** Its host was heard: it may be sent some messages more. Returns whether pushes wait for that. */
  allowMore(): boolean {
    const wasBlocked = this.#isBlocked;
    this.#left = UNACKNOWLEDGED_MAX;
    this.#isBlocked = false;
    return wasBlocked;
  }

  /** A subscription that was refused is made again with the next question. */
  answer(_request: number, { kind, registId }: Outcome): void {
    if (kind === "failed") this.subscriptions.delete(registId);
  }

  pushConfig(): "sent" {
    return "sent";
  }

  ask(): void {
    // It answers nothing but pushes.
  }

  isSilentSince(): boolean {
    return false;
  }

  report(): void {
    // As a rule it does not answer because it is gone.
  }
}
