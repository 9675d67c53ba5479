// Roster itself, from this checkout or another one: all roles in one process, or meta, data and session each in its
// own.

import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePorts } from "../processes/ports.ts";
import { failureOf, type Spawned, spawned } from "../processes/spawned.ts";
import { diskBytes } from "../processes/usage.ts";
import { nowMs } from "../protocols/clock.ts";
import { retryUntilUp } from "../protocols/sockets.ts";
import type { RunningTarget, ServerProcess, StartOptions, Target } from "./target.ts";

const HOST = "127.0.0.1";
const HOOK = join(import.meta.dirname, "..", "processes", "gcHook.ts");

type Flags = readonly string[];

// A driver has all publishers behind few connections of one address. How much memory the process may use by V8's own
// bound stays as users have it.
const GENEROUS = ["--memory-bytes-max=64000000000", "--client-bytes-max=16000000000"];

interface Part {
  readonly name: string;
  readonly flags: Flags;
  /** The HTTP port that says when it is ready. */
  readonly readyPort: number;
}

/** Roster as `npm start` runs it. */
export function roster(root: string): Target {
  return {
    name: "Roster",
    protocol: "sofa",
    isOurs: true,
    shape: "process",
    prepare: async () => "all roles in one process",
    diskBytes: () => installedBytes(root),
    start: async (options) => {
      const [bolt = 0, http = 0, metaHttp = 0] = await freePorts(3);
      const flags = [`--bolt-port=${bolt}`, `--http-port=${http}`, `--meta-http-port=${metaHttp}`];
      return startParts(root, { port: bolt, parts: [{ name: "server", flags, readyPort: http }] }, options);
    },
  };
}

/** Roster with a process for each role. */
export function rosterCluster(root: string): Target {
  return {
    ...roster(root),
    name: "Roster, 3 processes",
    shape: "cluster",
    prepare: async () => "meta, data and session in a process each",
    start: async (options) => {
      const [bolt = 0, http = 0] = await freePorts(2);
      const { parts, joins } = await metaAndData();
      const flags = ["--roles=session", ...joins, `--bolt-port=${bolt}`, `--http-port=${http}`];
      const session = { name: "session", flags, readyPort: http };
      return startParts(root, { port: bolt, parts: [...parts, session] }, options);
    },
  };
}

const GATEWAYS = { nacos: "nacos-grpc-port", zookeeper: "zookeeper-port" } as const;

/** Roster in one process, by clients of another protocol than its own: beside the peer whose protocol that is. */
export function rosterBy(protocol: keyof typeof GATEWAYS, root: string): Target {
  return {
    ...roster(root),
    name: `Roster by ${protocol}`,
    protocol,
    isOurs: false,
    prepare: async () => `all roles in one process, by the clients of ${protocol}`,
    start: (options) => startAt(root, GATEWAYS[protocol], options),
  };
}

/** Starts all roles in one process; the address is that of the port with this key. */
export async function startAt(root: string, portKey: string, options?: StartOptions): Promise<RunningTarget> {
  const [port = 0, bolt = 0, http = 0, metaHttp = 0] = await freePorts(4);
  const own = [`--bolt-port=${bolt}`, `--http-port=${http}`, `--meta-http-port=${metaHttp}`];
  const flags = [...own, `--${portKey}=${port}`];
  return startParts(root, { port, parts: [{ name: "server", flags, readyPort: http }] }, options);
}

/** A data node and a meta node; the driver connects to the data node with a session of its own. */
export function rosterData(root: string): Target {
  return {
    ...roster(root),
    name: "Roster, a data node",
    shape: "data",
    prepare: async () => "meta and data in a process each; the driver is a session",
    start: async (options) => {
      const { parts, metaNode } = await metaAndData();
      return startParts(root, { port: metaNode, parts }, options);
    },
  };
}

async function metaAndData(): Promise<{ parts: Part[]; joins: Flags; metaNode: number }> {
  const [metaNode = 0, metaHttp = 0, dataNode = 0, dataHttp = 0] = await freePorts(4);
  const joins = [`--meta-addresses=${HOST}:${metaNode}`, `--advertise-node-address=${HOST}`];
  const meta = ["--roles=meta", ...joins, `--node-port=${metaNode}`, `--meta-http-port=${metaHttp}`];
  const data = ["--roles=data", ...joins, `--node-port=${dataNode}`, `--data-http-port=${dataHttp}`];
  const parts = [
    { name: "meta", flags: meta, readyPort: metaHttp },
    { name: "data", flags: data, readyPort: dataHttp },
  ];
  return { parts, joins, metaNode };
}

