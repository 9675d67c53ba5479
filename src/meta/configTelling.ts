// Tells members the configuration values that they watch.

import type { ConfigValue, Member } from "../cluster/messages/membership.ts";
import type { ServiceKey } from "../model/ids.ts";
import type { Configs } from "./configs.ts";
import type { MetaOutput } from "./metaPorts.ts";

export class ConfigTelling {
  readonly #configs: Configs;
  readonly #send: MetaOutput["send"];

  constructor(configs: Configs, send: MetaOutput["send"]) {
    this.#configs = configs;
    this.#send = send;
  }

  /** Takes the stored values: watchers are told the new ones. */
  load(values: readonly ConfigValue[]): void {
    for (const value of this.#configs.load(values)) this.tellWatchers(value);
  }

  tell(to: Member, serviceKey: ServiceKey): void {
    this.#send(to, { kind: "config", value: this.#configs.valueToTell(serviceKey) });
  }

  tellWatchers(value: ConfigValue): void {
    for (const member of this.#configs.watchersOf(value.serviceKey)) this.#send(member, { kind: "config", value });
  }

  /** The previous leader may have stored values that it could no longer send. */
  tellAll(): void {
    for (const { member, serviceKeys } of this.#configs.watchers()) {
      for (const serviceKey of serviceKeys) this.tell(member, serviceKey);
    }
  }
}
