// The cluster's store, PostgreSQL or etcd, on a host of the suite's network.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Network } from "../net/network.ts";
import { STORE_PORTS, type StoreAnswer, type StoreKind, type StoreOrder } from "./storeHost.ts";

const HOST_PROGRAM = join(import.meta.dirname, "storeHost.ts");

export class Store {
  readonly #kind: StoreKind;
  readonly #child: ChildProcess;
  readonly #address: string;

  private constructor(kind: StoreKind, child: ChildProcess, address: string) {
    this.#kind = kind;
    this.#child = child;
    this.#address = address;
  }

  static async start(kind: StoreKind, network: Network, host: string, dir: string): Promise<Store> {
    const address = network.address(host);
    const [program = "", ...args] = network.on(host, [process.execPath, HOST_PROGRAM, kind, dir, address]);
    const child = spawn(program, args, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    const store = new Store(kind, child, address);
    await store.#answer();
    return store;
  }

  /** Makes an empty database, or a prefix in etcd; returns its URL. */
  async createDatabase(name: string): Promise<string> {
    await this.#order({ database: name });
    const place = `${this.#address}:${STORE_PORTS[this.#kind]}/${name}`;
    return this.#kind === "etcd" ? `etcd://${place}` : `postgres://postgres@${place}`;
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

  async #order(order: StoreOrder): Promise<void> {
    this.#child.send(order);
    await this.#answer();
  }

  async #answer(): Promise<void> {
    const child = this.#child;
    const { promise, resolve } = Promise.withResolvers<StoreAnswer>();
    const ended = () => resolve({ error: "its process ended" });
    child.once("message", resolve);
    child.once("exit", ended);
    const { error } = await promise;
    child.off("message", resolve);
    child.off("exit", ended);
    if (error !== undefined) throw new Error(`${this.#kind}: ${error}`);
  }
}
