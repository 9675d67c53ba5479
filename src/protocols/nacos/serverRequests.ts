// The requests of the server that a client has not answered yet, apart from pushes of lists, whose answers the registry
// waits for.

import type { JsonFields } from "../../encoding/json/fields.ts";
import type { Answered } from "./part.ts";

interface Waiting {
  readonly answered: Answered;
  readonly untilMs: number;
}

/** The time that a client has to answer. */
export const ANSWER_MS = 5_000;
// Pushes of lists have the numbers up to 2^31 - 1.
const ID_FIRST = 0x8000_0000;

export class ServerRequests {
  // In the order of their ends.
  readonly #waiting = new Map<string, Waiting>();
  #nextId = ID_FIRST;

  get size(): number {
    return this.#waiting.size;
  }

  /** A new id, whose answer goes to `answered`. */
  add(answered: Answered, nowMs: number): string {
    const id = String(this.#nextId++);
    this.#waiting.set(id, { answered, untilMs: nowMs + ANSWER_MS });
    return id;
  }

  /** The client has answered; false if nothing waits for that. */
  answered(id: string, answer: JsonFields, nowMs: number): boolean {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return false;
    this.#waiting.delete(id);
    waiting.answered(answer, nowMs);
    return true;
  }

  /** Gives up those whose time is over. */
  expire(nowMs: number): void {
    for (const [id, { untilMs }] of [...this.#waiting]) {
      if (untilMs > nowMs) return;
      this.#giveUp(id, nowMs);
    }
  }

  /** Gives up all of them: the connection is over. */
  close(nowMs: number): void {
    for (const id of [...this.#waiting.keys()]) this.#giveUp(id, nowMs);
  }

  #giveUp(id: string, nowMs: number): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    waiting?.answered(undefined, nowMs);
  }
}
