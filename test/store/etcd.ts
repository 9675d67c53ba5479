// A real etcd for tests, of one member: it is stopped, killed, frozen, and comes back on the same port with the same
// data. It listens on loopback and ends with the process that started it.

import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

export interface EtcdOptions {
  /** Where it keeps its data, which is then left there; otherwise a temporary folder, which goes with the server. */
  readonly dir?: string;
  /** A free one if nothing is said. */
  readonly port?: number;
  /** Addresses to listen on beside 127.0.0.1, for tests that make networks. */
  readonly addresses?: readonly string[];
  /** Files with which it speaks TLS; with `clientCa` it wants a certificate from its clients. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly clientCa?: string };
}

/** A server under test. It stays the same over `halt`, `kill` and `start`: port, data, URL. */
export interface EtcdServer {
  /** Without parameters. */
  readonly url: string;
  readonly port: number;
  /** One request to its JSON gateway; only without TLS. Throws its refusal. */
  ask(path: string, body: object): Promise<unknown>;
  /** Shuts it down in order. */
  halt(): Promise<void>;
  /** kill -9. */
  kill(): Promise<void>;
  /** Starts it after `halt` or `kill`. */
  start(): Promise<void>;
  /** Copies its data; the answer has it go back to them. It is away meanwhile. */
  backUp(): Promise<() => Promise<void>>;
  pause(): void;
  resume(): void;
  /** Ends it for good, whatever was done to it before. */
  stop(): Promise<void>;
}

const START_MS = 20_000;
// Leases end within a second of their time; the shortest that etcd then gives is one second.
const TIMES = ["--heartbeat-interval=20", "--election-timeout=200"];

/** Why no server can be started here; nothing if one can. */
export function missingEtcd(): string | undefined {
  const found = spawnSync("etcd", ["--version"], { stdio: "ignore" });
  return found.status === 0 ? undefined : "etcd is not installed (Debian: apt-get install etcd-server)";
}

export async function startEtcd(options: EtcdOptions = {}): Promise<EtcdServer> {
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), "roster-etcd-"));
  const ports = { clients: options.port ?? (await freePort()), peers: await freePort(), health: await freePort() };
  const server = new Server(dir, ports, options);
  await server.start();
  return server;
}

/** Three servers, each a member of one cluster. */
export async function startEtcdCluster(): Promise<readonly EtcdServer[]> {
  const places: { dir: string; ports: Ports }[] = [];
  for (let at = 0; at < 3; at++) {
    const ports = { clients: await freePort(), peers: await freePort(), health: await freePort() };
    places.push({ dir: mkdtempSync(join(tmpdir(), "roster-etcd-")), ports });
  }
  const members = places.map(({ ports }) => ports.peers);
  const servers = places.map(({ dir, ports }) => new Server(dir, ports, {}, members));
  await Promise.all(servers.map((server) => server.start()));
  return servers;
}

/**
 * Registers `tests` with a server of their own, which ends with the file. Without etcd they are left out, but on CI.
 */
export async function withEtcd(name: string, tests: (server: EtcdServer) => void): Promise<void> {
  const missing = missingEtcd();
  if (missing === undefined) {
    const server = await startEtcd();
    after(() => server.stop());
    tests(server);
  } else if (process.env["CI"] === "true") {
    test(name, () => assert.fail(missing));
  } else {
    test(name, { skip: `left out: ${missing}` }, () => undefined);
  }
}

interface Ports {
  readonly clients: number;
  readonly peers: number;
  readonly health: number;
}

class Server implements EtcdServer {
  readonly port: number;
  readonly url: string;
  readonly #dir: string;
  readonly #ports: Ports;
  readonly #options: EtcdOptions;
  /** The peer ports of all members. */
  readonly #members: readonly number[];
  #process: ChildProcess | undefined;

  constructor(dir: string, ports: Ports, options: EtcdOptions, members: readonly number[] = [ports.peers]) {
    this.#members = members;
    this.#dir = dir;
    this.#ports = ports;
    this.#options = options;
    this.port = ports.clients;
    this.url = `${options.tls === undefined ? "etcd" : "etcds"}://127.0.0.1:${ports.clients}`;
  }

