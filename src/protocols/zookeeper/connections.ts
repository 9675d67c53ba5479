// ZooKeeper's clients: accepts their connections.

import { addressGroup } from "../../base/addressGroup.ts";
import { fail } from "../../base/errors.ts";
import type { Connection, ConnectionHandler } from "../../base/ports.ts";
import { ConnectionAccount } from "../kit/connectionAccount.ts";
import { refuseConnection } from "../kit/refuseConnection.ts";
import { type ConnectionParts, ZooKeeperConnection } from "./connection.ts";
import { TreeServer, type TreeServerParts } from "./treeServer.ts";
import type { WordsView } from "./words.ts";

export interface ZooKeeperConnectionsParts extends Omit<TreeServerParts, "endAll"> {
  /** The release of this program. */
  readonly version: string;
}

const IGNORED: ConnectionHandler = { received: () => undefined, drained: () => undefined, closed: () => undefined };

export class ZooKeeperConnections {
  readonly server: TreeServer;
  readonly #parts: ZooKeeperConnectionsParts;
  readonly #open = new Set<ZooKeeperConnection>();
  readonly #ofAddress = new Map<string, number>();
  readonly #words: WordsView;

  constructor(parts: ZooKeeperConnectionsParts) {
    this.#parts = parts;
    this.server = new TreeServer({ ...parts, endAll: () => this.#endAll() });
    this.#words = this.#view();
    this.server.start();
  }

  /** Serves a new connection. */
  accept(connection: Connection, nowMs: number): ConnectionHandler {
    const { budget, config, metrics, access } = this.#parts;
    const group = addressGroup(connection.remoteAddress);
    const account = new ConnectionAccount(budget.open(group));
    const count = (this.#ofAddress.get(group) ?? 0) + 1;
    const max = config.zookeeperAddressConnectionsMax;
    const refusal =
      max > 0 && count > max
        ? fail("ADDRESS_CONNECTIONS_EXHAUSTED", { connectionsMax: max })
        : account.open(connection);
    if (refusal !== undefined) {
      refuseConnection(connection, { account, refusal, nowMs }, this.#parts);
      return IGNORED;
    }
    this.#ofAddress.set(group, count);
    const parts: ConnectionParts = {
      ...{ server: this.server, config, account, access, words: this.#words },
      counted: (operation) => metrics.add("roster_zookeeper_requests_total", 1, { operation }),
      ended: (reason) => this.#ended(handler, group, reason),
    };
    const handler = new ZooKeeperConnection(connection, parts, nowMs);
    this.#open.add(handler);
    metrics.set("roster_client_connections", this.#open.size, { protocol: "zookeeper" });
    return handler;
  }

  /** Called twice a second. */
  check(nowMs: number): void {
    for (const connection of this.#open) connection.check(nowMs);
    this.server.check(nowMs);
  }

  #ended(handler: ZooKeeperConnection, group: string, reason: string): void {
    const { metrics, log } = this.#parts;
    this.#open.delete(handler);
    const left = (this.#ofAddress.get(group) ?? 1) - 1;
    if (left > 0) this.#ofAddress.set(group, left);
    else this.#ofAddress.delete(group);
    metrics.set("roster_client_connections", this.#open.size, { protocol: "zookeeper" });
    metrics.add("roster_connections_closed_total", 1, { reason: isCode(reason) ? reason : "client" });
    log.debug("a connection of a client of ZooKeeper has ended", { client: handler.remoteAddress, reason });
  }

  #endAll(): void {
    for (const connection of [...this.#open]) connection.end("ZOOKEEPER_STORE_AWAY");
  }

  #view(): WordsView {
    const { config, version } = this.#parts;
    const { tree, watches, sessions } = this.server;
    return {
      ...{ tree, watches, sessions, version },
      connections: () => this.#open,
      allowed: config.zookeeperWords,
      settings: {
        minSessionTimeout: config.zookeeperSessionMinMs,
        maxSessionTimeout: config.zookeeperSessionMaxMs,
        maxClientCnxns: config.zookeeperAddressConnectionsMax,
      },
      isReady: () => this.server.isReady,
    };
  }
}

function isCode(reason: string): boolean {
  return /^[A-Z_]+$/.test(reason);
}
