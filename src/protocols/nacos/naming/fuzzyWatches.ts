// Fuzzy watches: clients hear which services of a pattern there are, first all of them, in batches, and then each one
// that comes or goes. They ask for the lists themselves.

import { CHARGE } from "../../../base/budget.ts";
import { fail, type RegistryError } from "../../../base/errors.ts";
import { ALL_SERVICES } from "../../../model/catalogue.ts";
import type { CatalogueScope, ServiceKey } from "../../../model/ids.ts";
import { matchesName, type NamePattern, readNamePattern } from "../../../model/namePattern.ts";
import type { Pushes } from "../config/pushes.ts";
import { nacosError } from "../errorTable.ts";
import type { JsonObject, NacosClient } from "../part.ts";
import type { FollowedScopes, ScopeListener } from "./followedScopes.ts";
import { PUBLIC, scopeOfGroup, serviceNameOf } from "./names.ts";

/** A client's watch of a pattern. */
export interface FuzzyRequest {
  /** `namespace>>group>>name`, where group and name may have stars. */
  readonly pattern: string;
  /** The names that it has already. */
  readonly received: ReadonlySet<string>;
  /** It waits to be told that it has heard all. */
  readonly isInitializing: boolean;
  /** The services that it may know. */
  readonly sees: (serviceKey: ServiceKey) => boolean;
}

/** Called once, perhaps within a step of the registry. `over`: the pattern matches more than is told. */
export type Watched = (outcome: "all" | "over" | RegistryError) => void;

interface Pattern {
  readonly scope: CatalogueScope;
  readonly namespace: string;
  readonly group: NamePattern;
  readonly name: NamePattern;
}

interface Watch {
  readonly pattern: Pattern;
  readonly listener: ScopeListener;
  /** The services that the client was told of and that are there. */
  readonly told: Set<ServiceKey>;
}

// The real server's bounds of patterns and of what they match.
const PATTERNS_MAX = 20;
const MATCHED_MAX = 500;
const BATCH_MAX = 20;
/** A watch, with all that it may be told of. */
const WATCH_BYTES = 1_000 + MATCHED_MAX * 100;
const BETWEEN = ">>";
// The longest namespace, group and name, with what is between.
const PATTERN_CHARS_MAX = 64 + 128 + 512 + 2 * BETWEEN.length;

export class FuzzyWatches {
  readonly #scopes: FollowedScopes;
  readonly #pushes: Pushes;
  readonly #watches = new Map<NacosClient, Map<string, Watch>>();

  constructor(scopes: FollowedScopes, pushes: Pushes) {
    this.#scopes = scopes;
    this.#pushes = pushes;
  }

  /**
   * Not within a step of the registry. Throws FIELD_INVALID, NACOS_FUZZY_PATTERNS_EXHAUSTED or CLIENT_BYTES_EXHAUSTED.
   */
  watch(client: NacosClient, request: FuzzyRequest, watched: Watched): void {
    const { pattern: text } = request;
    const pattern = readPattern(text);
    const watches = this.#watches.get(client) ?? new Map<string, Watch>();
    this.#watches.set(client, watches);
    if (!watches.has(text) && watches.size >= PATTERNS_MAX) {
      throw nacosError("NACOS_FUZZY_PATTERNS_EXHAUSTED", { patterns: watches.size });
    }
    this.cancel(client, text);
    const refusal = client.account.charge(CHARGE.configWatches, WATCH_BYTES);
    if (refusal !== undefined) throw refusal;
    const told = new Set<ServiceKey>();
    const listener: ScopeListener = {
      known: (services) => {
        const isWhole = this.#tellAll(client, { ...request, watch, services });
        watched(isWhole ? "all" : "over");
      },
      failed: (error) => {
        if (watches.get(text) === watch) this.cancel(client, text);
        watched(error);
      },
      changed: (serviceKey, isThere) => {
        if (isNews(watch, { serviceKey, isThere, sees: request.sees })) this.#tellChange(client, serviceKey, isThere);
      },
    };
    const watch: Watch = { pattern, listener, told };
    watches.set(text, watch);
    this.#scopes.follow(pattern.scope, listener);
  }

  cancel(client: NacosClient, text: string): void {
    const watches = this.#watches.get(client);
    const watch = watches?.get(text);
    if (watches === undefined || watch === undefined) return;
    watches.delete(text);
    client.account.release(CHARGE.configWatches, WATCH_BYTES);
    this.#scopes.unfollow(watch.pattern.scope, watch.listener);
  }

