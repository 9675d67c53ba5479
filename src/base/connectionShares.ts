// Shares a bounded number of connections among addresses: an address never gets more than are still free. So a single
// address gets half of all, two get a third each, and a newcomer always finds some, without a number that an operator
// would have to choose.

import { addressGroup } from "./addressGroup.ts";

/** The reason why a connection is refused; `undefined` if it is accepted. */
export type ShareRefusal = "CONNECTIONS_EXHAUSTED" | "ADDRESS_CONNECTIONS_EXHAUSTED";

export class ConnectionShares {
  readonly #max: () => number;
  readonly #held = new Map<string, number>();
  #size = 0;

  /** `max` is called each time: several ports may share a number of connections. */
  constructor(max: () => number) {
    this.#max = max;
  }

  get size(): number {
    return this.#size;
  }

  /** The numbers behind a refusal of this address. */
  explain(address: string): { readonly fromAddress: number; readonly open: number; readonly connectionsMax: number } {
    const fromAddress = this.#held.get(addressGroup(address)) ?? 0;
    return { fromAddress, open: this.#size, connectionsMax: this.#max() };
  }

  /** Counts a connection from this address, unless it is one too many. */
  take(address: string): ShareRefusal | undefined {
    const max = this.#max();
    if (this.#size >= max) return "CONNECTIONS_EXHAUSTED";
    const holder = addressGroup(address);
    const held = this.#held.get(holder) ?? 0;
    if (held >= max - this.#size) return "ADDRESS_CONNECTIONS_EXHAUSTED";
    this.#held.set(holder, held + 1);
    this.#size++;
    return undefined;
  }

  /** An accepted connection is gone. */
  release(address: string): void {
    const holder = addressGroup(address);
    const held = this.#held.get(holder) ?? 0;
    if (held === 0) return;
    if (held === 1) this.#held.delete(holder);
    else this.#held.set(holder, held - 1);
    this.#size--;
  }
}
