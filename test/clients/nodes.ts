// The processes of a cluster for suites of clients: one meta node, two data nodes and two sessions. Needs Linux: the
// processes end with the one that started them, however it ends.

import { type ChildProcess, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { createServer } from "node:net";
import { join } from "node:path";

const MAIN = join(import.meta.dirname, "../../src/cli/main.ts");
const BIND = "127.0.0.1";

// Below the range that systems give to outgoing connections: in it, a client that tries to reach a stopped server can
// be given the very port that it connects to, talk to itself, and keep the server from starting again.
const PORT_MIN = 20_000;
const PORT_MAX = 32_000;

/** A node: what it is called, and its flags but for the data directory. */
export interface NodeSpec {
  readonly name: string;
  readonly flags: Readonly<Record<string, string>>;
}

/** The ports of a cluster that clients or tests must know. */
export interface ClusterPorts {
  readonly meta: string;
  readonly metaHttp: string;
  /** Of the meta node. */
  readonly admin: string;
  readonly dataHttp: readonly [string, string];
  readonly sessions: readonly [SessionPorts, SessionPorts];
}

interface SessionPorts {
  readonly bolt: string;
  readonly http: string;
}

/** A port that was free a moment ago. */
export function freePort(bind: string = BIND): Promise<string> {
  const port = randomInt(PORT_MIN, PORT_MAX);
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(freePort(bind)));
    server.listen(port, bind, () => server.close(() => resolve(String(port))));
  });
}

/** The nodes in the order in which they are best started. */
export function clusterNodes(bind: string, ports: ClusterPorts): readonly NodeSpec[] {
  const metas = { bind, "meta-addresses": `${bind}:${ports.meta}` };
  const meta = { roles: "meta", "node-port": ports.meta, "meta-http-port": ports.metaHttp, "admin-port": ports.admin };
  // All stop at once: no node is left to hand the slots over to.
  const data = { roles: "data", "node-port": "0", "drain-timeout-ms": "200" };
  return [
    { name: "meta", flags: { ...metas, ...meta } },
    ...ports.dataHttp.map((http, index) => ({
      name: `data-${index + 1}`,
      flags: { ...metas, ...data, "data-http-port": http },
    })),
    ...ports.sessions.map(({ bolt, http }, index) => ({
      name: `session-${index + 1}`,
      flags: { ...metas, roles: "session", "bolt-port": bolt, "http-port": http },
    })),
  ];
}

/** Starts a node with a data directory of its own in `dataDir`; `log` is where its output goes. */
export function startNode({ name, flags }: NodeSpec, dataDir: string, log: "inherit" | number): ChildProcess {
  const own = ["admin-port", "eureka-port", "nacos-port", "nacos-grpc-port", "zookeeper-port"];
  const names = ["consul-port", "dns-port"];
  const ports = Object.fromEntries([...own, ...names].map((key) => [key, "0"]));
  const all = { "data-dir": join(dataDir, name), ...ports, ...flags };
  const args = Object.entries(all).flatMap(([flag, value]) => [`--${flag}`, value]);
  const command = ["--pdeathsig", "KILL", process.execPath, MAIN, "server", ...args];
  return spawn("setpriv", command, { stdio: ["ignore", log, log] });
}

/** Resolves when a process has ended, at once if it has. */
export function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    else child.once("exit", () => resolve());
  });
}