  /** The connection is over. */
  ended(client: NacosClient): void {
    for (const text of [...(this.#watches.get(client)?.keys() ?? [])]) this.cancel(client, text);
    this.#watches.delete(client);
  }

  /** Returns whether that was all that matches. */
  #tellAll(
    client: NacosClient,
    { pattern: text, received, isInitializing, sees, watch, services }: FuzzyRequest & AllOf,
  ): boolean {
    const matched = [...services].filter((serviceKey) => matches(serviceKey, watch.pattern) && sees(serviceKey));
    const isWhole = matched.length <= MATCHED_MAX;
    for (const serviceKey of matched.slice(0, MATCHED_MAX)) watch.told.add(serviceKey);
    const names = new Set([...watch.told].map(watchedName));
    const added = [...names].filter((name) => !received.has(name)).map((name) => contextOf(name, true));
    // With more than is told, a name that is missing may still be there.
    const gone = isWhole ? [...received].filter((name) => !names.has(name)) : [];
    const contexts = [...added, ...gone.map((name) => contextOf(name, false))];
    const syncType = isInitializing ? "FUZZY_WATCH_INIT_NOTIFY" : "FUZZY_WATCH_DIFF_SYNC_NOTIFY";
    const totalBatch = Math.ceil(contexts.length / BATCH_MAX);
    for (let batch = 0; batch < totalBatch; batch++) {
      const part = contexts.slice(batch * BATCH_MAX, (batch + 1) * BATCH_MAX);
      const numbers = { totalBatch, currentBatch: batch + 1 };
      this.#sync(client, `${text} ${batch}`, { syncType, groupKeyPattern: text, contexts: part, ...numbers });
    }
    if (isInitializing) {
      const end = { syncType: "FINISH_FUZZY_WATCH_INIT_NOTIFY", groupKeyPattern: text, contexts: [] };
      this.#sync(client, `${text} end`, { ...end, totalBatch: 1, currentBatch: 1 });
    }
    return isWhole;
  }

  #sync(client: NacosClient, name: string, fields: JsonObject): void {
    this.#pushes.push(client, name, { type: "NamingFuzzyWatchSyncRequest", fields: { ...fields, module: "naming" } });
  }

  #tellChange(client: NacosClient, serviceKey: ServiceKey, isThere: boolean): void {
    const context = contextOf(watchedName(serviceKey), isThere);
    const fields = { syncType: "FUZZY_WATCH_RESOURCE_CHANGED", ...context, module: "naming" };
    this.#pushes.push(client, `changed ${context.serviceKey}`, { type: "NamingFuzzyWatchChangeNotifyRequest", fields });
  }
}

interface AllOf {
  readonly watch: Watch;
  readonly services: ReadonlySet<ServiceKey>;
}

/** Whether the client has not heard of a change yet. */
function isNews(
  { pattern, told }: Watch,
  { serviceKey, isThere, sees }: { serviceKey: ServiceKey; isThere: boolean; sees: FuzzyRequest["sees"] },
): boolean {
  if (!isThere) return told.delete(serviceKey);
  if (told.has(serviceKey) || told.size >= MATCHED_MAX || !matches(serviceKey, pattern) || !sees(serviceKey)) {
    return false;
  }
  told.add(serviceKey);
  return true;
}

/** `public@@GROUP@@name` */
function watchedName(serviceKey: ServiceKey): string {
  const { namespace, group, name } = serviceNameOf(serviceKey);
  return `${namespace}@@${group}@@${name}`;
}

function contextOf(serviceKey: string, isThere: boolean) {
  return { serviceKey, changedType: isThere ? "ADD_SERVICE" : "DELETE_SERVICE" };
}

function matches(serviceKey: ServiceKey, pattern: Pattern): boolean {
  const { namespace, group, name } = serviceNameOf(serviceKey);
  return namespace === pattern.namespace && matchesName(group, pattern.group) && matchesName(name, pattern.name);
}

/** Throws FIELD_INVALID. */
function readPattern(text: string): Pattern {
  const [first = "", group = "", name = "", more] = text.split(BETWEEN);
  if (text.length > PATTERN_CHARS_MAX || more !== undefined || group === "" || name === "") {
    const expected = `namespace${BETWEEN}group${BETWEEN}name, of ${PATTERN_CHARS_MAX} characters at most`;
    throw fail("FIELD_INVALID", { field: "groupKeyPattern", value: text.slice(0, 100), expected });
  }
  const namespace = first === "" ? PUBLIC : first;
  const scope = group.includes("*") ? ALL_SERVICES : scopeOfGroup({ namespace, group });
  return { scope, namespace, group: readNamePattern(group), name: readNamePattern(name) };
}
