// Looks at the attacked server all the time: what it has in memory, and whether its health check answers.

import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { ServerProcess } from "./serverProcess.ts";

export interface Watched {
  readonly peakBytes: number;
  /** The slowest health check; Infinity if one was not answered. */
  readonly healthMsMax: number;
  readonly healthChecks: number;
  /**
   * Which share of the time the server, or the process of the honest clients, could have run and was not given a
   * processor: above a few percent it is the machine that is measured, and not the server.
   */
  readonly waitedShare: number;
  /** The server passed the most that the machine is to give to it, and the attack was ended. */
  readonly isStopped: boolean;
}

const SAMPLE_MS = 50;
const HEALTH_EVERY_MS = 250;
// Service managers wait for a second or more.
const HEALTH_MS_MAX = 3_000;

export class Watch {
  readonly #server: ServerProcess;
  readonly #stopBytes: number;
  #peakBytes = 0;
  #healthMsMax = 0;
  #healthChecks = 0;
  #isOver = false;
  isStopped = false;
  readonly #watching: Promise<unknown>;
  readonly #beginMs = performance.now();
  /** By process, how long it has waited when this began, and since. */
  readonly #waits = new Map<number, { readonly beginMs: number; endMs: number }>();

  constructor(server: ServerProcess, honestPid: number, stopBytes: number) {
    this.#server = server;
    this.#stopBytes = stopBytes;
    for (const pid of [server.pid, honestPid]) {
      const beginMs = waitedMs(pid) ?? 0;
      this.#waits.set(pid, { beginMs, endMs: beginMs });
    }
    this.#watching = Promise.all([this.#sample(), this.#check()]);
  }

  async end(): Promise<Watched> {
    this.#isOver = true;
    await this.#watching;
    const { isStopped } = this;
    const healthMsMax = this.#healthMsMax;
    const waits = [...this.#waits.values()].map(({ beginMs, endMs }) => endMs - beginMs);
    const waitedShare = Math.max(...waits) / (performance.now() - this.#beginMs);
    return { peakBytes: this.#peakBytes, healthMsMax, healthChecks: this.#healthChecks, waitedShare, isStopped };
  }

  async #sample(): Promise<void> {
    while (!this.#isOver && this.#server.isRunning && !this.isStopped) {
      this.#peakBytes = Math.max(this.#peakBytes, this.#server.peakRssBytes);
      this.isStopped = this.#peakBytes > this.#stopBytes;
      for (const [pid, wait] of this.#waits) wait.endMs = waitedMs(pid) ?? wait.endMs;
      await sleep(SAMPLE_MS);
    }
    if (this.isStopped) await this.#server.kill();
  }

  async #check(): Promise<void> {
    while (!this.#isOver && this.#server.isRunning) {
      const healthMs = await this.#server.healthMs(HEALTH_MS_MAX);
      if (!this.#server.isRunning) return;
      this.#healthChecks++;
      this.#healthMsMax = Math.max(this.#healthMsMax, healthMs ?? Number.POSITIVE_INFINITY);
      await sleep(HEALTH_EVERY_MS);
    }
  }
}

/** How long the main thread of a process has waited for a processor so far; undefined if it has ended. */
function waitedMs(pid: number): number | undefined {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, "utf8").split(" ")[1]) / 1e6;
  } catch {
    return undefined;
  }
}
