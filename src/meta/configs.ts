// The values that operators set and clients watch. Every meta node knows who watches what, so that whoever takes the
// lead tells them what they may have missed; only the leader tells anything.

import type { ConfigValue, Member } from "../messages/membership.ts";
import type { DataInfoId } from "../model/ids.ts";
import { NO_VERSION, VersionSource } from "../model/version.ts";
import { keyOf } from "./membership.ts";

// A session watches for all its clients; a limit for the whole session only keeps a broken one from filling the memory.
// A watch beyond it is answered and then forgotten.
const WATCHES_MAX = 100_000;

// A value that nobody has set is older than every value: always the same version, so that it is told once.
const UNSET_VERSION = NO_VERSION + 1n;

interface Watcher {
  readonly member: Member;
  readonly dataInfoIds: Set<DataInfoId>;
}

export class Configs {
  readonly #values = new Map<DataInfoId, ConfigValue>();
  readonly #watchers = new Map<string, Watcher>();
  readonly #versions = new VersionSource(NO_VERSION);

  /** What is stored; `undefined` for an id that was never set. */
  value(dataInfoId: DataInfoId): ConfigValue | undefined {
    return this.#values.get(dataInfoId);
  }

  /** What a watcher is told. */
  told(dataInfoId: DataInfoId): ConfigValue {
    return this.#values.get(dataInfoId) ?? { dataInfoId, version: UNSET_VERSION, data: null };
  }

  /**
   * Takes what the store holds: the values that are new. One that is known to be newer stays, it was saved after the
   * store was read.
   */
  load(values: Iterable<ConfigValue>): ConfigValue[] {
    return [...values].filter((value) => {
      this.#versions.raise(value.version);
      return this.saved(value);
    });
  }

  /** A value to store, newer than every one before it, whatever this machine's clock says. */
  next(dataInfoId: DataInfoId, data: string | null, nowMs: number): ConfigValue {
    // The store has one value of each, whoever leads: nobody else gives versions.
    return { dataInfoId, version: this.#versions.next(nowMs, 0n), data };
  }

  /** The store has the value. False if it has a newer one already. */
  saved(value: ConfigValue): boolean {
    const known = this.#values.get(value.dataInfoId);
    if (known !== undefined && known.version >= value.version) return false;
    this.#values.set(value.dataInfoId, value);
    return true;
  }

  watch(member: Member, dataInfoIds: readonly DataInfoId[]): void {
    const key = keyOf(member);
    const watcher = this.#watchers.get(key) ?? { member, dataInfoIds: new Set() };
    this.#watchers.set(key, watcher);
    for (const dataInfoId of dataInfoIds) {
      if (watcher.dataInfoIds.size < WATCHES_MAX) watcher.dataInfoIds.add(dataInfoId);
    }
  }

  unwatch(member: Member, dataInfoIds: readonly DataInfoId[]): void {
    const watched = this.#watchers.get(keyOf(member))?.dataInfoIds;
    for (const dataInfoId of dataInfoIds) watched?.delete(dataInfoId);
    if (watched?.size === 0) this.#watchers.delete(keyOf(member));
  }

  /** The member is gone. */
  ended(member: Member): void {
    this.#watchers.delete(keyOf(member));
  }

  /** Who watches a value. */
  watchersOf(dataInfoId: DataInfoId): Member[] {
    return [...this.#watchers.values()]
      .filter((watcher) => watcher.dataInfoIds.has(dataInfoId))
      .map(({ member }) => member);
  }

  /** Everybody who watches anything, with what. */
  watchers(): Iterable<Watcher> {
    return this.#watchers.values();
  }
}
