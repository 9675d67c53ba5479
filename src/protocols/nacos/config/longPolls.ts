// Long polls: a client by HTTP names the configurations that it has, with their digests, and is answered when one of
// them is another, or with nothing when its time is over.

import { type Account, type Budget, CHARGE } from "../../../base/budget.ts";
import { fail } from "../../../base/errors.ts";
import { type ConfigKey, pathOf } from "./configKey.ts";
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
// The entry here, with the longest part of it, the words. Those of three thousand configurations take a megabyte.
const POLLED_BYTES = 400;

export class LongPolls {
  readonly #store: Pick<ConfigStore, "md5Shown">;
  readonly #budget: Pick<Budget, "open">;
  /** Each with the account that is charged for it. */
  readonly #polls = new Map<Poll, Account>();
  /** The polls of each configuration, by its path. */
  readonly #byPath = new Map<string, Map<Poll, Polled>>();

  constructor(store: Pick<ConfigStore, "md5Shown">, budget: Pick<Budget, "open">) {
    this.#store = store;
    this.#budget = budget;
  }

  /**
   * Answers at once if something has changed. Returns what to call when the caller goes away. Throws OVERLOADED, or the
   * refusal of the budget.
   */
  add(poll: Poll): () => void {
    const { polled, asker } = poll;
    const changed = this.#changedOf(poll);
    if (changed.length > 0) {
      poll.answer(changed);
      return () => undefined;
    }
    if (this.#polls.size >= POLLS_MAX) throw fail("OVERLOADED", { longPolls: this.#polls.size });
    const account = this.#budget.open(asker.ip);
    const refusal = account.charge(CHARGE.configWatches, polled.length * POLLED_BYTES);
    if (refusal !== undefined) {
      account.close();
      throw refusal;
    }
    this.#polls.set(poll, account);
    for (const each of polled) {
      const path = pathOf(each.key);
      const polls = this.#byPath.get(path) ?? new Map<Poll, Polled>();
      polls.set(poll, each);
      this.#byPath.set(path, polls);
    }
    return () => this.#remove(poll);
  }

  /** These have changed. */
  changed(keys: ReadonlyMap<string, ConfigKey>): void {
    const polls = new Set<Poll>();
    for (const path of keys.keys()) {
      for (const [poll, { key, md5 }] of this.#byPath.get(path) ?? []) {
        if (this.#store.md5Shown(key, poll.asker) !== md5) polls.add(poll);
      }
    }
    for (const poll of polls) this.#answer(poll);
  }

  /** The clients that wait for a configuration, with the digest that they have named, by their addresses. */
  listenersOf(key: ConfigKey): ReadonlyMap<string, string> {
    const polls = this.#byPath.get(pathOf(key)) ?? [];
    return new Map([...polls].map(([{ asker }, { md5 }]) => [asker.ip, md5]));
  }

  /** The configurations that the clients at an address wait for. */
  *listenedAt(address: string): Generator<readonly [path: string, md5: string], void> {
    for (const { asker, polled } of this.#polls.keys()) {
      if (asker.ip === address) for (const { key, md5 } of polled) yield [pathOf(key), md5];
    }
  }

  /** Called twice a second. */
  check(nowMs: number): void {
    for (const poll of this.#polls.keys()) if (poll.untilMs <= nowMs) this.#answer(poll);
  }

  #changedOf({ polled, asker }: Poll): readonly string[] {
    return polled.flatMap(({ key, md5, words }) => (this.#store.md5Shown(key, asker) === md5 ? [] : [words]));
  }

  #answer(poll: Poll): void {
    this.#remove(poll);
    poll.answer(this.#changedOf(poll));
  }

  #remove(poll: Poll): void {
    const account = this.#polls.get(poll);
    if (account === undefined) return;
    this.#polls.delete(poll);
    account.release(CHARGE.configWatches, poll.polled.length * POLLED_BYTES);
    account.close();
    for (const { key } of poll.polled) {
      const path = pathOf(key);
      const polls = this.#byPath.get(path);
      polls?.delete(poll);
      if (polls?.size === 0) this.#byPath.delete(path);
    }
  }
}
