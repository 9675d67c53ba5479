// The turns of processes whose code awaits promises: between two of them all promises are settled, as between two
// callbacks of Node's event loop. They run behind the task of the scheduler that has brought them, at its time.

import type { NetworkProcess } from "../network/nodeWire.ts";

/** Settles all promises that can be settled without new input. */
export type Settle = () => Promise<void>;

interface Turn {
  readonly process: NetworkProcess;
  readonly run: () => void;
}

export class Turns {
  readonly #settle: Settle;
  readonly #failed: (process: NetworkProcess, error: unknown) => void;
  #waiting: Turn[] = [];

  /** `failed`: the code of a process has thrown. */
  constructor(settle: Settle, failed: (process: NetworkProcess, error: unknown) => void) {
    this.#settle = settle;
    this.#failed = failed;
  }

  /** Runs behind what waits now, unless the process has ended by then. */
  add(process: NetworkProcess, run: () => void): void {
    this.#waiting.push({ process, run });
  }

  /** Runs everything that waits; undefined if nothing does. */
  run(): Promise<void> | undefined {
    return this.#waiting.length === 0 ? undefined : this.#runAll();
  }

  async #runAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const turns = this.#waiting;
      this.#waiting = [];
      for (const { process, run } of turns) {
        if (!process.isRunning) continue;
        try {
          run();
        } catch (error) {
          this.#failed(process, error);
        }
        await this.#settle();
      }
    }
  }
}
