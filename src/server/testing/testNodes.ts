// Nodes of a cluster in one test process, joined by real sockets.

import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { configWith } from "../config/load.ts";
import type { Config } from "../config/table.ts";
import { GATEWAYS } from "../gateways.ts";
import type { ServedGateway } from "../loadGateways.ts";
import { type RunningServer, startServer } from "../start.ts";

type Role = Config["roles"][number];

const FREE = { boltPort: 0, httpPort: 0, metaHttpPort: 0, dataHttpPort: 0, nodePort: 0, logLevel: "silent" } as const;

/** Starts nodes, each in a directory of its own, and ends them all. */
export class TestNodes {
  readonly #running = new Set<RunningServer>();
  readonly #directories: string[] = [];
  readonly #gateways: readonly ServedGateway[];

  /** The protocols that the nodes serve: all, unless some are named. */
  constructor(gateways: readonly ServedGateway[] = GATEWAYS) {
    this.#gateways = gateways;
  }

  newDirectory(): string {
    const directory = mkdtempSync(join(tmpdir(), "roster-cluster-"));
    this.#directories.push(directory);
    return directory;
  }

  async start(roles: readonly Role[], changes: Partial<Config> = {}): Promise<RunningServer> {
    const dataDir = changes.dataDir ?? this.newDirectory();
    const server = await startServer(configWith({ ...FREE, roles, ...changes, dataDir }), this.#gateways);
    this.#running.add(server);
    return server;
  }

  async stop(server: RunningServer): Promise<void> {
    this.#running.delete(server);
    await server.close();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#running].map((server) => this.stop(server)));
    for (const directory of this.#directories) rmSync(directory, { recursive: true, force: true });
  }
}

/** Passes connections on to a port, and cuts them. */
export class TestProxy {
  readonly #sockets = new Set<Socket>();
  readonly #server;
  /** The number of connections passed on so far. */
  passed = 0;

  constructor(port: number) {
    this.#server = createServer((near) => {
      this.passed++;
      const far = connect(port, "127.0.0.1");
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(one);
        one.pipe(other);
        one.on("error", () => other.destroy());
        one.once("close", () => {
          this.#sockets.delete(one);
          other.destroy();
        });
      }
    });
  }

  listen(): Promise<number> {
    return new Promise((resolve) => {
      this.#server.listen(0, "127.0.0.1", () => {
        const address = this.#server.address();
        resolve(typeof address === "object" && address !== null ? address.port : 0);
      });
    });
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  close(): void {
    this.cut();
    this.#server.close();
  }
}

export async function getJson<T>(port: number, path: string): Promise<T> {
  return (await (await fetch(`http://127.0.0.1:${port}${path}`)).json()) as T;
}

export async function getStatus(port: number, path: string): Promise<number> {
  return (await fetch(`http://127.0.0.1:${port}${path}`)).status;
}
