// A view of a service through one protocol: each list that was heard of, and when.

export interface HeardList {
  /** The rows of all instances that take calls, sorted. */
  readonly rows: readonly string[];
  readonly atMs: number;
}

export class Watched {
  /** In the order in which they were heard of; a list that repeats the one before is left out. */
  readonly lists: HeardList[] = [];

  /** The list in force; none before the first one. */
  get rows(): readonly string[] {
    return this.lists.at(-1)?.rows ?? [];
  }

  heard(rows: readonly string[]): void {
    const sorted = [...rows].sort();
    if (this.lists.length === 0 || sorted.join() !== this.rows.join()) {
      this.lists.push({ rows: sorted, atMs: performance.now() });
    }
  }
}

/** Runs `turn` again and again until it is stopped; what fails is heard as a list of its own. */
export class Repeated {
  readonly #turn: (signal: AbortSignal) => Promise<unknown>;
  readonly #watched: Watched;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;

  constructor(watched: Watched, turn: (signal: AbortSignal) => Promise<unknown>) {
    this.#watched = watched;
    this.#turn = turn;
    this.#done = this.#run();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        await this.#turn(signal);
      } catch (error) {
        if (signal.aborted) return;
        this.#watched.heard([`failed: ${error}`]);
      }
    }
  }
}
