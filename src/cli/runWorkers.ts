// `roster server --workers N`: a process for each worker, and this one, which only supervises them. Workers share the
// ports for clients; the system deals connections out. A worker that dies is started again. A worker that is told to
// stop, or refuses to continue, ends all of them, as it would end a server of one process.

import { type ChildProcess, fork } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { fail } from "../base/errors.ts";
import type { Log } from "../base/ports.ts";
import type { Config } from "../server/config/table.ts";
import { createLog } from "../server/log.ts";
import { watchSignals } from "./watchSignals.ts";
import { WorkersMetrics } from "./workerMetrics.ts";
import { WORKER_READY } from "./workerReady.ts";

// A worker that dies at once, again and again, must not keep a core busy.
const RESTART_MS = 1_000;

interface Worker {
  readonly number: number;
  process: ChildProcess;
  /** It started once, so it can start again. */
  hasServed: boolean;
}

/** The end of one of the processes. */
interface End {
  readonly worker: Worker;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/**
 * Runs until the workers are told to stop. Throws if one can't start, or ends with an error that a restart would not
 * cure.
 */
export async function runWorkers(config: Config, start: (worker: number) => ChildProcess): Promise<void> {
  const log = createLog({ level: config.logLevel, format: config.logFormat });
  const workers = new Workers(log, start);
  try {
    await workers.run(config.workers, { hasCertificates: config.tlsCertFile !== "" });
  } finally {
    await log.stop();
  }
}

/** Starts a worker with the command line of this process. The worker stops in order if this process dies. */
export function forkWorker(worker: number): ChildProcess {
  const [, file = "", , ...flags] = process.argv;
  return fork(file, ["worker", "--number", String(worker), ...flags]);
}

class Workers {
  readonly #log: Log;
  readonly #start: (worker: number) => ChildProcess;
  readonly #workers: Worker[] = [];
  readonly #metrics = new WorkersMetrics();
  readonly #over = Promise.withResolvers<void>();
  #isStopping = false;

  constructor(log: Log, start: (worker: number) => ChildProcess) {
    this.#log = log;
    this.#start = start;
  }

  async run(count: number, { hasCertificates }: { readonly hasCertificates: boolean }): Promise<void> {
    const reload = () => {
      if (hasCertificates) for (const { process: child } of this.#workers) child.kill("SIGHUP");
      return hasCertificates;
    };
    const unwatch = watchSignals({ stop: () => this.#stop(), reload, log: () => this.#log });
    for (let number = 1; number <= count; number++) {
      const worker: Worker = { number, process: this.#start(number), hasServed: false };
      this.#workers.push(worker);
      this.#watch(worker);
    }
    await this.#over.promise.finally(unwatch);
  }

  #watch(worker: Worker): void {
    worker.process.on("message", (message) => {
      this.#metrics.received(worker, this.#workers, message);
      if (message !== WORKER_READY) return;
      worker.hasServed = true;
      if (this.#workers.every(({ hasServed }) => hasServed)) this.#log.info("all workers are ready", {});
    });
    worker.process.once("exit", (code, signal) => void this.#ended({ worker, code, signal }));
  }

  async #ended({ worker, code, signal }: End): Promise<void> {
    this.#metrics.ended(worker);
    if (this.#isStopping) return this.#settleIfGone();
    // An operator or its cluster told it to end, or it could never start.
    if (code === 0 || !worker.hasServed) {
      if (code !== 0)
        this.#over.reject(fail("WORKER_FAILED", { worker: worker.number, reason: signal ?? String(code) }));
      this.#stop();
      return this.#settleIfGone();
    }
    this.#log.error("a worker has died and is being restarted", {
      worker: worker.number,
      reason: signal ?? String(code),
    });
    await sleep(RESTART_MS);
    if (this.#isStopping) return this.#settleIfGone();
    worker.process = this.#start(worker.number);
    this.#watch(worker);
  }

  /** Releases the workers, which stops them in order; a second call kills those that are still there. */
  #stop(): void {
    for (const { process: child } of this.#workers) {
      if (this.#isStopping && !isGone(child)) child.kill("SIGKILL");
      else if (child.connected) child.disconnect();
    }
    this.#isStopping = true;
  }

  #settleIfGone(): void {
    if (this.#workers.every(({ process: child }) => isGone(child))) this.#over.resolve();
  }
}

function isGone({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}
