// Pushes by UDP, for clients of Nacos 1.x. Such a client names a port in its questions for a list, and is a subscriber
// of that list until it has neither asked nor acknowledged a push for some while. The registry has it as a client like
// any other, so that its pushes are paced, merged and repeated as those of all.
//
// Messages go to the host that the question came from, whose address TCP has proved, and never to one that the question
// names: lists could be sent to strangers otherwise. A port that acknowledges nothing gets four messages for a question
// at most, fewer bytes than the answers to the questions themselves.

import { addressGroup } from "../../../base/addressGroup.ts";
import { CHARGE } from "../../../base/budget.ts";
import { Deadlines } from "../../../base/deadlines.ts";
import { RegistryError } from "../../../base/errors.ts";
import type { DatagramHandler, DatagramPort } from "../../../base/ports.ts";
import { clientId } from "../../../model/ids.ts";
import { decodeAck } from "../codec/datagram.ts";
import type { NacosEnvironment } from "../environment.ts";
import type { Datagrams } from "./datagrams.ts";
import type { Subscribed } from "./subscriptions.ts";
import { UDP_CLIENT, UdpClient, type UdpSubscription, udpRegistIdOf } from "./udpClient.ts";

interface Parts extends Pick<NacosEnvironment, "registry" | "budget" | "later" | "metrics"> {
  readonly datagrams: Datagrams;
  readonly zone: string;
  readonly nowMs: () => number;
}

/** A question for a list, by HTTP. */
export interface UdpAsked extends Subscribed {
  /** The host that it came from. */
  readonly from: string;
  /** The port that it names. */
  readonly port: number;
}

// Clients ask every ten seconds: one may miss a round.
const KEPT_MS = 25_000;
// Clients take ports that the system gives them; below are the ports of services.
const PORT_MIN = 1_024;
// The memory of a client beside its subscriptions, which the session charges.
const CLIENT_BYTES = 2_048;
const CLIENTS_MAX = 50_000;
const VERSION = 1n;

export class UdpSubscribers implements DatagramHandler {
  readonly #parts: Parts;
  /** By the addresses of their ports. */
  readonly #clients = new Map<string, UdpClient>();
  readonly #ends = new Deadlines<UdpSubscription>();
  #port: DatagramPort = { send: () => undefined };
  #opened = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#clients.size;
  }

  /** The port is open: messages leave by it, and acknowledgements come to it. */
  open(port: DatagramPort): DatagramHandler {
    this.#port = port;
    return this;
  }

  /** A client has asked for a list, and may know its changes. Not within a step of the registry. */
  asked({ from, port, serviceKey, clusters }: UdpAsked): void {
    if (port < PORT_MIN) return;
    const client = this.#clients.get(`${from}:${port}`) ?? this.#connect(from, port);
    if (client === undefined) return;
    const nowMs = this.#parts.nowMs();
    const registId = udpRegistIdOf({ serviceKey, clusters });
    const known = client.subscriptions.get(registId);
    const subscription = known ?? { client, serviceKey, clusters };
    client.subscriptions.set(registId, subscription);
    this.#ends.set(subscription, nowMs + KEPT_MS);
    this.#hear(client, nowMs);
    if (known !== undefined) return;
    const key = { serviceKey, registId, version: VERSION };
    const request = { ...key, scope: "dataCenter", zone: this.#parts.zone, variant: clusters } as const;
    this.#parts.registry.step({ kind: "subscribed", client: client.id, request: 0, subscription: request }, nowMs);
  }

  received(bytes: Uint8Array, from: string, nowMs: number): void {
    const client = this.#clients.get(from);
    const sent = client?.acknowledged(ackIn(bytes) ?? "");
    if (client === undefined || sent === undefined) return;
    // Clients ask later for a list that they were pushed, for some as long as it keeps changing.
    const subscription = client.subscriptions.get(sent.registId);
    if (subscription !== undefined) this.#ends.set(subscription, nowMs + KEPT_MS);
    this.#parts.metrics.add("roster_nacos_datagrams_total", 1, { outcome: "acknowledged" });
    this.#parts.registry.step({ kind: "pushAnswered", client: client.id, push: sent.push, isTaken: true }, nowMs);
    this.#hear(client, nowMs);
  }

  /** Ends subscriptions for whose lists no one asks. Called twice a second. */
  check(nowMs: number): void {
    for (let over = this.#ends.take(nowMs); over !== undefined; over = this.#ends.take(nowMs)) this.#end(over, nowMs);
  }

  #connect(from: string, port: number): UdpClient | undefined {
    const { budget, registry, metrics, later, datagrams, nowMs } = this.#parts;
    if (this.#clients.size >= CLIENTS_MAX) return undefined;
    const to = `${from}:${port}`;
    const account = budget.open(addressGroup(to));
    if (account.charge(CHARGE.connections, CLIENT_BYTES) !== undefined) {
      account.close();
      return undefined;
    }
    const id = clientId(`${to}${UDP_CLIENT}${this.#opened++}`);
    const client: UdpClient = new UdpClient({
      ...{ id, to, host: from, account, datagrams },
      send: (bytes) => {
        metrics.add("roster_nacos_datagrams_total", 1, { outcome: "sent" });
        this.#port.send(bytes, to);
      },
      // Pushes are made within a step of the registry.
      skipped: (push) => {
        later(() => {
          if (this.#clients.get(to) !== client) return;
          registry.step({ kind: "pushAnswered", client: id, push, isTaken: true }, nowMs());
        });
      },
    });
    this.#clients.set(to, client);
    const { principal } = client;
    registry.step({ kind: "connected", client: id, channel: client, principal, account }, nowMs());
    return client;
  }

  #hear(client: UdpClient, nowMs: number): void {
    if (client.allowMore()) this.#parts.registry.step({ kind: "drained", client: client.id }, nowMs);
  }

  #end(subscription: UdpSubscription, nowMs: number): void {
    const { client, serviceKey } = subscription;
    const { registry } = this.#parts;
    const registId = udpRegistIdOf(subscription);
    // One that was refused may have a successor.
    if (client.subscriptions.get(registId) === subscription) {
      client.subscriptions.delete(registId);
      const key = { serviceKey, registId, version: VERSION };
      registry.step({ kind: "unsubscribed", client: client.id, request: 0, key }, nowMs);
    }
    if (client.subscriptions.size > 0 || this.#clients.get(client.to) !== client) return;
    this.#clients.delete(client.to);
    client.account.release(CHARGE.connections, CLIENT_BYTES);
    client.account.close();
    registry.step({ kind: "disconnected", client: client.id }, nowMs);
  }
}

function ackIn(bytes: Uint8Array): string | undefined {
  try {
    return decodeAck(bytes);
  } catch (error) {
    if (error instanceof RegistryError) return undefined;
    throw error;
  }
}
