// How many messages of one address are answered over UDP in a second. Senders can't be believed: the host that a
// message names gets the answers, and must not get more of them than a resolver would ask for.

import { addressGroup } from "../../base/addressGroup.ts";

const WINDOW_MS = 1_000;
// A resolver for a large cluster asks some hundreds of times a second; half of a core answers this many.
const MESSAGES_MAX = 5_000;
// As many addresses as are counted apart in one second; others share one count.
const ADDRESSES_MAX = 10_000;

export class AskerShares {
  readonly #counts = new Map<string, number>();
  #windowMs = Number.NEGATIVE_INFINITY;

  /** Counts a message from `ip:port`; false: it is one too many. */
  take(from: string, nowMs: number): boolean {
    if (nowMs >= this.#windowMs + WINDOW_MS) {
      this.#windowMs = nowMs;
      this.#counts.clear();
    }
    const group = addressGroup(from);
    const key = this.#counts.has(group) || this.#counts.size < ADDRESSES_MAX ? group : "";
    const count = this.#counts.get(key) ?? 0;
    this.#counts.set(key, count + 1);
    return count < MESSAGES_MAX;
  }
}