async function startParts(
  root: string,
  { port, parts }: { port: number; parts: readonly Part[] },
  { hasGcHook = false, isImpatient = false }: StartOptions = {},
): Promise<RunningTarget> {
  const folder = mkdtempSync(join(tmpdir(), "roster-bench-"));
  const startedAtMs = nowMs();
  const children: Child[] = parts.map((part) => spawnPart(root, part, { folder, hasGcHook }));
  const failed = Promise.race(children.map(({ failed: one }) => one));
  failed.catch(() => undefined);
  const stop = async () => {
    for (const { spawned: child } of children.toReversed()) await child.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  const address = { host: HOST, port };
  const running = { address, processes: children.map(({ process }) => process), startedAtMs, failed, stop };
  if (isImpatient) return running;
  try {
    await Promise.race([failed, Promise.all(parts.map(({ readyPort }) => ready(readyPort)))]);
    return running;
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Child {
  readonly process: ServerProcess;
  readonly spawned: Spawned;
  readonly failed: Promise<never>;
}

function spawnPart(root: string, { name, flags }: Part, where: { folder: string; hasGcHook: boolean }): Child {
  const probeFile = join(where.folder, `${name}.probe`);
  const logFile = join(where.folder, `${name}.log`);
  const hook = where.hasGcHook ? ["--expose-gc", `--import=${HOOK}`] : [];
  const server = ["src/cli/main.ts", "server", `--data-dir=${join(where.folder, name)}`, "--log-level=warn"];
  const start = startCommand(root);
  const command = [
    process.execPath,
    ...start.flags,
    ...ownFlags(),
    ...hook,
    ...server,
    ...settings(root, flags),
    ...flags,
  ];
  const env = { ...start.env, ...process.env, BENCH_PROBE_FILE: probeFile };
  const child = spawned(command, { cwd: root, env, logFile });
  const probed = where.hasGcHook ? { probeFile } : {};
  return { process: { name, pid: child.pid, ...probed }, spawned: child, failed: failureOf(child, logFile) };
}

/** The variables and the flags that `npm start` gives to Node. */
function startCommand(root: string): { env: Readonly<Record<string, string>>; flags: Flags } {
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { scripts: { start: string } };
  const words = scripts.start.split(" ");
  const node = words.indexOf("node");
  const env = Object.fromEntries(words.slice(0, node).map((word) => word.split("=", 2) as [string, string]));
  return { env, flags: words.slice(node).filter((word) => word.startsWith("--")) };
}

/** Generous limits and free ports, where the checkout knows them: an older one had none. */
function settings(root: string, given: Flags): Flags {
  const config = join(root, "src", "server", "config");
  const protocols = ["eureka", "nacos", "zookeeper"].map((name) =>
    join(root, "src", "protocols", name, "configKeys.ts"),
  );
  const own = ["table.ts", "clusterKeys.ts"].map((name) => join(config, name));
  const tables = [...own, ...protocols].filter((path) => existsSync(path));
  const table = tables.map((path) => readFileSync(path, "utf8")).join("");
  const keyOf = (flag: string) => flag.slice(2).split("=", 1)[0] ?? "";
  const isGiven = new Set(given.map(keyOf));
  return [...GENEROUS, ...FREE_PORTS].filter((flag) => table.includes(`"${keyOf(flag)}"`) && !isGiven.has(keyOf(flag)));
}

const FREE_PORTS = [
  "--admin-port=0",
  "--data-http-port=0",
  "--eureka-port=0",
  "--nacos-port=0",
  "--nacos-grpc-port=0",
  "--zookeeper-port=0",
  "--consul-port=0",
  "--dns-port=0",
];

/** For profiles of the server: BENCH_NODE_FLAGS="--cpu-prof". */
function ownFlags(): Flags {
  return process.env["BENCH_NODE_FLAGS"]?.split(" ").filter((flag) => flag !== "") ?? [];
}

async function ready(port: number): Promise<void> {
  await retryUntilUp(async () => {
    const { status } = await fetch(`http://${HOST}:${port}/readyz`);
    if (status !== 200) throw new Error(`not ready: ${status}`);
  });
}

/** The program as it is packed, with the packages that it depends on; Node is not counted. */
function installedBytes(root: string): number {
  const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as PackageLock;
  const packages = Object.entries(lock.packages)
    .filter(([path, { dev, optional, link }]) => path.startsWith("node_modules/") && !dev && !optional && !link)
    .map(([path]) => join(root, path));
  const program = [join(root, "dist"), join(root, "src")].find((folder) => existsSync(folder)) ?? root;
  return [program, ...packages].reduce((sum, path) => sum + diskBytes(path), 0);
}

interface PackageLock {
  readonly packages: Readonly<Record<string, { dev?: boolean; optional?: boolean; link?: boolean }>>;
}
