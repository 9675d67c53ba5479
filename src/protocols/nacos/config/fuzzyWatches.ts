// Fuzzy watches: clients hear which configurations of a pattern there are, first all of them, in batches, and then each
// one that comes or goes. They read the contents themselves.

import { CHARGE } from "../../../base/budget.ts";
import { nacosError } from "../errorTable.ts";
import type { JsonObject, NacosClient } from "../part.ts";
import { type ConfigKey, groupKeyOf, pathOf } from "./configKey.ts";
import type { ConfigStore } from "./configStore.ts";
import { type FuzzyPattern, fuzzyPattern } from "./fuzzyPattern.ts";
import type { Pushes } from "./pushes.ts";

interface Watch {
  readonly pattern: FuzzyPattern;
  readonly isAllowed: (key: ConfigKey) => boolean;
  /** The configurations that the client was told of and that are there, by their paths. */
  readonly told: Map<string, ConfigKey>;
}

/** A client's watch of a pattern. */
export interface FuzzyRequest {
  readonly pattern: string;
  /** The names that it has already (`groupKeyOf`). */
  readonly received: ReadonlySet<string>;
  /** It waits to be told that it has heard all. */
  readonly isInitializing: boolean;
  /** The configurations that it may know. */
  readonly isAllowed: (key: ConfigKey) => boolean;
}

// The real server's bounds of patterns and of what they match.
const PATTERNS_MAX = 20;
const MATCHED_MAX = 500;
const BATCH_MAX = 20;
/** A watch, with all that it may be told of. */
const WATCH_BYTES = 1_000 + MATCHED_MAX * 200;

export class FuzzyWatches {
  readonly #store: ConfigStore;
  readonly #pushes: Pushes;
  readonly #watches = new Map<NacosClient, Map<string, Watch>>();

  constructor(store: ConfigStore, pushes: Pushes) {
    this.#store = store;
    this.#pushes = pushes;
  }

  /** Returns whether it matches more than is told. Throws FIELD_INVALID, OVERLOADED, NACOS_FUZZY_PATTERNS_EXHAUSTED. */
  watch(client: NacosClient, request: FuzzyRequest): boolean {
    const { pattern: text, isAllowed } = request;
    const pattern = fuzzyPattern(text);
    const watches = this.#watches.get(client) ?? new Map<string, Watch>();
    if (!watches.has(text) && watches.size >= PATTERNS_MAX) {
      throw nacosError("NACOS_FUZZY_PATTERNS_EXHAUSTED", { patterns: watches.size });
    }
    this.cancel(client, text);
    const matched = this.#matched(pattern, isAllowed);
    const isWhole = matched.size <= MATCHED_MAX;
    const told = new Map([...matched].slice(0, MATCHED_MAX));
    const refusal = client.account.charge(CHARGE.configWatches, WATCH_BYTES);
    if (refusal !== undefined) throw refusal;
    watches.set(text, { pattern, isAllowed, told });
    this.#watches.set(client, watches);
    this.#tellAll(client, { ...request, told, isWhole });
    return !isWhole;
  }

  cancel(client: NacosClient, text: string): void {
    const watches = this.#watches.get(client);
    const watch = watches?.get(text);
    if (watches === undefined || watch === undefined) return;
    client.account.release(CHARGE.configWatches, WATCH_BYTES);
    watches.delete(text);
    if (watches.size === 0) this.#watches.delete(client);
  }

  ended(client: NacosClient): void {
    for (const text of [...(this.#watches.get(client)?.keys() ?? [])]) this.cancel(client, text);
  }

  /** These have changed: those that have come or gone are told. */
  changed(keys: ReadonlyMap<string, ConfigKey>): void {
    for (const [client, watches] of this.#watches) {
      for (const [path, key] of keys) {
        const isThere = this.#store.find(key) !== undefined;
        const isNews = [...watches.values()].map((watch) => this.#note(watch, { path, key, isThere })).includes(true);
        if (isNews) this.#tellChange(client, key, isThere);
      }
    }
  }

  /** Returns whether the client has not heard of that. */
  #note(
    { pattern, isAllowed, told }: Watch,
    { path, key, isThere }: { path: string; key: ConfigKey; isThere: boolean },
  ): boolean {
    if (!pattern.matches(key)) return false;
    if (!isThere) return told.delete(path);
    if (told.has(path) || told.size >= MATCHED_MAX || !isAllowed(key)) return false;
    told.set(path, key);
    return true;
  }

  #matched(pattern: FuzzyPattern, isAllowed: Watch["isAllowed"]): Map<string, ConfigKey> {
    const matched = new Map<string, ConfigKey>();
    for (const { key } of this.#store.all(pattern.namespace))
      if (pattern.matches(key) && isAllowed(key)) matched.set(pathOf(key), key);
    return matched;
  }

  #tellAll(
    client: NacosClient,
    { pattern, received, isInitializing, told, isWhole }: FuzzyRequest & Pick<Watch, "told"> & { isWhole: boolean },
  ): void {
    const names = new Set([...told.values()].map(groupKeyOf));
    const added = [...names].filter((name) => !received.has(name)).map((name) => contextOf(name, "ADD_CONFIG"));
    // With more than is told, a name that is missing may still be there.
    const gone = isWhole ? [...received].filter((name) => !names.has(name)) : [];
    const contexts = [...added, ...gone.map((name) => contextOf(name, "DELETE_CONFIG"))];
    const syncType = isInitializing ? "FUZZY_WATCH_INIT_NOTIFY" : "FUZZY_WATCH_DIFF_SYNC_NOTIFY";
    const totalBatch = Math.ceil(contexts.length / BATCH_MAX);
    for (let batch = 0; batch < totalBatch; batch++) {
      const part = contexts.slice(batch * BATCH_MAX, (batch + 1) * BATCH_MAX);
      const fields = { syncType, groupKeyPattern: pattern, contexts: part, totalBatch, currentBatch: batch + 1 };
      this.#sync(client, `${pattern} ${batch}`, fields);
    }
    if (!isInitializing) return;
    const end = { syncType: "FINISH_FUZZY_WATCH_INIT_NOTIFY", groupKeyPattern: pattern, contexts: [] };
    this.#sync(client, `${pattern} end`, { ...end, totalBatch: 0, currentBatch: 0 });
  }

  #sync(client: NacosClient, name: string, fields: JsonObject): void {
    this.#pushes.push(client, name, { type: "ConfigFuzzyWatchSyncRequest", fields: { ...fields, module: "config" } });
  }

  #tellChange(client: NacosClient, key: ConfigKey, isThere: boolean): void {
    const groupKey = groupKeyOf(key);
    const changeType = isThere ? "CONFIG_CHANGED" : "DELETE_CONFIG";
    const fields = { groupKey, changeType, module: "config" };
    this.#pushes.push(client, `fuzzy ${groupKey}`, { type: "ConfigFuzzyWatchChangeNotifyRequest", fields });
  }
}

function contextOf(groupKey: string, changedType: "ADD_CONFIG" | "DELETE_CONFIG") {
  return { groupKey, changedType };
}
