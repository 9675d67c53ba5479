// Long polls: a client by HTTP names the configurations that it has, with their digests, and is answered when one of
// them is another, or with nothing when its time is over.

import { fail } from "../../../base/errors.ts";
import type { ConfigKey } from "./configKey.ts";
import { pathOf } from "./configKey.ts";
import type { Asker, ConfigStore } from "./configStore.ts";

/** A configuration as a client has it; `words` are what it is answered with. */
export interface Polled {
  readonly key: ConfigKey;
  readonly md5: string;
  readonly words: string;
}

export interface Poll {
  readonly polled: readonly Polled[];
  readonly asker: Asker;
  readonly untilMs: number;
  /** Called once with the words of those that have changed; empty: none. */
  readonly answer: (changed: readonly string[]) => void;
}

// Each is a connection, which has its own bound.
const POLLS_MAX = 50_000;

export class LongPolls {
  readonly #store: ConfigStore;
  readonly #polls = new Set<Poll>();
  /** The polls of each configuration, by its path. */
  readonly #byPath = new Map<string, Set<Poll>>();

  constructor(store: ConfigStore) {
    this.#store = store;
  }

  /** Answers at once if something has changed. Returns what to call when the caller goes away. Throws OVERLOADED. */
  add(poll: Poll): () => void {
    if (this.#changedOf(poll).length > 0) {
      this.#answer(poll);
      return () => undefined;
    }
    if (this.#polls.size >= POLLS_MAX) throw fail("OVERLOADED", { longPolls: this.#polls.size });
    this.#polls.add(poll);
    for (const { key } of poll.polled) {
      const path = pathOf(key);
      const polls = this.#byPath.get(path) ?? new Set<Poll>();
      polls.add(poll);
      this.#byPath.set(path, polls);
    }
    return () => this.#remove(poll);
  }

  /** These have changed. */
  changed(keys: ReadonlyMap<string, ConfigKey>): void {
    const polls = new Set<Poll>();
    for (const path of keys.keys()) for (const poll of this.#byPath.get(path) ?? []) polls.add(poll);
    for (const poll of polls) if (this.#changedOf(poll).length > 0) this.#answer(poll);
  }

  /** The clients that wait for a configuration, with the digest that they have named, by their addresses. */
  listenersOf(key: ConfigKey): ReadonlyMap<string, string> {
    const path = pathOf(key);
    const listeners = new Map<string, string>();
    for (const { asker, polled } of this.#byPath.get(path) ?? []) {
      listeners.set(asker.ip, polled.find((each) => pathOf(each.key) === path)?.md5 ?? "");
    }
    return listeners;
  }

  /** The configurations that the clients at an address wait for. */
  *listenedAt(address: string): Generator<readonly [path: string, md5: string], void> {
    for (const { asker, polled } of this.#polls) {
      if (asker.ip === address) for (const { key, md5 } of polled) yield [pathOf(key), md5];
    }
  }

  /** Called twice a second. */
  check(nowMs: number): void {
    for (const poll of this.#polls) if (poll.untilMs <= nowMs) this.#answer(poll);
  }

  #changedOf({ polled, asker }: Poll): readonly string[] {
    return polled.flatMap(({ key, md5, words }) => (this.#store.md5Shown(key, asker) === md5 ? [] : [words]));
  }

  #answer(poll: Poll): void {
    this.#remove(poll);
    poll.answer(this.#changedOf(poll));
  }

  #remove(poll: Poll): void {
    if (!this.#polls.delete(poll)) return;
    for (const { key } of poll.polled) {
      const path = pathOf(key);
      const polls = this.#byPath.get(path);
      polls?.delete(poll);
      if (polls?.size === 0) this.#byPath.delete(path);
    }
  }
}
