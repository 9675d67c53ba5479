// Decides when a leading meta node has to read the store: at the beginning of its lead, and whenever the stored state
// may differ from its knowledge. One request is under way at a time, and an answer counts only if it must show the
// change that made the request necessary.

// The delay before a store that could not be read is asked again.
const RETRY_MS = 1_000;

// A statement with an unknown outcome may still be carried out after the read that was to find out. Stores give up
// statements within a few seconds.
const UNCERTAIN_MS = 10_000;

export class Loading {
  #isDone = false;
  #isUnderWay = false;
  #isOutdated = false;
  #atMs = Number.POSITIVE_INFINITY;
  #againAtMs = Number.POSITIVE_INFINITY;

  /** The last read still holds. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** The store must be read, in its present or a later state. */
  need(nowMs: number): void {
    this.#isDone = false;
    this.#isOutdated = this.#isUnderWay;
    this.#atMs = nowMs;
  }

  /** The outcome of a statement is unknown: the store must be read now, and once more when the outcome is certain. */
  needTwice(nowMs: number): void {
    this.need(nowMs);
    this.#againAtMs = nowMs + UNCERTAIN_MS;
  }

  /** True: ask the store now. */
  begin(nowMs: number): boolean {
    if (nowMs >= this.#againAtMs) {
      this.#againAtMs = Number.POSITIVE_INFINITY;
      this.need(nowMs);
    }
    if (this.#isDone || this.#isUnderWay || nowMs < this.#atMs) return false;
    this.#isUnderWay = true;
    this.#isOutdated = false;
    return true;
  }

  /** The store has answered, or failed; returns true if the answer counts. */
  answered(isRead: boolean, nowMs: number): boolean {
    const isAsked = this.#isUnderWay && !this.#isOutdated;
    this.#isUnderWay = false;
    if (!isAsked) return false;
    this.#isDone = isRead;
    if (!isRead) this.#atMs = nowMs + RETRY_MS;
    return isRead;
  }

  nextMs(): number {
    return Math.min(this.#againAtMs, this.#isDone || this.#isUnderWay ? Number.POSITIVE_INFINITY : this.#atMs);
  }
}
