// Compares the registrations of two nodes without sending them: each keeps a sum over its registrations, updated with
// every change, in any order.

import type { ServiceKey } from "./ids.ts";
import type { Stamp } from "./publication.ts";

/** The fields in a digest: the registration and its state. */
export interface DigestedRegistration extends Stamp {
  readonly serviceKey: ServiceKey;
  readonly registId: string;
}

const LANE_BITS = 32n;
const LOW_MASK = 0xffff_ffffn;
const TWO_POWER_32 = 2 ** 32;

/** A sum of 64-bit hashes: equal for equal sets, and for different ones with a chance of 1 in 2^64. */
export class RegistrationDigest {
  #count = 0;
  #high = 0;
  #low = 0;

  get count(): number {
    return this.#count;
  }

  get value(): bigint {
    return (BigInt(this.#high) << LANE_BITS) | BigInt(this.#low);
  }

  add(registration: DigestedRegistration): void {
    this.#count++;
    this.#sum(registration, 1);
  }

  /** Takes out a registration that was added in exactly this state. */
  remove(registration: DigestedRegistration): void {
    this.#count--;
    this.#sum(registration, -1);
  }

  // Two lanes of 32 bits, since a product of larger numbers is slow; the mixing is that of MurmurHash3.
  #sum({ serviceKey, registId, version, registeredMs }: DigestedRegistration, sign: 1 | -1): void {
    let high = 0x9747b28c;
    let low = 0x3c6ef372;
    for (const text of [registId, serviceKey]) {
      for (let at = 0; at < text.length; at++) {
        const unit = text.charCodeAt(at);
        high = Math.imul(high ^ unit, 0x85ebca6b);
        low = Math.imul(low ^ unit, 0xc2b2ae35);
      }
      high = mixed(high, text.length);
      low = mixed(low, text.length);
    }
    // Clients count their changes, so nearly all versions are small, and arithmetic on bigints allocates.
    const small = Number(version);
    const isSmall = small <= Number.MAX_SAFE_INTEGER;
    const words = [
      isSmall ? small % TWO_POWER_32 : Number(version & LOW_MASK),
      isSmall ? small / TWO_POWER_32 : Number((version >> LANE_BITS) & LOW_MASK),
      registeredMs % TWO_POWER_32,
      registeredMs / TWO_POWER_32,
    ];
    for (const word of words) {
      high = mixed(high, word);
      low = mixed(low ^ high, word);
    }
    this.#high = (this.#high + sign * (high >>> 0)) >>> 0;
    this.#low = (this.#low + sign * (low >>> 0)) >>> 0;
  }
}

function mixed(hash: number, word: number): number {
  let h = hash ^ word;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
