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

const FREE_PORTS = {
  boltPort: 0,
  eurekaPort: 0,
  nacosPort: 0,
  nacosGrpcPort: 0,
  zookeeperPort: 0,
  consulPort: 0,
  dnsPort: 0,
  httpPort: 0,
  metaHttpPort: 0,
  dataHttpPort: 0,
  adminPort: 0,
  nodePort: 0,
} as const;

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
    const server = await startServer(
      configWith({ ...FREE_PORTS, logLevel: "silent", roles, ...changes, dataDir }),
      this.#gateways,
    );
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

/** The answer of a node's admin-port to an operation that an operator at the machine asks. */
export async function operate(
  { ports, localToken }: Pick<RunningServer, "ports" | "localToken">,
  method: "GET" | "POST" | "PUT" | "DELETE",
  path: string,
  body?: object,
): Promise<{ readonly status: number; readonly body: OperationBody }> {
  const headers = { authorization: `Bearer ${localToken}`, ...(body && { "content-type": "application/json" }) };
  const sent = { headers, ...(body && { body: JSON.stringify(body) }) };
  const answer = await fetch(`http://127.0.0.1:${ports.admin}/v1${path}`, { method, ...sent });
  return { status: answer.status, body: (await answer.json()) as OperationBody };
}

/** The fields that tests look at, of those that answers have. */
export interface OperationBody {
  // biome-ignore lint/suspicious/noExplicitAny: each operation has rows of its own, which tests compare as they are
  readonly items: any[];
  readonly leader: string | null;
  readonly message: string;
  readonly version: string;
  readonly data: string;
  readonly error: { readonly code: string; readonly message: string; readonly retry: boolean };
}

export async function getStatus(port: number, path: string): Promise<number> {
  return (await fetch(`http://127.0.0.1:${port}${path}`)).status;
}