  async start(): Promise<void> {
    const { addresses = [], tls } = this.#options;
    const scheme = tls === undefined ? "http" : "https";
    const clients = ["127.0.0.1", ...addresses].map((address) => `${scheme}://${address}:${this.port}`).join(",");
    const peers = `http://127.0.0.1:${this.#ports.peers}`;
    const flags = [
      `--data-dir=${join(this.#dir, "data")}`,
      `--listen-client-urls=${clients}`,
      `--advertise-client-urls=${clients}`,
      `--listen-peer-urls=${peers}`,
      `--initial-advertise-peer-urls=${peers}`,
      `--name=m${this.#ports.peers}`,
      `--initial-cluster=${this.#members.map((port) => `m${port}=http://127.0.0.1:${port}`).join(",")}`,
      `--listen-metrics-urls=http://127.0.0.1:${this.#ports.health}`,
      "--log-level=error",
      ...TIMES,
      ...tlsFlags(tls),
    ];
    const [file = "", ...args] = [...endWithUs(), "etcd", ...flags];
    const child = spawn(file, args, { stdio: "ignore" });
    child.unref();
    this.#process = child;
    running.add(this);
    const untilMs = performance.now() + START_MS;
    while (!(await isHealthy(this.#ports.health))) {
      assert.ok(child.exitCode === null && performance.now() < untilMs, "etcd is healthy");
      await sleep(20);
    }
  }

  async ask(path: string, body: object): Promise<unknown> {
    const request = { method: "POST", body: JSON.stringify(body) };
    const response = await fetch(`http://127.0.0.1:${this.port}${path}`, request);
    const answer = await response.text();
    assert.ok(response.ok, answer);
    return JSON.parse(answer);
  }

  async halt(): Promise<void> {
    this.resume();
    await this.#end("SIGTERM");
  }

  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  async backUp(): Promise<() => Promise<void>> {
    const [data, copy] = [join(this.#dir, "data"), join(this.#dir, "copy")];
    await this.halt();
    cpSync(data, copy, { recursive: true });
    await this.start();
    return async () => {
      await this.kill();
      rmSync(data, { recursive: true });
      cpSync(copy, data, { recursive: true });
      await this.start();
    };
  }

  pause(): void {
    this.#process?.kill("SIGSTOP");
  }

  resume(): void {
    this.#process?.kill("SIGCONT");
  }

  async stop(): Promise<void> {
    await this.kill();
    this.forget();
  }

  killNow(): void {
    this.#process?.kill("SIGKILL");
  }

  forget(): void {
    running.delete(this);
    if (this.#options.dir === undefined) rmSync(this.#dir, { recursive: true, force: true });
  }

  async #end(by: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.ref();
    const exited = once(child, "exit");
    child.kill(by);
    await exited;
  }
}

// A test that forgets to stop a server leaves none running.
const running = new Set<Server>();
process.on("exit", () => {
  for (const server of running) {
    server.killNow();
    server.forget();
  }
});

function tlsFlags(tls: EtcdOptions["tls"]): readonly string[] {
  if (tls === undefined) return [];
  const { cert, key, clientCa } = tls;
  const own = [`--cert-file=${cert}`, `--key-file=${key}`];
  return clientCa === undefined ? own : [...own, "--client-cert-auth", `--trusted-ca-file=${clientCa}`];
}

/** The words before a command that have the kernel end it when we die. */
function endWithUs(): readonly string[] {
  const found = spawnSync("setpriv", ["--pdeathsig", "KILL", "true"], { stdio: "ignore" });
  return found.status === 0 ? ["setpriv", "--pdeathsig", "KILL"] : [];
}

async function isHealthy(port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/health`, { signal: AbortSignal.timeout(1_000) });
    return (await response.text()).includes("true");
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  assert.ok(address !== null && typeof address !== "string", "a listening server has a port");
  return address.port;
}
