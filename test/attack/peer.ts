// A process that the suite talks to. Ended by its id, and with this one, however it ends.

import { setTimeout as sleep } from "node:timers/promises";
import { type Spawned, spawned } from "../../bench/processes/spawned.ts";
import { inOwnSession, setNiceness } from "./goFirst.ts";

const POLL_MS = 10;

export class Peer<Order, Answer> {
  readonly #spawned: Spawned;
  #answers: Answer[] = [];
  /** Its last answer. */
  last: Answer | undefined;
  #isEnded = false;
  readonly #niceness: number;

  constructor(program: string, niceness: number) {
    this.#spawned = spawned(inOwnSession([process.execPath, program], niceness), { hasChannel: true });
    this.#niceness = niceness;
    this.#spawned.child.on("message", (answer) => {
      this.last = answer as Answer;
      this.#answers.push(this.last);
    });
    // It may end while it is spoken to.
    this.#spawned.child.on("error", () => undefined);
    void this.#spawned.ended.then(() => {
      this.#isEnded = true;
    });
  }

  get pid(): number {
    return this.#spawned.pid;
  }

  send(order: Order): void {
    // By now it has a session of its own.
    if (this.#spawned.child.connected) setNiceness(this.pid, this.#niceness);
    if (this.#spawned.child.connected) this.#spawned.child.send(order as object, () => undefined);
  }

  /** Waits for such an answer; undefined if the process ends or the time is over before. */
  async next(isWanted: (answer: Answer) => boolean, limitMs: number): Promise<Answer | undefined> {
    const endMs = performance.now() + limitMs;
    while (performance.now() < endMs) {
      const found = this.#answers.find(isWanted);
      if (found !== undefined || this.#isEnded) return found;
      await sleep(POLL_MS);
    }
    return undefined;
  }

  async kill(): Promise<void> {
    this.#spawned.child.kill("SIGKILL");
    await this.#spawned.ended;
  }
}
