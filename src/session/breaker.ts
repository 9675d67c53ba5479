// Holds back pushes to a client that no longer answers them, though it did before: after some pushes in a row without
// an answer nothing is sent for a while, and then one push on trial. Without an answer to that one the pause is twice
// as long; at any answer, a late one too, the pusher drops the breaker.

// More than a lost push or two, and few enough that a frozen client is not sent everything again and again.
const FAILURES_MAX = 5;
const PAUSE_MS_MIN = 5_000;
const PAUSE_MS_MAX = 60_000;

export class Breaker {
  #failures = 0;
  #pauseMs = 0;
  #trialMs = 0;
  #isTrying = false;

  /** Pushes are held back. */
  get isOpen(): boolean {
    return this.#pauseMs > 0;
  }

  /** The time of the next push on trial; Infinity while one is under way. */
  get trialMs(): number {
    return this.#isTrying ? Number.POSITIVE_INFINITY : this.#trialMs;
  }

  /** Whether a push may go now. */
  allows(nowMs: number): boolean {
    return !this.isOpen || nowMs >= this.trialMs;
  }

  /** A push that `allows` permitted was sent. */
  sent(): void {
    if (this.isOpen) this.#isTrying = true;
  }

  /** A push was not answered in time. */
  failed(nowMs: number): void {
    this.#failures++;
    // Pushes that were under way when the breaker opened tell nothing new.
    if (this.isOpen ? !this.#isTrying : this.#failures < FAILURES_MAX) return;
    this.#isTrying = false;
    this.#pauseMs = Math.min(Math.max(PAUSE_MS_MIN, 2 * this.#pauseMs), PAUSE_MS_MAX);
    this.#trialMs = nowMs + this.#pauseMs;
  }
}
