// When a leading meta node has to read the store: at the beginning of its lead, and whenever what is stored may differ
// from what it knows. One question is under way at a time, and an answer that may not show what made it necessary to
// ask does not count.

// A store that could not be read is asked again after this.
const RETRY_MS = 1_000;

// A statement whose outcome is not known may still be carried out later than what was read to find out. Stores give
// statements up within a few seconds.
const UNCERTAIN_MS = 10_000;

export class Loading {
  #isDone = false;
  #isUnderWay = false;
  #isOutdated = false;
  #atMs = Number.POSITIVE_INFINITY;
  #againAtMs = Number.POSITIVE_INFINITY;

  /** What was read still holds. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** The store is to be read, as it is now or later. */
  need(nowMs: number): void {
    this.#isDone = false;
    this.#isOutdated = this.#isUnderWay;
    this.#atMs = nowMs;
  }

  /** It is not known what became of a statement: the store is to be read now, and once more when that is certain. */
  needTwice(nowMs: number): void {
    this.need(nowMs);
    this.#againAtMs = nowMs + UNCERTAIN_MS;
  }

  /** True: the store is to be asked now. */
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

  /** The store has answered, or failed; true if what it said counts. */
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
