// Whether a client is there: it is asked when it was silent for half of its time, which Nacos' clients never are while
// they work, and counts as frozen at the end of it. A client that does not read its output can't be asked; it is stuck
// if nothing of that has left for the same time.

export class Silence {
  readonly #idleMs: number;
  #heardMs: number;
  #askedMs = Number.NEGATIVE_INFINITY;
  #sentBytes = 0;
  #sentMs: number;

  constructor(idleMs: number, nowMs: number) {
    this.#idleMs = idleMs;
    this.#heardMs = nowMs;
    this.#sentMs = nowMs;
  }

  get heardMs(): number {
    return this.#heardMs;
  }

  heard(nowMs: number): void {
    this.#heardMs = nowMs;
  }

  asked(nowMs: number): void {
    this.#askedMs = nowMs;
  }

  /** Notes how much of the output has left by now. */
  progress(output: { readonly sentBytes: number; readonly bufferedBytes: number }, nowMs: number): void {
    if (output.sentBytes > this.#sentBytes || output.bufferedBytes === 0) this.#sentMs = nowMs;
    this.#sentBytes = output.sentBytes;
  }

  isDueToAsk(nowMs: number): boolean {
    const halfMs = this.#idleMs / 2;
    return nowMs - this.#heardMs >= halfMs && nowMs - this.#askedMs >= halfMs;
  }

  isGone(nowMs: number): boolean {
    return nowMs - this.#heardMs >= this.#idleMs;
  }

  isStuck(nowMs: number): boolean {
    return nowMs - this.#sentMs >= this.#idleMs;
  }

  silentMs(nowMs: number): number {
    return nowMs - this.#heardMs;
  }

  /** This process was away for `awayMs` and can't have heard anything: the time does not count. */
  resumed(awayMs: number, nowMs: number): void {
    this.#heardMs = Math.min(nowMs, this.#heardMs + awayMs);
    this.#sentMs = Math.min(nowMs, this.#sentMs + awayMs);
    this.#askedMs += awayMs;
  }
}
