// Looks at the attacked server all the time: what it has in memory, and whether its health check answers.

import { setTimeout as sleep } from "node:timers/promises";
import type { ServerProcess } from "./serverProcess.ts";

export interface Watched {
  readonly peakBytes: number;
  /** The slowest health check; Infinity if one was not answered. */
  readonly healthMsMax: number;
  readonly healthChecks: number;
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

  constructor(server: ServerProcess, stopBytes: number) {
    this.#server = server;
    this.#stopBytes = stopBytes;
    this.#watching = Promise.all([this.#sample(), this.#check()]);
  }

  async end(): Promise<Watched> {
    this.#isOver = true;
    await this.#watching;
    const { isStopped } = this;
    const peakBytes = this.#peakBytes;
    return { peakBytes, healthMsMax: this.#healthMsMax, healthChecks: this.#healthChecks, isStopped };
  }

  async #sample(): Promise<void> {
    while (!this.#isOver && this.#server.isRunning && !this.isStopped) {
      this.#peakBytes = Math.max(this.#peakBytes, this.#server.peakRssBytes);
      this.isStopped = this.#peakBytes > this.#stopBytes;
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
