// Nacos' clients by gRPC: accepts their connections, and ends those that are silent for too long.

import { addressGroup } from "../../base/addressGroup.ts";
import type { Http2Connection, Http2Handler } from "../../base/http2.ts";
import { ConnectionAccount } from "../kit/connectionAccount.ts";
import { refuseConnection } from "../kit/refuseConnection.ts";
import type { ConnectionEnvironment } from "./clientConnection.ts";
import { NacosConnection } from "./connection.ts";
import type { NacosEnvironment } from "./environment.ts";
import type { NacosPart, RequestHandlers } from "./part.ts";

interface Parts
  extends Pick<NacosEnvironment, "config" | "registry" | "access" | "log" | "metrics" | "later" | "budget">,
    Pick<ConnectionEnvironment, "bodies" | "abilities" | "isServing"> {
  readonly nowMs: () => number;
  readonly parts: readonly NacosPart[];
}

// An estimate for a session of HTTP/2 with two streams, beside the socket's.
const SESSION_BYTES = 44 * 1024;

export class NacosConnections {
  readonly #parts: Parts;
  readonly #requests: RequestHandlers;
  readonly #open = new Set<NacosConnection>();
  #accepted = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#requests = Object.assign({}, ...parts.parts.map(({ requests }) => requests));
  }

  /** The open connections. */
  get open(): Iterable<NacosConnection> {
    return this.#open;
  }

  /** Serves a new connection. */
  accept(connection: Http2Connection, nowMs: number): Http2Handler {
    const account = new ConnectionAccount(this.#parts.budget.open(addressGroup(connection.remoteAddress)));
    const refusal = account.open(connection, SESSION_BYTES);
    if (refusal !== undefined) {
      refuseConnection(connection, { account, refusal, nowMs }, this.#parts);
      return REFUSED;
    }
    const { parts } = this.#parts;
    const accepted: NacosConnection = new NacosConnection(connection, {
      ...this.#parts,
      account,
      requests: this.#requests,
      drained: (client, atMs) => {
        for (const part of parts) part.drained?.(client, atMs);
      },
      ended: (atMs) => this.#ended(accepted, atMs),
      number: this.#accepted++,
    });
    this.#open.add(accepted);
    this.#parts.metrics.set("roster_client_connections", this.#open.size, { protocol: "nacos" });
    return accepted;
  }

  /** Called twice a second. */
  check(nowMs: number): void {
    for (const connection of this.#open) connection.check(nowMs);
  }

  /** This process stood still for `awayMs`: that time does not count against the clients. */
  resumed(awayMs: number, nowMs: number): void {
    for (const connection of this.#open) connection.resumed(awayMs, nowMs);
  }

  #ended(connection: NacosConnection, nowMs: number): void {
    this.#open.delete(connection);
    this.#parts.metrics.set("roster_client_connections", this.#open.size, { protocol: "nacos" });
    if (connection.known === undefined) return;
    for (const part of this.#parts.parts) part.ended?.(connection, nowMs);
  }
}

const nothing = () => undefined;
const REFUSED: Http2Handler = {
  called: (call) => {
    call.reset();
    return { received: nothing, ended: nothing, closed: nothing };
  },
  waits: nothing,
  drained: nothing,
  closing: nothing,
  closed: nothing,
};
