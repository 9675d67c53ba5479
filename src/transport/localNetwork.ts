// The network between roles that run in one process. It delivers in order, never inside the sender's own step, and loses nothing; otherwise roles talk
// through it exactly as they would across machines.

/** Queues deliveries and runs them in order, after the step that caused them. */
export class LocalNetwork {
  #queue: (() => void)[] = [];
  #isScheduled = false;
  #isClosed = false;

  /** Runs `deliver` soon, after everything that was sent before it. */
  send(deliver: () => void): void {
    if (this.#isClosed) return;
    this.#queue.push(deliver);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => this.#drain());
  }

  /** Drops what is under way; nothing is delivered any more. */
  close(): void {
    this.#isClosed = true;
    this.#queue = [];
  }

  // A delivery may send again: these wait for the next round, which is drained here too, before any socket is read.
  #drain(): void {
    while (this.#queue.length > 0) {
      const round = this.#queue;
      this.#queue = [];
      for (const deliver of round) if (!this.#isClosed) deliver();
    }
    this.#isScheduled = false;
  }
}
