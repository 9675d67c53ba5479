// Each handshake costs a millisecond of the event loop, whether it ends well or not: an address that begins them one
// after the other must not take all of it. An address has a thousand at once, and then some hundreds a second.

import { addressGroup } from "../../base/addressGroup.ts";

export interface HandshakeLimits {
  /** The most that an address can begin at once: all clients behind one address come back together. */
  readonly atOnceMax: number;
  /** Those that it can begin in a second after that. */
  readonly perSecondMax: number;
}

/** A second of one core, then half of it. */
export const HANDSHAKE_LIMITS: HandshakeLimits = { atOnceMax: 1_000, perSecondMax: 500 };

/** The most addresses that are remembered; the one that began a handshake longest ago is forgotten for a new one. */
const ADDRESSES_MAX = 10_000;

interface Begun {
  /** The handshakes that it may begin at `atMs`. */
  readonly left: number;
  readonly atMs: number;
}

export class HandshakeRate {
  /** The one that began a handshake last stands last. */
  readonly #hosts = new Map<string, Begun>();
  readonly #limits: HandshakeLimits;

  constructor(limits: HandshakeLimits) {
    this.#limits = limits;
  }

  /** Whether this address, `ip:port`, may begin a handshake now; one that may has begun it. */
  begin(address: string, nowMs: number): boolean {
    const host = addressGroup(address);
    const left = this.#leftOf(host, nowMs);
    if (left < 1) return false;
    this.#hosts.delete(host);
    this.#hosts.set(host, { left: left - 1, atMs: nowMs });
    const [oldest] = this.#hosts.keys();
    if (this.#hosts.size > ADDRESSES_MAX && oldest !== undefined) this.#hosts.delete(oldest);
    return true;
  }

  #leftOf(host: string, nowMs: number): number {
    const { atOnceMax, perSecondMax } = this.#limits;
    const begun = this.#hosts.get(host);
    if (begun === undefined) return atOnceMax;
    const seconds = Math.max(0, nowMs - begun.atMs) / 1_000;
    return Math.min(atOnceMax, begun.left + seconds * perSecondMax);
  }
}
