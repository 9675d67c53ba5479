// Virtual time. Tasks due at the same millisecond run in the order in which they were scheduled, so a run follows from
// its seed alone. A world has hundreds of tasks in each second: they are kept in a heap of their own, without the
// lookup by key of base/deadlines.ts.

import { assert, defined } from "../base/assert.ts";
import type { Cancel } from "../base/ports.ts";

interface Task {
  readonly atMs: number;
  readonly order: number;
  /** Undefined once the task is cancelled; it stays in the heap until its time comes. */
  run: (() => void) | undefined;
}

export class Scheduler {
  readonly #heap: Task[] = [];
  #order = 0;
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
    assert(Number.isFinite(timeMs), "a task is due at a time");
    const task: Task = { atMs: Math.max(timeMs, this.#nowMs), order: this.#order++, run };
    this.#add(task);
    return () => {
      task.run = undefined;
    };
  }

  after(delayMs: number, run: () => void): Cancel {
    return this.at(this.#nowMs + delayMs, run);
  }

  /** Runs everything due until `endMs`, or until `isOver` returns true. */
  run(endMs: number, isOver: () => boolean): void {
    while (!isOver() && this.#runNext(endMs));
    if (!isOver()) this.#nowMs = endMs;
  }

  /** The same, with what each task has brought about and `settle` waits for, if it returns something. */
  async runSettled(endMs: number, isOver: () => boolean, settle: () => Promise<void> | undefined): Promise<void> {
    while (!isOver() && this.#runNext(endMs)) {
      const settled = settle();
      if (settled !== undefined) await settled;
    }
    if (!isOver()) this.#nowMs = endMs;
  }

  /** Runs the next task; false if none is due. */
  #runNext(endMs: number): boolean {
    const next = this.#heap[0];
    if (next === undefined || next.atMs > endMs) return false;
    this.#removeFirst();
    const { run } = next;
    if (run === undefined) return true;
    this.#nowMs = next.atMs;
    this.#steps++;
    run();
    return true;
  }

  #add(task: Task): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(task);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = this.#task(parent);
      if (!isSooner(task, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = task;
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const task = defined(heap.pop(), "a task is due");
    const end = heap.length;
    if (end === 0) return;
    let at = 0;
    for (let child = 1; child < end; child = 2 * at + 1) {
      const other = child + 1;
      if (other < end && isSooner(this.#task(other), this.#task(child))) child = other;
      if (isSooner(task, this.#task(child))) break;
      heap[at] = this.#task(child);
      at = child;
    }
    heap[at] = task;
  }

  #task(at: number): Task {
    return defined(this.#heap[at], "an index is inside the heap");
  }
}

function isSooner(a: Task, b: Task): boolean {
  return a.atMs === b.atMs ? a.order < b.order : a.atMs < b.atMs;
}
