// Blocking queries wait for topics, each with an index that only grows. A topic is a service, a key, or all of a
// kind; the index is that of its last change, as the cluster counts it, so that it is the same at every node.

/** The index of what never changed: never 0, and clients take 1 for a server that has no leader yet. */
export const FIRST_INDEX = 2n;

// Topics of services and keys that are gone are kept, since a client may wait with their last index.
const TOPICS_MAX = 200_000;

export class Topics {
  readonly #indexes = new Map<string, bigint>();
  readonly #changed: (topic: string) => void;
  /** The highest index of a topic that was forgotten. */
  #floor = FIRST_INDEX;

  /** `changed` is called after each change of an index. */
  constructor(changed: (topic: string) => void) {
    this.#changed = changed;
  }

  /** The index of the topics together. */
  index(topics: readonly string[]): bigint {
    let highest = FIRST_INDEX;
    for (const topic of topics) {
      const index = this.#indexes.get(topic) ?? FIRST_INDEX;
      if (index > highest) highest = index;
    }
    return highest;
  }

  /** Something of the topic has changed; `index` is the change's own, which may be below that of an earlier one. */
  bump(topic: string, index: bigint): void {
    const known = this.#indexes.get(topic) ?? this.#floor;
    // Deleting first puts the topic behind all others: the oldest change is forgotten first.
    this.#indexes.delete(topic);
    this.#indexes.set(topic, index > known ? index : known + 1n);
    this.#forget();
    this.#changed(topic);
  }

  #forget(): void {
    if (this.#indexes.size <= TOPICS_MAX) return;
    const [oldest] = this.#indexes;
    if (oldest === undefined) return;
    this.#indexes.delete(oldest[0]);
    if (oldest[1] > this.#floor) this.#floor = oldest[1];
  }
}
