// Decides when a silent client is asked whether it is there, and when it counts as gone. Bolt's heartbeats work in both
// directions: after five seconds of silence a client is sent one, and again every five seconds. It has fifteen seconds
// from the first unanswered one, so that it survives a pause of that length (a full collection, a snapshot of its
// machine), and a frozen client goes after some twenty. That holds for clients that have answered before. MOSN's client
// of 2018 does not answer everything; a client that never answered gets the original's patience.

export interface SilenceOptions {
  readonly clientProbeMs: number;
  readonly clientIdleMs: number;
  readonly clientMuteIdleMs: number;
}

export class SilenceWatch {
  readonly #options: SilenceOptions;
  readonly #askAfterMs: number;
  #heardMs: number;
  /** The time of the first unanswered question, and of the last question of all. */
  #askedMs = Number.POSITIVE_INFINITY;
  #lastAskedMs = Number.NEGATIVE_INFINITY;
  #hasSpoken = false;
  #hasAnswered = false;

  constructor(options: SilenceOptions, nowMs: number) {
    this.#options = options;
    // An operator who wants a silent client gone sooner than by default also wants it asked sooner.
    this.#askAfterMs = Math.min(options.clientProbeMs, options.clientIdleMs / 4);
    this.#heardMs = nowMs;
  }

  /** The client has answered a question on this connection. */
  get hasAnswered(): boolean {
    return this.#hasAnswered;
  }

  /** The time of the last sign of life. */
  get heardMs(): number {
    return this.#heardMs;
  }

  silentMs(nowMs: number): number {
    return nowMs - this.#heardMs;
  }

  /** Something was read from the client, or the client has read waiting output. */
  heard(nowMs: number): void {
    this.#heardMs = nowMs;
    this.#askedMs = Number.POSITIVE_INFINITY;
  }

  /** The connection has sent a whole frame, so it is a client. True for the first frame. */
  markSpoken(): boolean {
    const isFirst = !this.#hasSpoken;
    this.#hasSpoken = true;
    return isFirst;
  }

  /** The client has answered a question. */
  answered(): void {
    this.#hasAnswered = true;
  }

  /**
   * Whether to ask it now. Each client is asked once as soon as it has spoken: whether it answers must be known before
   * it is in trouble.
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

  /**
   * The time that it may be silent: longer for a client that never answers than for one that does, or that was never a
   * client.
   */
  get patienceMs(): number {
    const { clientIdleMs, clientMuteIdleMs } = this.#options;
    return this.#hasSpoken && !this.#hasAnswered ? Math.max(clientMuteIdleMs, clientIdleMs) : clientIdleMs;
  }

  /** Whether it has been silent for too long, and was asked in time if it answers. */
  isGone(nowMs: number): boolean {
    if (this.silentMs(nowMs) < this.patienceMs) return false;
    return !this.#hasAnswered || nowMs - this.#askedMs >= this.#options.clientIdleMs - this.#askAfterMs;
  }

  /** This process was away for `awayMs` and can't have heard anything: the time does not count. */
  resumed(awayMs: number, nowMs: number): void {
    this.#heardMs = Math.min(nowMs, this.#heardMs + awayMs);
    this.#askedMs += awayMs;
    this.#lastAskedMs += awayMs;
  }
}
