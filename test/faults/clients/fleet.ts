// All clients of one scenario: processes in client namespaces, and the history that they record together.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, type WriteStream } from "node:fs";
import { join } from "node:path";
import { type HistoryEvent, monotonicMs } from "../history/event.ts";
import { Records } from "../history/records.ts";
import type { Network } from "../net/network.ts";
import type { ClientCommand, ClientReport, ClientSettings, SessionPlace } from "./commands.ts";

const WORKER = join(import.meta.dirname, "worker.ts");

export const USUAL_SETTINGS: ClientSettings = { reconnectMs: 500, retryMs: 500, connectTimeoutMs: 1_000 };

export interface FleetOptions {
  readonly network: Network;
  readonly sessions: readonly SessionPlace[];
  /** Where the history goes, and what the clients say beside it. */
  readonly dir: string;
}

/** Someone whose clients are in the history too; the Java clients are such. */
export interface ClientHost {
  /** Sends it a command for a client of its own. */
  order(command: ClientCommand): void;
  /** Ends its process with kill -9: all its clients die. */
  kill(): Promise<void>;
}

export class Fleet {
  readonly records = new Records();
  readonly events: HistoryEvent[] = [];
  readonly #options: FleetOptions;
  readonly #file: WriteStream;
  readonly #hosts = new Map<string, ClientHost>();
  /** By client, the host that it lives in. */
  readonly #homes = new Map<string, string>();
  /** By client, how many orders it has not carried out yet. */
  readonly #pending = new Map<string, number>();
  #waiters = new Set<() => void>();

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#file = createWriteStream(join(options.dir, "history.jsonl"));
  }

  /** Adds a row to the history. */
  record(...events: readonly HistoryEvent[]): void {
    for (const event of events) {
      this.events.push(event);
      this.records.see(event);
      this.#obeyed(event);
      this.#file.write(`${JSON.stringify(event)}\n`);
    }
    for (const wake of this.#waiters) wake();
  }

  /** Starts a process for clients on a host of the network. */
  startWorker(host: string): void {
    const command = this.#options.network.on(host, [process.execPath, WORKER]);
    const [program = "", ...args] = command;
    const child = spawn(program, args, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    child.on("message", (report: ClientReport) => this.record(...report.events));
    this.addHost(host, workerHost(child));
  }

  addHost(host: string, clients: ClientHost): void {
    this.#hosts.set(host, clients);
  }

  /** Makes a client on a host. */
  open(
    client: string,
    where: { readonly host: string; readonly first: string; readonly settings?: ClientSettings },
  ): void {
    this.#homes.set(client, where.host);
    const { sessions } = this.#options;
    this.#order({ kind: "open", client, sessions, first: where.first, settings: where.settings ?? USUAL_SETTINGS });
  }

  publish(client: string, registration: string, service: string): void {
    this.#order({ kind: "publish", client, registration, service });
  }

  unpublish(client: string, registration: string): void {
    this.#order({ kind: "unpublish", client, registration });
  }

  subscribe(client: string, subscription: string, service: string): void {
    this.#order({ kind: "subscribe", client, subscription, service });
  }

  /** The reason why the clients and the cluster are not at rest in the right state; undefined if they are. */
  difference(): string | undefined {
    for (const [client, orders] of this.#pending) {
      if (orders > 0 && !this.records.deaths.has(client)) return `${client} has not done yet what it was told`;
    }
    return this.records.difference();
  }

  /** Kills a process with all clients in it. */
  async killHost(host: string): Promise<readonly string[]> {
    const dead = [...this.#homes].filter(([, home]) => home === host).map(([client]) => client);
    await this.#hosts.get(host)?.kill();
    this.#hosts.delete(host);
    this.record(...dead.map((client) => ({ kind: "died" as const, t: monotonicMs(), client })));
    return dead;
  }

  /** Resolves when the condition holds, false if it does not within the limit. It is asked after every event. */
  async until(condition: () => boolean, limitMs: number): Promise<boolean> {
    if (condition()) return true;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const check = () => {
      if (condition()) resolve(true);
    };
    // The condition may depend on something that is no event.
    const timer = setInterval(check, 100);
    const end = setTimeout(() => resolve(condition()), limitMs);
    this.#waiters.add(check);
    try {
      return await promise;
    } finally {
      this.#waiters.delete(check);
      clearInterval(timer);
      clearTimeout(end);
    }
  }

  /** The whole history in the order of its times. */
  history(): HistoryEvent[] {
    return [...this.events].sort((a, b) => a.t - b.t);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#hosts.values()].map((host) => host.kill()));
    this.#hosts.clear();
    if (this.#file.closed) return;
    this.#file.end();
    await once(this.#file, "close");
  }

  #order(command: ClientCommand): void {
    const host = this.#homes.get(command.client);
    const home = host === undefined ? undefined : this.#hosts.get(host);
    if (home === undefined) throw new Error(`${command.client} has no living process`);
    home.order(command);
    if (command.kind !== "open") this.#count(command.client, 1);
  }

  #obeyed(event: HistoryEvent): void {
    if (event.kind === "call" || event.kind === "subscribe") this.#count(event.client, -1);
  }

  #count(client: string, orders: number): void {
    this.#pending.set(client, (this.#pending.get(client) ?? 0) + orders);
  }
}

function workerHost(child: ChildProcess): ClientHost {
  let batch: ClientCommand[] = [];
  const send = () => {
    const commands = batch;
    batch = [];
    if (child.connected) child.send(commands);
  };
  return {
    order: (command) => {
      if (batch.push(command) === 1) setImmediate(send);
    },
    kill: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, "exit");
      child.kill("SIGKILL");
      await exited;
    },
  };
}
