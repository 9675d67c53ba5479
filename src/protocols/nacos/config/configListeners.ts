// Clients by gRPC that listen to configurations. They are told which one has changed, and compare digests themselves.
// Some clients lose a notice that comes while they handle the one before, and would ask only minutes later. So a client
// that has not named the new digest some seconds after its notice is told again, a few times.

import { CHARGE } from "../../../base/budget.ts";
import { fail } from "../../../base/errors.ts";
import type { NacosClient } from "../part.ts";
import { type ConfigKey, pathOf } from "./configKey.ts";
import type { ConfigStore } from "./configStore.ts";
import type { Pushes } from "./pushes.ts";

/** A configuration, as a client has it. */
export interface Listened {
  readonly key: ConfigKey;
  /** The namespace as it has written it: it looks its configurations up by that. */
  readonly tenant: string;
  readonly md5: string;
}

interface Doubt {
  readonly client: NacosClient;
  readonly dueMs: number;
  readonly tries: number;
}

interface ListenerParts {
  readonly pushes: Pushes;
  readonly store: Pick<ConfigStore, "md5Shown">;
  readonly nowMs: () => number;
}

// The real client opens another connection after 3,000.
const LISTENED_MAX = 20_000;
// A client that is well names the new digest within a second.
const DOUBT_MS = 3_000;
const DOUBTS_MAX = 3;
// The entry here and in the client's own list, measured with 100,000 of them.
const LISTENED_BYTES = 400;

export class ConfigListeners {
  readonly #pushes: Pushes;
  readonly #store: Pick<ConfigStore, "md5Shown">;
  readonly #nowMs: () => number;
  /** The notices after which the client has to name another digest. */
  readonly #doubts = new Map<Listened, Doubt>();
  /** The clients of each configuration, by its path. */
  readonly #clients = new Map<string, Map<NacosClient, Listened>>();
  readonly #paths = new Map<NacosClient, Set<string>>();

  constructor(parts: ListenerParts) {
    this.#pushes = parts.pushes;
    this.#store = parts.store;
    this.#nowMs = parts.nowMs;
  }

  /** Throws OVERLOADED, or FIELD_INVALID beyond what one client may listen to. */
  add(client: NacosClient, listened: Listened): void {
    const path = pathOf(listened.key);
    const paths = this.#paths.get(client) ?? new Set<string>();
    if (!paths.has(path)) {
      if (paths.size >= LISTENED_MAX) {
        throw fail("FIELD_INVALID", {
          field: "configListenContexts",
          value: paths.size,
          expected: `${LISTENED_MAX} or less`,
        });
      }
      const refusal = client.account.charge(CHARGE.configWatches, LISTENED_BYTES);
      if (refusal !== undefined) throw refusal;
      paths.add(path);
      this.#paths.set(client, paths);
    }
    const clients = this.#clients.get(path) ?? new Map<NacosClient, Listened>();
    this.#settle(clients.get(client));
    clients.set(client, listened);
    this.#clients.set(path, clients);
  }

  remove(client: NacosClient, key: ConfigKey): void {
    const path = pathOf(key);
    const paths = this.#paths.get(client);
    if (paths?.delete(path) !== true) return;
    client.account.release(CHARGE.configWatches, LISTENED_BYTES);
    if (paths.size === 0) this.#paths.delete(client);
    this.#forget(client, path);
  }

  ended(client: NacosClient): void {
    const paths = this.#paths.get(client) ?? [];
    this.#paths.delete(client);
    for (const path of paths) {
      client.account.release(CHARGE.configWatches, LISTENED_BYTES);
      this.#forget(client, path);
    }
  }

  /** These have changed. */
  changed(keys: ReadonlyMap<string, ConfigKey>): void {
    for (const path of keys.keys()) {
      for (const [client, listened] of this.#clients.get(path) ?? []) {
        this.#doubts.set(listened, { client, dueMs: this.#nowMs() + DOUBT_MS, tries: 0 });
        this.#notify(client, listened);
      }
    }
  }

  /** Called twice a second. */
  check(nowMs: number): void {
    for (const [listened, doubt] of this.#doubts) {
      if (doubt.dueMs > nowMs) continue;
      const { client, tries } = doubt;
      const isSo = this.#store.md5Shown(listened.key, { ip: client.address, tag: "" }) === listened.md5;
      if (isSo || tries >= DOUBTS_MAX) this.#doubts.delete(listened);
      else {
        this.#doubts.set(listened, { client, tries: tries + 1, dueMs: nowMs + DOUBT_MS * 2 ** tries });
        this.#notify(client, listened);
      }
    }
  }

  /** The clients that listen to a configuration, with the digest that they have named, by their addresses. */
  listenersOf(key: ConfigKey): ReadonlyMap<string, string> {
    const clients = this.#clients.get(pathOf(key)) ?? [];
    return new Map([...clients].map(([{ address }, { md5 }]) => [address, md5]));
  }

  /** The configurations that the clients at an address listen to. */
  *listenedAt(address: string): Generator<readonly [path: string, md5: string], void> {
    for (const [client, paths] of this.#paths) {
      if (client.address !== address) continue;
      for (const path of paths) yield [path, this.#clients.get(path)?.get(client)?.md5 ?? ""];
    }
  }

  #notify(client: NacosClient, { key, tenant }: Listened): void {
    const { group, dataId } = key;
    const fields = { dataId, group, ...(tenant !== "" && { tenant }), module: "config" };
    this.#pushes.push(client, pathOf(key), { type: "ConfigChangeNotifyRequest", fields });
  }

  #settle(listened: Listened | undefined): void {
    if (listened !== undefined) this.#doubts.delete(listened);
  }

  #forget(client: NacosClient, path: string): void {
    const clients = this.#clients.get(path);
    this.#settle(clients?.get(client));
    clients?.delete(client);
    if (clients?.size === 0) this.#clients.delete(path);
  }
}
