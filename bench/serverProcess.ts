// The server under test, in a process of its own, with what Linux says of its processor time and memory.

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BoltAddress } from "./connect.ts";

// The unit of /proc/PID/stat on every Linux that Node runs on.
const TICKS_PER_SECOND = 100;

export interface ServerProcess {
  readonly bolt: BoltAddress;
  readonly startedAtMs: number;
  /** Processor time used so far, in seconds. */
  cpuSeconds(): number;
  rssBytes(): number;
  stop(): Promise<void>;
}

/** Starts `npm start`'s command on free ports and a fresh data directory; does not wait until it answers. */
export async function startServerProcess(): Promise<ServerProcess> {
  const root = join(import.meta.dirname, "..");
  const dataDir = mkdtempSync(join(tmpdir(), "roster-bench-"));
  const [bolt, http, metaHttp] = await freePorts(3);
  const ports = [`--bolt-port=${bolt}`, `--http-port=${http}`, `--meta-http-port=${metaHttp}`];
  const args = [
    ...(process.env["BENCH_NODE_FLAGS"]?.split(" ") ?? []),
    "src/cli/main.ts",
    "server",
    `--data-dir=${join(dataDir, "data")}`,
    "--log-level=warn",
    ...ports,
  ];
  const env = { ...process.env, NODE_COMPILE_CACHE: join(root, "node_modules", ".cache", "roster") };
  const startedAtMs = performance.now();
  const child = spawn(process.execPath, args, { cwd: root, env, stdio: ["ignore", "inherit", "inherit"] });
  return {
    bolt: { host: "127.0.0.1", port: bolt ?? 0 },
    startedAtMs,
    cpuSeconds: () => cpuSeconds(child.pid ?? 0),
    rssBytes: () => rssBytes(child.pid ?? 0),
    stop: () => stop(child, dataDir),
  };
}

function cpuSeconds(pid: number): number {
  // The program's name is the second field, in brackets, and may hold spaces.
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function rssBytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024;
}

async function stop(child: ChildProcess, dataDir: string): Promise<void> {
  const exited = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  await exited;
  rmSync(dataDir, { recursive: true, force: true });
}

/** Ports that were free a moment ago. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve) => {
          server.listen(0, "127.0.0.1", () => {
            const address = server.address();
            resolve(typeof address === "object" && address !== null ? address.port : 0);
          });
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
