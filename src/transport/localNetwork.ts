// The network between roles that run in one process. It delivers in order, never inside the sender's own step, and
// loses nothing; otherwise roles talk through it exactly as they would across machines.

// So many deliveries, some ten milliseconds of work at the most, and then the sockets have their turn.
const DELIVERIES_PER_TURN = 500;

/** Queues deliveries and runs them in order, after the step that caused them. */
export class LocalNetwork {
  #queue: (() => void)[] = [];
  #head = 0;
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
    this.#head = 0;
  }

  // A delivery may send again: that is drained here too, before any socket is read, but not without end.
  #drain(): void {
    let delivered = 0;
    try {
      while (this.#head < this.#queue.length && delivered < DELIVERIES_PER_TURN) {
        const deliver = this.#queue[this.#head++];
        delivered++;
        deliver?.();
      }
    } finally {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
      this.#isScheduled = this.#queue.length > 0;
      if (this.#isScheduled) setImmediate(() => this.#drain());
    }
  }
}
