// Configuration that clients of this session watch. There are few values and they change rarely, so all is kept simple:
// a value goes out when it comes in or when somebody begins to watch it, and the regular repair sends it again to
// whoever has not confirmed it.

import type { ConfigValue } from "../messages/membership.ts";
import type { DataInfoId } from "../model/ids.ts";
import { NO_VERSION } from "../model/version.ts";
import { type Client, type ConfigWatch, registrationKey } from "./client.ts";
import type { RegistrationKey } from "./registry.ts";

interface WatchedConfig {
  value: ConfigValue | undefined;
  readonly watches: Set<ConfigWatch>;
}

export class ConfigWatches {
  readonly #takePushId: () => number;
  readonly #configs = new Map<DataInfoId, WatchedConfig>();
  // Who was sent what and has not answered, by push id: one a watch.
  readonly #underWay = new Map<number, ConfigWatch>();

  constructor(takePushId: () => number) {
    this.#takePushId = takePushId;
  }

  /** Everything that is watched here. */
  watched(): DataInfoId[] {
    return [...this.#configs.keys()];
  }

  /** Begins or renews a watch. True if the value is not known here and must be asked for. */
  watch(client: Client, key: RegistrationKey): boolean {
    const { dataInfoId, registId, version } = key;
    const known = client.configWatches.get(registrationKey(key));
    const nothing = { seenVersion: NO_VERSION, sentVersion: NO_VERSION, push: undefined };
    const watch = known ?? { client, dataInfoId, registId, version, ...nothing };
    if (known !== undefined && version > known.version) known.version = version;
    client.configWatches.set(registrationKey(key), watch);
    const config = this.#configs.get(dataInfoId) ?? { value: undefined, watches: new Set() };
    this.#configs.set(dataInfoId, config);
    config.watches.add(watch);
    if (config.value !== undefined) this.#push(watch, config.value);
    return config.value === undefined;
  }

  /** Ends a watch. True if nobody watches the value any more. */
  unwatch(client: Client, key: RegistrationKey): boolean {
    const watch = client.configWatches.get(registrationKey(key));
    if (watch === undefined || watch.version > key.version) return false;
    return this.#remove(watch);
  }

  /** Ends all watches of a client. Returns what nobody watches any more. */
  dropClient(client: Client): DataInfoId[] {
    return [...client.configWatches.values()].filter((watch) => this.#remove(watch)).map((watch) => watch.dataInfoId);
  }

  /** A value has come. */
  changed(value: ConfigValue): void {
    const config = this.#configs.get(value.dataInfoId);
    if (config === undefined || (config.value !== undefined && config.value.version >= value.version)) return;
    config.value = value;
    for (const watch of config.watches) this.#push(watch, value);
  }

  answered(client: Client, push: number, isTaken: boolean): void {
    const watch = this.#underWay.get(push);
    if (watch?.client !== client) return;
    this.#underWay.delete(push);
    if (isTaken) watch.seenVersion = watch.sentVersion;
  }

  /** Sends again what was not confirmed. A client that never confirms anything is not sent the same value twice. */
  repair(): void {
    for (const { value, watches } of this.#configs.values()) {
      if (value === undefined) continue;
      for (const watch of watches) {
        const wasSent = watch.sentVersion >= value.version && !watch.client.answersPushes;
        if (watch.seenVersion < value.version && !wasSent) this.#push(watch, value);
      }
    }
  }

  #push(watch: ConfigWatch, value: ConfigValue): void {
    const { client, dataInfoId, registId } = watch;
    if (client.departedMs !== undefined) return;
    const id = this.#takePushId();
    const { version, data } = value;
    // Blocked means that the client does not read: the next repair tries again.
    if (client.channel.pushConfig({ id, dataInfoId, version, data, registIds: [registId] }) === "blocked") return;
    if (watch.push !== undefined) this.#underWay.delete(watch.push);
    watch.push = id;
    watch.sentVersion = version;
    this.#underWay.set(id, watch);
  }

  #remove(watch: ConfigWatch): boolean {
    const { client, dataInfoId } = watch;
    client.configWatches.delete(registrationKey(watch));
    if (watch.push !== undefined) this.#underWay.delete(watch.push);
    const config = this.#configs.get(dataInfoId);
    config?.watches.delete(watch);
    return config?.watches.size === 0 && this.#configs.delete(dataInfoId);
  }
}
