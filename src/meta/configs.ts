// The values that operators set and clients watch. Every meta node knows who watches what, so that whoever takes the
// lead tells them what they may have missed; only the leader tells anything.

import { fail, type RegistryError } from "../base/errors.ts";
import { textOf } from "../base/text.ts";
import { type ConfigValue, type Member, UNSET_CONFIG_VERSION } from "../cluster/messages/membership.ts";
import type { DataInfoId } from "../model/ids.ts";
import { NO_VERSION, VersionSource } from "../model/version.ts";
import { keyOf } from "./membership.ts";

// A session watches for all its clients; a limit for the whole session only keeps a broken one from filling the memory.
// A watch beyond it is answered and then forgotten.
const WATCHES_MAX = 100_000;

interface Watcher {
  readonly member: Member;
  readonly dataInfoIds: Set<DataInfoId>;
}

/** How much configuration there may be. */
export interface ConfigLimits {
  readonly configValuesMax: number;
  readonly configValueBytesMax: number;
  readonly configBytesMax: number;
}

// A value that was removed leaves its name and version, so that a watcher that was away hears of it.
const REMOVED_PER_VALUE_MAX = 10;

/** Changes that wait for the store. */
interface WaitingValues {
  readonly count: number;
  readonly bytes: number;
}

export class Configs {
  readonly #limits: ConfigLimits;
  readonly #values = new Map<DataInfoId, ConfigValue>();
  readonly #watchers = new Map<string, Watcher>();
  readonly #versions = new VersionSource(NO_VERSION);
  // Of the values that are set.
  #count = 0;
  #bytes = 0;

  constructor(limits: ConfigLimits) {
    this.#limits = limits;
  }

  /** Why this value is not taken, with what is stored and what waits for the store already. */
  refusal(dataInfoId: DataInfoId, data: string | null, waiting: WaitingValues): RegistryError | undefined {
    if (data === null) return undefined;
    const { configValuesMax, configValueBytesMax, configBytesMax } = this.#limits;
    const valueBytes = bytesOf(data);
    if (valueBytes > configValueBytesMax) return fail("CONFIG_VALUE_TOO_LARGE", { valueBytes, configValueBytesMax });
    const known = this.#values.get(dataInfoId);
    const values = this.#count + waiting.count;
    const isNew = (known?.data ?? null) === null;
    const namesMax = configValuesMax * REMOVED_PER_VALUE_MAX;
    const isTooMany = (isNew && values >= configValuesMax) || (known === undefined && this.#values.size >= namesMax);
    if (isTooMany) return fail("CONFIG_VALUES_EXHAUSTED", { values, configValuesMax });
    const bytes = this.#bytes + waiting.bytes + valueBytes - bytesOf(known?.data ?? "");
    if (bytes > configBytesMax) return fail("CONFIG_VALUES_EXHAUSTED", { bytes, configBytesMax });
    return undefined;
  }

  /** What is stored; `undefined` for an id that was never set. */
  value(dataInfoId: DataInfoId): ConfigValue | undefined {
    return this.#values.get(dataInfoId);
  }

  /** What a watcher is told. */
  told(dataInfoId: DataInfoId): ConfigValue {
    return this.#values.get(dataInfoId) ?? { dataInfoId, version: UNSET_CONFIG_VERSION, data: null };
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
    this.#count += (value.data === null ? 0 : 1) - ((known?.data ?? null) === null ? 0 : 1);
    this.#bytes += bytesOf(value.data ?? "") - bytesOf(known?.data ?? "");
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

function bytesOf(data: string): number {
  return textOf(data).utf8.length;
}
