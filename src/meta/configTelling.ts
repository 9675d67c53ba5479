// Configuration values as operators change them, a set of records, and the members that are told the values they watch.

import type { ConfigValue, Member } from "../cluster/messages/membership.ts";
import type { ServiceKey } from "../model/ids.ts";
import type { Configs, Put } from "./configs.ts";
import type { MetaOutput } from "./metaPorts.ts";
import { CONFIG_RECORDS } from "./metaRecords.ts";
import { RecordSet } from "./recordSet.ts";

export class ConfigTelling {
  /** The values as the store has them. */
  readonly records: RecordSet<ConfigValue, Put>;
  readonly #configs: Configs;
  readonly #send: MetaOutput["send"];

  /** `leads`: whether the node leads, or takes over the lead. */
  constructor(configs: Configs, { send, leads }: Pick<MetaOutput, "send"> & { readonly leads: () => boolean }) {
    this.#configs = configs;
    this.#send = send;
    this.records = new RecordSet<ConfigValue, Put>({
      codec: CONFIG_RECORDS,
      conflict: (put) => configs.conflict(put),
      save: (put, nowMs) => ({ kind: "put", value: configs.next(put, nowMs) }),
      loaded: (values) => this.#load(values),
      saved: ({ value }) => {
        if (configs.saved(value) && leads()) this.tellWatchers(value);
      },
    });
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

  /** The stored values: watchers are told the new ones. */
  #load(values: readonly ConfigValue[]): void {
    for (const value of this.#configs.load(values)) this.tellWatchers(value);
  }
}
