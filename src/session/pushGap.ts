// Paces a service that changes all the time. An isolated change goes out at once. While changes follow each other, each
// push begins a longer gap than the last, in which changes are gathered: 50 ms, 75, 113 and so on, up to
// push-window-max-ms, so fifty changes 100 ms apart reach a client in a dozen pushes. When nothing has changed for half
// a second the burst is over: the gathered changes go out, and the next change is an isolated one.

// The distance between neighbouring changes of a roll-out or storm. An operator who looks at the effect of one change
// before making the next is slower, so each of these changes goes out at once.
const QUIET_MS = 500;
const FIRST_GAP_MS = 50;
const GROWTH = 1.5;

export class PushGap {
  #gapMs = 0;
  #endMs = 0;
  #changedMs = 0;

  /** The time until which changes are gathered. */
  get endMs(): number {
    return Math.min(this.#endMs, this.#changedMs + QUIET_MS);
  }

  /** The list has changed. */
  changed(nowMs: number): void {
    if (nowMs - this.#changedMs >= QUIET_MS) {
      this.#gapMs = 0;
      this.#endMs = 0;
    }
    this.#changedMs = nowMs;
  }

  /** The changes have been pushed. */
  begin(nowMs: number, gapMsMax: number): void {
    this.#gapMs = Math.min(Math.max(FIRST_GAP_MS, this.#gapMs * GROWTH), gapMsMax);
    this.#endMs = nowMs + this.#gapMs;
  }
}
