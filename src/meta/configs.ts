// The values that operators set and clients watch. Every meta node knows the watchers of each value, so that a new
// leader tells them the changes that they may have missed; only the leader tells anything.

import { fail, type RegistryError } from "../base/errors.ts";
import { textOf } from "../base/text.ts";
import { type ConfigValue, type Member, UNSET_CONFIG_VERSION } from "../cluster/messages/membership.ts";
import type { ServiceKey } from "../model/ids.ts";
import { NO_VERSION, VersionSource } from "../model/version.ts";
import { keyOf } from "./membership.ts";

// A session watches for all its clients; this limit for a whole session only keeps a broken one from filling the
// memory. A watch beyond it is answered and then forgotten.
const WATCHES_MAX = 100_000;

interface Watcher {
  readonly member: Member;
  readonly serviceKeys: Set<ServiceKey>;
}

/** The bounds of the configuration. */
export interface ConfigLimits {
  readonly configValuesMax: number;
  readonly configValueBytesMax: number;
  readonly configBytesMax: number;
}

// A removed value leaves its name and version, so that a watcher that was away hears of the removal.
const REMOVED_PER_VALUE_MAX = 10;

/** An operator's request to set a value, or to remove it. */
export interface Put {
  readonly serviceKey: ServiceKey;
  readonly data: string | null;
  /** The version that the value must have when the change is begun. */
  readonly ifVersion?: bigint;
}

// Waiting values are not measured exactly: a UTF-16 unit takes at most three bytes.
const UNIT_BYTES_MAX = 3;

export class Configs {
  readonly #limits: ConfigLimits;
  readonly #values = new Map<ServiceKey, ConfigValue>();
  readonly #watchers = new Map<string, Watcher>();
  readonly #versions = new VersionSource(NO_VERSION);
  // The number of values that are set.
  #count = 0;
  #bytes = 0;

  constructor(limits: ConfigLimits) {
    this.#limits = limits;
  }

  /** The reason why this value is not taken, given the stored values and those that wait for the store. */
  refusal({ serviceKey, data }: Put, toCome: readonly Put[]): RegistryError | undefined {
    const waiting = { count: toCome.length, bytes: toCome.reduce((sum, put) => sum + bytesMaxOf(put), 0) };
    if (data === null) return undefined;
    const { configValuesMax, configValueBytesMax, configBytesMax } = this.#limits;
    const valueBytes = bytesOf(data);
    if (valueBytes > configValueBytesMax) return fail("CONFIG_VALUE_TOO_LARGE", { valueBytes, configValueBytesMax });
    const known = this.#values.get(serviceKey);
    const values = this.#count + waiting.count;
    const isNew = (known?.data ?? null) === null;
    const namesMax = configValuesMax * REMOVED_PER_VALUE_MAX;
    const isTooMany = (isNew && values >= configValuesMax) || (known === undefined && this.#values.size >= namesMax);
    if (isTooMany) return fail("CONFIG_VALUES_EXHAUSTED", { values, configValuesMax });
    const bytes = this.#bytes + waiting.bytes + valueBytes - bytesOf(known?.data ?? "");
    if (bytes > configBytesMax) return fail("CONFIG_VALUES_EXHAUSTED", { bytes, configBytesMax });
    return undefined;
  }

  /**
   * The reason why a change on the condition that the value has this version is not made; undefined if it is. A value
   * that was never set, or was removed, has version 0.
   */
  conflict({ serviceKey, ifVersion }: Put): RegistryError | undefined {
    if (ifVersion === undefined) return undefined;
    const known = this.#values.get(serviceKey);
    const version = known === undefined || known.data === null ? 0n : known.version;
    return version === ifVersion ? undefined : fail("VERSION_CONFLICT", { key: serviceKey, ifVersion, version });
  }

  /** All values, also those that were removed. */
  values(): Iterable<ConfigValue> {
    return this.#values.values();
  }

  /** The stored value; `undefined` for an id that was never set. */
  value(serviceKey: ServiceKey): ConfigValue | undefined {
    return this.#values.get(serviceKey);
  }

  /** The value for a watcher. */
  valueToTell(serviceKey: ServiceKey): ConfigValue {
    return this.#values.get(serviceKey) ?? { serviceKey, version: UNSET_CONFIG_VERSION, data: null };
  }

  /**
   * Takes the stored values and returns the new ones. A value known to be newer stays: it was saved after the store was
   * read.
   */
  load(values: Iterable<ConfigValue>): ConfigValue[] {
    return [...values].filter((value) => {
      this.#versions.raise(value.version);
      return this.saved(value);
    });
  }

  /** A value to store, newer than every one before it, whatever this machine's clock shows. */
  next({ serviceKey, data }: Put, nowMs: number): ConfigValue {
    // The store has one value of each, under any leader: only leaders give versions.
    return { serviceKey, version: this.#versions.next(nowMs, 0n), data };
  }

  /** The store has the value. Returns false if a newer one is already known. */
  saved(value: ConfigValue): boolean {
    const known = this.#values.get(value.serviceKey);
    if (known !== undefined && known.version >= value.version) return false;
    this.#values.set(value.serviceKey, value);
    this.#count += (value.data === null ? 0 : 1) - ((known?.data ?? null) === null ? 0 : 1);
    this.#bytes += bytesOf(value.data ?? "") - bytesOf(known?.data ?? "");
    return true;
  }

  watch(member: Member, serviceKeys: readonly ServiceKey[]): void {
    const key = keyOf(member);
    const watcher = this.#watchers.get(key) ?? { member, serviceKeys: new Set() };
    this.#watchers.set(key, watcher);
    for (const serviceKey of serviceKeys) {
      if (watcher.serviceKeys.size < WATCHES_MAX) watcher.serviceKeys.add(serviceKey);
    }
  }

  unwatch(member: Member, serviceKeys: readonly ServiceKey[]): void {
    const watched = this.#watchers.get(keyOf(member))?.serviceKeys;
    for (const serviceKey of serviceKeys) watched?.delete(serviceKey);
    if (watched?.size === 0) this.#watchers.delete(keyOf(member));
  }

  /** The member is gone. */
  ended(member: Member): void {
    this.#watchers.delete(keyOf(member));
  }

  /** The watchers of a value. */
  watchersOf(serviceKey: ServiceKey): Member[] {
    return [...this.#watchers.values()]
      .filter((watcher) => watcher.serviceKeys.has(serviceKey))
      .map(({ member }) => member);
  }

  /** All watchers, with the values that they watch. */
  watchers(): Iterable<Watcher> {
    return this.#watchers.values();
  }
}

function bytesMaxOf({ data }: Put): number {
  return (data?.length ?? 0) * UNIT_BYTES_MAX;
}

function bytesOf(data: string): number {
  return textOf(data).utf8.length;
}
