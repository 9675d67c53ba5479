// Virtual time. Tasks due at the same millisecond run in the order in which they were scheduled, so a run follows from
// its seed alone.

import { defined } from "../base/assert.ts";
import { Deadlines } from "../base/deadlines.ts";
import type { Cancel } from "../base/ports.ts";

interface Task {
  readonly run: () => void;
}

export class Scheduler {
  readonly #tasks = new Deadlines<Task>();
  #nowMs: number;
  #steps = 0;

  constructor(startMs: number) {
    this.#nowMs = startMs;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** The number of tasks that have run. */
  get steps(): number {
    return this.#steps;
  }

  /** Runs at that time, or at once if it is past. */
  at(timeMs: number, run: () => void): Cancel {
    const task = { run };
    this.#tasks.set(task, Math.max(timeMs, this.#nowMs));
    return () => this.#tasks.delete(task);
  }

  after(delayMs: number, run: () => void): Cancel {
    return this.at(this.#nowMs + delayMs, run);
  }

  /** Runs everything due until `endMs`, or until `isOver` returns true. */
  run(endMs: number, isOver: () => boolean): void {
    for (;;) {
      const nextMs = this.#tasks.nextMs();
      if (nextMs > endMs || isOver()) break;
      this.#nowMs = nextMs;
      this.#steps++;
      defined(this.#tasks.take(nextMs), "a task is due").run();
    }
    if (!isOver()) this.#nowMs = endMs;
  }
}
