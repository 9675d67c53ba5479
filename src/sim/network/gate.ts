// The input of a process: everything at once while it runs, nothing while it is stopped (SIGSTOP, a long pause of its
// machine), and then all that waited, timers and messages, in one go.

type Arrival = () => void;

export class Gate {
  #timers: Arrival[] = [];
  #messages: Arrival[] = [];
  #isPaused = false;
  #isClosed = false;
  #isInTurn = false;
  /** Called after each arrival, as Node runs its microtasks. */
  onTurnEnd: () => void = () => undefined;

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** The process handles an arrival now. */
  get isInTurn(): boolean {
    return this.#isInTurn;
  }

  /** Input from outside: a message, a new connection, the end of one. */
  message(arrive: Arrival): void {
    if (this.#isClosed) return;
    if (this.#isPaused) this.#messages.push(arrive);
    else this.#turn(arrive);
  }

  /** A timer of the process is due. */
  timer(fire: Arrival): void {
    if (this.#isClosed) return;
    if (this.#isPaused) this.#timers.push(fire);
    else this.#turn(fire);
  }

  pause(): void {
    this.#isPaused = true;
  }

  /**
   * The process goes on; the place at which it was stopped decides whether its loop looks at timers or at sockets
   * first.
   */
  resume(isTimersFirst: boolean): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    const queues = isTimersFirst ? [this.#timers, this.#messages] : [this.#messages, this.#timers];
    this.#timers = [];
    this.#messages = [];
    for (const queue of queues) {
      for (const arrive of queue) {
        if (!this.#isClosed) this.#turn(arrive);
      }
    }
  }

  /** The process is gone, and all waiting input with it. */
  close(): void {
    this.#isClosed = true;
    this.#timers = [];
    this.#messages = [];
  }

  #turn(arrive: Arrival): void {
    // A fault may ask a process to stop in the middle of its step.
    if (this.#isInTurn) return arrive();
    this.#isInTurn = true;
    arrive();
    this.onTurnEnd();
    this.#isInTurn = false;
  }
}
