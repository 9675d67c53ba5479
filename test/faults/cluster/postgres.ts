// PostgreSQL on a host of the suite's network.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Network } from "../net/network.ts";
import { POSTGRES_PORT, type PostgresAnswer, type PostgresOrder } from "./postgresHost.ts";

const HOST_PROGRAM = join(import.meta.dirname, "postgresHost.ts");

export class Postgres {
  readonly #child: ChildProcess;
  readonly #address: string;

  private constructor(child: ChildProcess, address: string) {
    this.#child = child;
    this.#address = address;
  }

  static async start(network: Network, host: string, dir: string): Promise<Postgres> {
    const address = network.address(host);
    const [program = "", ...args] = network.on(host, [process.execPath, HOST_PROGRAM, dir, address]);
    const child = spawn(program, args, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    const postgres = new Postgres(child, address);
    await postgres.#answer();
    return postgres;
  }

  /** Makes an empty database; returns its URL. */
  async createDatabase(name: string): Promise<string> {
    await this.#order({ database: name });
    return `postgres://postgres@${this.#address}:${POSTGRES_PORT}/${name}`;
  }

  /** kill -9: connections are reset, new ones refused. */
  kill(): Promise<void> {
    return this.#order("kill");
  }

  start(): Promise<void> {
    return this.#order("start");
  }

  /** Frozen: connections stand, nothing is answered. */
  pause(): Promise<void> {
    return this.#order("pause");
  }

  resume(): Promise<void> {
    return this.#order("resume");
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.disconnect();
    await exited;
  }

  async #order(order: PostgresOrder): Promise<void> {
    this.#child.send(order);
    await this.#answer();
  }

  async #answer(): Promise<void> {
    const child = this.#child;
    const { promise, resolve } = Promise.withResolvers<PostgresAnswer>();
    const ended = () => resolve({ error: "its process ended" });
    child.once("message", resolve);
    child.once("exit", ended);
    const { error } = await promise;
    child.off("message", resolve);
    child.off("exit", ended);
    if (error !== undefined) throw new Error(`PostgreSQL: ${error}`);
  }
}
