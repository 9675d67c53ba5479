// How far long work is, on standard error: one line that is written over on a terminal, else a line now and then.

import { visible } from "../base/visible.ts";

// Enough to see that it goes on, and few lines in the log of a script.
const LINE_MS = 5_000;

export class Progress {
  readonly #isTerminal = process.stderr.isTTY === true;
  #writtenMs = Number.NEGATIVE_INFINITY;
  #last = "";

  report(text: string): void {
    if (text === this.#last) return;
    const nowMs = performance.now();
    if (this.#isTerminal) process.stderr.write(`\r\x1b[K${visible(text)}`);
    else if (nowMs >= this.#writtenMs + LINE_MS) console.error(`roster: ${visible(text)}`);
    else return;
    this.#writtenMs = nowMs;
    this.#last = text;
  }

  /** Removes the line of a terminal. May be called twice. */
  end(): void {
    if (this.#isTerminal && this.#last !== "") process.stderr.write("\r\x1b[K");
    this.#last = "";
  }
}
