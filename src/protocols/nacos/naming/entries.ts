// The instances of one registration, in little memory: a node holds one registration for every client and service, and
// nearly all of them have one instance.

import { defined } from "../../../base/assert.ts";
import { unpackInstance } from "../../../model/instance.ts";
import type { Payload } from "../../../model/payload.ts";
import { fromInstance, type NacosInstance } from "./instance.ts";

/** An instance of a registration, and the id of its publication. */
export interface Entry {
  /** The publication's id, unless that is another client's. */
  readonly address: string;
  readonly registId: string;
  /** The instance in its client's words, packed: the same bytes as the publication's while operators want no others. */
  readonly payload: Payload;
  readonly appName: string;
}

/** The instance of an entry, in its client's words. */
export function instanceOf({ payload }: Entry): NacosInstance {
  return fromInstance(defined(unpackInstance(payload), "an entry holds a packed instance"));
}

/** Entries by their addresses, in the order in which these came. */
export class Entries {
  #entries: Entry | Map<string, Entry> | undefined;

  get size(): number {
    if (this.#entries === undefined) return 0;
    return this.#entries instanceof Map ? this.#entries.size : 1;
  }

  get(address: string): Entry | undefined {
    const entries = this.#entries;
    if (entries instanceof Map) return entries.get(address);
    return entries?.address === address ? entries : undefined;
  }

  /** Adds an entry, in place of that of its address. */
  set(entry: Entry): void {
    const entries = this.#entries;
    if (entries instanceof Map) entries.set(entry.address, entry);
    else if (entries === undefined || entries.address === entry.address) this.#entries = entry;
    else this.#entries = new Map([entries, entry].map((each) => [each.address, each]));
  }

  delete(address: string): void {
    if (this.#entries instanceof Map) this.#entries.delete(address);
    else if (this.#entries?.address === address) this.#entries = undefined;
  }

  /** A copy: entries may come and go meanwhile. */
  all(): Entry[] {
    const entries = this.#entries;
    if (entries instanceof Map) return [...entries.values()];
    return entries === undefined ? [] : [entries];
  }
}
