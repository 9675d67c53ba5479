// The processes of the tree's clients, as the suite sees them.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { TreeEvent } from "../../../src/sim/checkers/tree/treeEvent.ts";
import type { Network } from "../net/network.ts";

const PROGRAM = join(import.meta.dirname, "treeProcess.ts");
const CLIENTS_A_HOST = 3;
const END_MS = 15_000;

export interface TreeClientsOptions {
  readonly network: Network;
  /** The node of the tree below which they work. */
  readonly root: string;
  readonly hosts: readonly string[];
  /** The addresses of the sessions. */
  readonly sessions: readonly string[];
  /** The history, beside what is kept here. */
  readonly file: string;
}

export class TreeClients {
  readonly events: TreeEvent[] = [];
  readonly #children: readonly ChildProcess[];

  constructor({ network, root, hosts, sessions, file }: TreeClientsOptions) {
    this.#children = hosts.map((host, at) => {
      const command = [process.execPath, PROGRAM, root, String(at + 1), String(CLIENTS_A_HOST), sessions.join(",")];
      const [program = "", ...args] = network.on(host, command);
      const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
      createInterface(child.stdout).on("line", (line) => {
        appendFileSync(file, `${line}\n`);
        this.events.push(JSON.parse(line) as TreeEvent);
      });
      return child;
    });
  }

  /** The clients that have written since then. */
  writersSince(atMs: number): ReadonlySet<string> {
    const done = this.events.filter((event) => event.kind === "write" && event.outcome === "done");
    return new Set(done.flatMap(({ client, fromMs }) => (fromMs > atMs ? [client] : [])));
  }

  get count(): number {
    return this.#children.length * CLIENTS_A_HOST;
  }

  /** Ends them in order, and kills what does not end. */
  async end(): Promise<void> {
    await Promise.all(
      this.#children.map(async (child) => {
        const exited = once(child, "exit");
        child.stdin?.end();
        const timer = setTimeout(() => child.kill("SIGKILL"), END_MS);
        await exited;
        clearTimeout(timer);
      }),
    );
  }
}
