// When a client that says nothing is asked whether it is there, and when it counts as gone. Bolt's heartbeats work in
// both directions: a client that was silent for five seconds is sent one, and again every five seconds. It has fifteen
// seconds from the first unanswered one, so that a pause of that length is survived (a full collection, a snapshot of
// its machine), and a frozen client goes after some twenty. That holds for clients that have answered before. MOSN's of
// 2018 is known not to answer everything; a client that never did gets the original's patience.

export interface SilenceOptions {
  readonly clientProbeMs: number;
  readonly clientIdleMs: number;
  readonly clientMuteIdleMs: number;
}

export class SilenceWatch {
  readonly #options: SilenceOptions;
  readonly #askAfterMs: number;
  #heardMs: number;
  /** The first question after which nothing was heard, and the last question of all. */
  #askedMs = Number.POSITIVE_INFINITY;
  #lastAskedMs = Number.NEGATIVE_INFINITY;
  #hasSpoken = false;
  #hasAnswered = false;

  constructor(options: SilenceOptions, nowMs: number) {
    this.#options = options;
    // Somebody who wants a silent client gone sooner than by default wants it asked sooner too.
    this.#askAfterMs = Math.min(options.clientProbeMs, options.clientIdleMs / 4);
    this.#heardMs = nowMs;
  }

  /** It has answered a question on this connection. */
  get hasAnswered(): boolean {
    return this.#hasAnswered;
  }

  /** When something was last heard. */
  get heardMs(): number {
    return this.#heardMs;
  }

  silentMs(nowMs: number): number {
    return nowMs - this.#heardMs;
  }

  /** Something was read from the client, or it has read what waited for it. */
  heard(nowMs: number): void {
    this.#heardMs = nowMs;
    this.#askedMs = Number.POSITIVE_INFINITY;
  }

  /** It has sent a whole frame: it is a client. True for the first one. */
  spoke(): boolean {
    const isFirst = !this.#hasSpoken;
    this.#hasSpoken = true;
    return isFirst;
  }

  /** It has answered a question. */
  answered(): void {
    this.#hasAnswered = true;
  }

  /**
   * Whether it is to be asked now. Each client is asked once as soon as it has spoken: whether it answers must be known
   * before it is in trouble.
   */
  isDueToAsk(nowMs: number): boolean {
    if (!this.#hasSpoken) return false;
    if (this.#lastAskedMs === Number.NEGATIVE_INFINITY) return true;
    return this.silentMs(nowMs) >= this.#askAfterMs && nowMs - this.#lastAskedMs >= this.#askAfterMs;
  }

  asked(nowMs: number): void {
    this.#lastAskedMs = nowMs;
    this.#askedMs = Math.min(this.#askedMs, nowMs);
  }

  /** How long it may be silent: one that never answers for longer than one that does, or that was never a client. */
  get patienceMs(): number {
    const { clientIdleMs, clientMuteIdleMs } = this.#options;
    return this.#hasSpoken && !this.#hasAnswered ? Math.max(clientMuteIdleMs, clientIdleMs) : clientIdleMs;
  }

  /** Whether it has been silent for too long, and was asked in time if it answers. */
  isGone(nowMs: number): boolean {
    if (this.silentMs(nowMs) < this.patienceMs) return false;
    return !this.#hasAnswered || nowMs - this.#askedMs >= this.#options.clientIdleMs - this.#askAfterMs;
  }

  /** This process was away for so long and can't have heard anything: the time does not count. */
  pardon(awayMs: number, nowMs: number): void {
    this.#heardMs = Math.min(nowMs, this.#heardMs + awayMs);
    this.#askedMs += awayMs;
    this.#lastAskedMs += awayMs;
  }
}
