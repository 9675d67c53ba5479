// The ports at which the protocols of a node listen for clients.

import { ConnectionShares } from "../base/connectionShares.ts";
import type { HttpRouteTable } from "../base/http.ts";
import type { Metrics } from "../base/metrics.ts";
import type { Clock, Log } from "../base/ports.ts";
import type { GatewayListener } from "../protocols/kit/gateway.ts";
import { hostClock } from "../transport/clock.ts";
import { listenHttp2 } from "../transport/http2.ts";
import type { ListenOptions } from "../transport/listen.ts";
import { listenTcp } from "../transport/tcp.ts";
import type { TlsPort } from "../transport/tls/tlsGate.ts";
import { listenUdp } from "../transport/udp.ts";
import { bindRoutes } from "./http/bindRoutes.ts";
import { createHttp, listenHttp } from "./http/listen.ts";
import { wrongMethodOf } from "./http/wrongMethod.ts";
import { portRefusals } from "./portRefusals.ts";

export interface ClientListenersEnvironment {
  readonly bind: string;
  /** The configured port of a listener; 0 takes any free one. */
  readonly port: (key: string) => number;
  /** Whether other processes listen at the same ports. */
  readonly isShared: boolean;
  /** The number of connections that clients may have at these ports together. */
  readonly connectionsMax: () => number;
  /** Whether operators let this session take clients. */
  readonly servesClients: () => boolean;
  readonly log: Log;
  readonly metrics: Metrics;
  /** TLS at the port of a listener, by its name. */
  readonly tls: (name: string) => TlsPort | undefined;
}

/** A port at which one protocol listens. */
interface OpenListener {
  readonly port: number;
  readonly connections: number;
  stopListening(): void;
  endSome(count: number): void;
  close(): Promise<void>;
}

export class ClientListeners {
  readonly #environment: ClientListenersEnvironment;
  /** By kind and configuration key. */
  readonly #open = new Map<string, OpenListener & { readonly key: string }>();

  constructor(environment: ClientListenersEnvironment) {
    this.#environment = environment;
  }

  /** Client connections at all ports. */
  get connections(): number {
    let sum = 0;
    for (const { connections } of this.#open.values()) sum += connections;
    return sum;
  }

  /** The port of each listener, by its configuration key. */
  get ports(): ReadonlyMap<string, number> {
    return new Map([...this.#open.values()].map(({ key, port }) => [key, port]));
  }

  /** Opens a port. Rejects with ADDRESS_IN_USE or CONFIG_INVALID. */
  async open(listener: GatewayListener): Promise<void> {
    const { kind, key } = listener;
    const opened = await this.#openOne(listener);
    this.#open.set(nameOf(kind, key), Object.assign(opened, { key }));
  }

  /** Accepts no new clients; present ones continue. */
  stopListening(): void {
    for (const listener of this.#open.values()) listener.stopListening();
  }

  /** Ends this many connections, of each port in proportion to its number. */
  endSome(count: number): void {
    let [left, among] = [Math.min(count, this.connections), this.connections];
    for (const listener of this.#open.values()) {
      const { connections } = listener;
      const part = among === 0 ? 0 : Math.ceil((left * connections) / among);
      listener.endSome(part);
      left -= part;
      among -= connections;
    }
  }

  /** Closes all ports and ends every connection. */
  async close(): Promise<void> {
    await Promise.all([...this.#open.values()].map((listener) => listener.close()));
  }

  /** One port may have the connections that the others leave. */
  #connectionsMax(name: string): number {
    return this.#environment.connectionsMax() - (this.connections - (this.#open.get(name)?.connections ?? 0));
  }

  /** Messages have no connection, and no TLS. */
  async #openUdp({ key, open }: GatewayListener & { readonly kind: "udp" }): Promise<OpenListener> {
    const { bind, port, isShared, log, metrics } = this.#environment;
    const name = nameOfListener(key);
    const listener = await listenUdp({
      ...{ key, host: bind, isShared, open },
      // The number that the TCP listener of the key has got.
      port: this.ports.get(key) ?? port(key),
      clock: hostClock,
      dropped: (reason) => metrics.add("roster_datagrams_dropped_total", 1, { port: name, reason }),
      failed: (error) => log.warn("a datagram port reported an error", { port: name, reason: error.message }),
    });
    return { ...listener, connections: 0, endSome: () => undefined };
  }

  #openOne(listener: GatewayListener): Promise<OpenListener> {
    switch (listener.kind) {
      case "tcp":
        return listenTcp({ ...this.#sockets(listener), accept: listener.accept, peers: "clients" });
      case "http2":
        return listenHttp2({ ...this.#sockets(listener), accept: listener.accept });
      case "http":
        return this.#openHttp(listener.key, listener.routes);
      case "udp":
        return this.#openUdp(listener);
    }
  }

  #sockets({ kind, key }: Pick<GatewayListener, "kind" | "key">): ListenOptions & { readonly clock: Clock } {
    const { bind, port, isShared, metrics, servesClients, tls } = this.#environment;
    const refusals = portRefusals(this.#environment, nameOfListener(key));
    return {
      key,
      host: bind,
      port: port(key),
      isShared,
      connectionsMax: () => this.#connectionsMax(nameOf(kind, key)),
      clock: hostClock,
      refused: (code, address, numbers) => {
        const reason = servesClients() ? code : "CLIENTS_NOT_SERVED";
        metrics.add("roster_connections_closed_total", 1, { reason });
        refusals.refused(code, address, numbers);
      },
      notAccepted: refusals.notAccepted,
      tls: tls(nameOfListener(key)),
    };
  }

  async #openHttp(key: string, routes: HttpRouteTable): Promise<OpenListener> {
    const { bind, port, isShared, tls } = this.#environment;
    const app = createHttp(undefined, routes.refusal, routes.requests, wrongMethodOf(routes));
    bindRoutes(app, routes, { hostNames: undefined });
    const shares = new ConnectionShares(() => this.#connectionsMax(nameOf("http", key)));
    const address = { key, host: bind, port: port(key), isShared };
    const listened = await listenHttp(app, {
      ...address,
      shares,
      tls: tls(nameOfListener(key)),
      ...portRefusals(this.#environment, nameOfListener(key)),
    });
    return {
      port: listened,
      get connections() {
        return shares.size;
      },
      stopListening: () => void app.server.close(),
      // A call is over in a moment, and the next one comes by a new connection.
      endSome: () => app.server.closeIdleConnections(),
      close: () => app.close(),
    };
  }
}

function nameOf(kind: GatewayListener["kind"], key: string): string {
  return `${kind} ${key}`;
}

/** The key without `-port`: a listener's name in metrics, and among the addresses of a member. */
export function nameOfListener(key: string): string {
  return key.replace(/-port$/, "");
}
