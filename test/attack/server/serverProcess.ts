// The server that is attacked: the real one, as a process of its own, all roles in it, on loopback and free ports.

import { existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { failureOf, type Spawned, spawned } from "../../../bench/processes/spawned.ts";
import { peakRssBytes, rssBytes } from "../../../bench/processes/usage.ts";
import { CONFIG } from "../../../src/server/config/table.ts";
import { inOwnSession, setNiceness } from "../goFirst.ts";
import type { GatewayPorts, ServerNeeds, Target } from "../target.ts";

const ROOT = join(import.meta.dirname, "../../..");
const HOST = "127.0.0.1";
// On a machine that has much else to do.
const START_MS_MAX = 60_000;
const ANSWER_MS_MAX = 2_000;
const STOP_MS_MAX = 5_000;
const POLL_MS = 20;

export interface ServerOptions extends ServerNeeds {
  /** The same one again goes on with the same data. */
  readonly dir: string;
  readonly memoryBytesMax: number;
  readonly niceness: number;
}

interface ReadyLine extends GatewayPorts {
  readonly bolt: number;
  readonly http: number;
  readonly metaHttp: number;
  readonly node: number;
}

export class ServerProcess {
  readonly target: Target;
  readonly #spawned: Spawned;
  readonly #logFile: string;
  /** How it ended, if it did, before anybody asked for it. */
  ownEnd: string | undefined;
  #mayEnd = false;

  private constructor(child: Spawned, logFile: string, ready: ReadyLine) {
    this.#spawned = child;
    this.#logFile = logFile;
    const { bolt: boltPort, http: httpPort, metaHttp: metaHttpPort, node: nodePort, ...gateways } = ready;
    this.target = { host: HOST, boltPort, httpPort, metaHttpPort, nodePort, gateways };
    void child.ended.then((how) => {
      if (!this.#mayEnd) this.ownEnd = how;
    });
  }

  /** Rejects with what it last wrote if it does not come up. */
  static async start(options: ServerOptions): Promise<ServerProcess> {
    mkdirSync(options.dir, { recursive: true });
    const logFile = join(options.dir, "server.log");
    const begins = existsSync(logFile) ? statSync(logFile).size : 0;
    const child = spawned(inOwnSession(commandOf(options), options.niceness), {
      cwd: ROOT,
      env: environment(),
      logFile,
    });
    try {
      const ready = await Promise.race([failureOf(child, logFile), readyLine(logFile, begins)]);
      const server = new ServerProcess(child, logFile, ready);
      setNiceness(child.pid, options.niceness);
      await Promise.race([failureOf(child, logFile), server.#untilReady()]);
      return server;
    } catch (error) {
      child.child.kill("SIGKILL");
      throw error;
    }
  }

  get pid(): number {
    return this.#spawned.pid;
  }

  get isRunning(): boolean {
    return this.ownEnd === undefined && !this.#mayEnd;
  }

  get rssBytes(): number {
    return this.isRunning ? rssBytes(this.#spawned.pid) || 0 : 0;
  }

  get peakRssBytes(): number {
    // A process that has just ended has no such line any more.
    return this.isRunning ? peakRssBytes(this.#spawned.pid) || 0 : 0;
  }

  /** Its output so far. */
  get log(): Buffer {
    return readFileSync(this.#logFile);
  }

  get logBytes(): number {
    return statSync(this.#logFile).size;
  }

  /** How long the health check took; undefined if it was not answered. */
  async healthMs(limitMs: number): Promise<number | undefined> {
    const startMs = performance.now();
    try {
      const signal = AbortSignal.timeout(limitMs);
      const url = `http://${HOST}:${this.target.httpPort}/livez`;
      const answer = await fetch(url, { signal, headers: { connection: "close" } });
      await answer.text();
      return answer.status === 200 ? performance.now() - startMs : undefined;
    } catch {
      return undefined;
    }
  }

  /** The value of a metric on the metrics page, over all its labels; undefined if there is none. */
  async metric(name: string): Promise<number | undefined> {
    const signal = AbortSignal.timeout(ANSWER_MS_MAX);
    const url = `http://${HOST}:${this.target.httpPort}/metrics`;
    const answer = await fetch(url, { signal, headers: { connection: "close" } });
    const page = await answer.text();
    const values = [...page.matchAll(new RegExp(`^${name}(?:{[^}]*})? (\\S+)$`, "gm"))].map(([, value]) =>
      Number(value),
    );
    return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0);
  }

  /** Ends it at once: nothing of what it would say then is of interest. */
  async kill(): Promise<void> {
    this.#mayEnd = true;
    this.#spawned.child.kill("SIGKILL");
    await this.#spawned.ended;
  }

  /** Ends it in order, or at once if it takes its time. */
  async stop(): Promise<void> {
    this.#mayEnd = true;
    this.#spawned.child.kill("SIGTERM");
    const isStuck = await Promise.race([this.#spawned.ended.then(() => false), sleep(STOP_MS_MAX, true)]);
    if (isStuck) await this.kill();
  }

  async #untilReady(): Promise<void> {
    const endMs = performance.now() + START_MS_MAX;
    while (performance.now() < endMs) {
      const signal = AbortSignal.timeout(ANSWER_MS_MAX);
      const url = `http://${HOST}:${this.target.httpPort}/readyz`;
      const isReady = await fetch(url, { signal, headers: { connection: "close" } }).then(
        ({ status }) => status === 200,
        () => false,
      );
      if (isReady) return;
      await sleep(POLL_MS);
    }
    throw new Error(`the server is not ready after ${START_MS_MAX} ms`);
  }
}

async function readyLine(logFile: string, begins: number): Promise<ReadyLine> {
  const endMs = performance.now() + START_MS_MAX;
  while (performance.now() < endMs) {
    const log = existsSync(logFile) ? readFileSync(logFile).subarray(begins).toString() : "";
    const line = log.split("\n").find((each) => each.includes('"roster is ready"'));
    if (line !== undefined) return JSON.parse(line) as ReadyLine;
    await sleep(POLL_MS);
  }
  throw new Error(`the server did not say that it is ready within ${START_MS_MAX} ms`);
}

function commandOf({ dir, memoryBytesMax, flags = [], hasNodePort = false, openFilesMax }: ServerOptions): string[] {
  const own = [
    "--bolt-port=0",
    "--eureka-port=0",
    "--nacos-port=0",
    "--nacos-grpc-port=0",
    "--zookeeper-port=0",
    "--consul-port=0",
    "--dns-port=0",
    "--http-port=0",
    "--meta-http-port=0",
    `--data-dir=${join(dir, "data")}`,
  ];
  const admin = ADMIN_KEY in CONFIG ? [`--${ADMIN_KEY}=0`] : [];
  const node = [...(hasNodePort ? ["--node-port=0"] : []), "--data-http-port=0", ...admin];
  const memory = MEMORY_KEY in CONFIG ? [`--${MEMORY_KEY}=${memoryBytesMax}`] : [];
  const server = [...START_FLAGS, "src/cli/main.ts", "server", ...own, ...node, ...memory, ...flags];
  const command = [process.execPath, ...server];
  if (openFilesMax === undefined) return command;
  return ["sh", "-c", `ulimit -n ${openFilesMax}; exec "$@"`, "sh", ...command];
}

// An earlier release, which may be attacked too, does not know them.
const MEMORY_KEY = "memory-bytes-max";
const ADMIN_KEY = "admin-port";
// As `npm start` has it.
const START_FLAGS = ["--max-semi-space-size=4"];

function environment(): NodeJS.ProcessEnv {
  return { ...process.env, MALLOC_ARENA_MAX: "1", NODE_COMPILE_CACHE: "node_modules/.cache/roster" };
}
