import type { RegistryError } from "../base/errors.ts";

/** Joins requests to a role with the answers that come back in a later step. */
export class PendingAnswers {
  readonly #waiting = new Map<number, (error: RegistryError | undefined) => void>();
  #next = 1;

  /** Sends a request under a number of its own; settles when that number is answered. */
  ask(send: (request: number) => void): Promise<void> {
    const request = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(request, (error) => (error === undefined ? resolve() : reject(error)));
      send(request);
    });
  }

  answer(request: number, error: RegistryError | undefined): void {
    this.#waiting.get(request)?.(error);
    this.#waiting.delete(request);
  }
}
