// Requests of a publisher's connection: as many under way as its window lets, the others in a queue.

/** Sends one request and calls back with whether it was accepted. */
export type SendRequest<Request> = (request: Request, answered: (isAccepted: boolean) => void) => void;

const RETRY_MS = 500;

export class Pipeline<Request> {
  readonly #window: number;
  readonly #send: SendRequest<Request>;
  readonly #corked: { cork(): void; uncork(): void };
  #queue: Request[] = [];
  #next = 0;
  #unanswered = 0;
  #retrying = 0;
  #settle: PromiseWithResolvers<void> | undefined;
  #failure: Error | undefined;
  retries = 0;

  constructor(window: number, corked: { cork(): void; uncork(): void }, send: SendRequest<Request>) {
    this.#window = window;
    this.#corked = corked;
    this.#send = send;
  }

  ask(request: Request): void {
    this.#queue.push(request);
    this.#pump();
  }

  /** Resolves when all is answered. Rejects if the connection is lost before. */
  async settled(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#isSettled()) return;
    this.#settle ??= Promise.withResolvers<void>();
    await this.#settle.promise;
  }

  fail(reason: string): void {
    this.#failure ??= new Error(reason);
    this.#settle?.reject(this.#failure);
  }

  #isSettled(): boolean {
    return this.#next === this.#queue.length && this.#unanswered === 0 && this.#retrying === 0;
  }

  #pump(): void {
    if (this.#next === this.#queue.length || this.#unanswered >= this.#window) return;
    this.#corked.cork();
    while (this.#next < this.#queue.length && this.#unanswered < this.#window) {
      const request = this.#queue[this.#next++] as Request;
      this.#unanswered++;
      this.#send(request, (isAccepted) => this.#answered(request, isAccepted));
    }
    this.#corked.uncork();
    if (this.#next === this.#queue.length) {
      this.#queue = [];
      this.#next = 0;
    }
  }

  #answered(request: Request, isAccepted: boolean): void {
    this.#unanswered--;
    if (!isAccepted && this.#failure === undefined) this.#retry(request);
    // Sending single requests into a full window would be a system call for each.
    if (this.#unanswered <= this.#window / 2) this.#pump();
    if (this.#settle === undefined || !this.#isSettled()) return;
    this.#settle.resolve();
    this.#settle = undefined;
  }

  #retry(request: Request): void {
    this.retries++;
    this.#retrying++;
    setTimeout(() => {
      this.#retrying--;
      this.ask(request);
    }, RETRY_MS).unref();
  }
}
