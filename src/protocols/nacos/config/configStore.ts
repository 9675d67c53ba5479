// The configurations as this node's copy of the records has them.

import { InvariantError } from "../../../base/assert.ts";
import { fail, RegistryError } from "../../../base/errors.ts";
import { keysWith } from "../../../records/keys.ts";
import { type CopyChange, RecordCopy } from "../../../records/recordCopy.ts";
import type { StoredRecord } from "../../../records/records.ts";
import type { NacosEnvironment } from "../environment.ts";
import { CONFIG_PREFIX, type ConfigKey, GRAY_PREFIX, keyOfPath, NOW_PREFIX, pathOf } from "./configKey.ts";
import { type ConfigHead, type GrayRule, readConfig, readGray, type WithContent } from "./configRecord.ts";

/** Far above what a node's memory should hold; those who write keep below CONFIGS_MAX. */
const RECORDS_MAX = 1_000_000;

/** A configuration as stored. */
export interface StoredConfig extends WithContent<ConfigHead> {
  readonly key: ConfigKey;
  readonly record: StoredRecord;
}

export interface GrayConfig extends WithContent<ConfigHead & { readonly rule: GrayRule }> {
  readonly name: string;
  readonly record: StoredRecord;
}

/** A client as gray releases see it. */
export interface Asker {
  readonly ip: string;
  /** Empty if it has none. */
  readonly tag: string;
}

/** The configuration that a client is to have. */
export interface ShownConfig extends WithContent<ConfigHead> {
  /** The release, if it is not the configuration itself. */
  readonly gray: GrayRule | undefined;
}

export class ConfigStore {
  readonly copy: RecordCopy;
  readonly #log: NacosEnvironment["log"];
  readonly #configs = new WeakMap<StoredRecord, StoredConfig>();
  readonly #grays = new WeakMap<StoredRecord, GrayConfig>();
  #hasBegun = false;
  readonly #listeners = new Set<(keys: ReadonlyMap<string, ConfigKey>) => void>();

  constructor({ records, log }: Pick<NacosEnvironment, "records" | "log">) {
    this.#log = log;
    this.copy = new RecordCopy({
      records,
      prefix: NOW_PREFIX,
      recordsMax: RECORDS_MAX,
      unread: ({ message }) => log.warn("the configurations can't be read from the store", { reason: message }),
      failed: (error) => {
        throw error;
      },
    });
    this.copy.listen((changes) => this.#changed(changes));
  }

  /** Tells the configurations that have changed, by their paths: a gray release changes one, too. */
  listen(listener: (keys: ReadonlyMap<string, ConfigKey>) => void): void {
    this.#listeners.add(listener);
  }

  /** Calls `read` when the configurations were read: the first call has them read. `refuse` if they can't be. */
  whenRead(read: () => void, refuse: (error: Error) => void): void {
    const run = () => {
      try {
        this.checkRead();
        read();
      } catch (error) {
        refuse(error instanceof Error ? error : new InvariantError(String(error)));
      }
    };
    if (this.copy.isRead) return run();
    this.#hasBegun = true;
    void this.copy.begin().then(run);
  }

  /** Called twice a second. */
  check(nowMs: number): void {
    if (this.#hasBegun) this.copy.check(nowMs);
  }

  /** Throws STORE_UNAVAILABLE while this node has read nothing yet. */
  checkRead(): void {
    if (!this.copy.isRead) throw fail("STORE_UNAVAILABLE", { reason: "this node has not read the configurations yet" });
  }

  /** The configuration itself. */
  find(key: ConfigKey): StoredConfig | undefined {
    const record = this.copy.get(CONFIG_PREFIX + pathOf(key));
    return record === undefined ? undefined : this.#configOf(record);
  }

  /** The gray releases of a configuration, those that go before others first. */
  grays(key: ConfigKey): readonly GrayConfig[] {
    const found: GrayConfig[] = [];
    for (const record of this.copy.range(keysWith(`${GRAY_PREFIX}${pathOf(key)}/`))) {
      const gray = this.#grayOf(record);
      if (gray !== undefined) found.push(gray);
    }
    return found.sort((a, b) => Number(b.head.rule.kind === "beta") - Number(a.head.rule.kind === "beta"));
  }

  /** The content for a client: the first gray release that is for it, else the configuration. */
  shown(key: ConfigKey, asker: Asker): ShownConfig | undefined {
    for (const { head, content } of this.grays(key)) {
      if (isFor(head.rule, asker)) return { head, content, gray: head.rule };
    }
    const config = this.find(key);
    return config === undefined ? undefined : { ...config, gray: undefined };
  }

  /** The digest of the content for a client; empty if there is none. */
  md5Shown(key: ConfigKey, asker: Asker): string {
    return this.shown(key, asker)?.head.md5 ?? "";
  }

  /** All configurations, or those of a namespace, in the order of namespace, group and dataId. */
  *all(namespace?: string): Generator<StoredConfig, void> {
    const prefix = namespace === undefined ? CONFIG_PREFIX : `${CONFIG_PREFIX}${namespace}/`;
    for (const record of this.copy.range(keysWith(prefix))) {
      const config = this.#configOf(record);
      if (config !== undefined) yield config;
    }
  }

  #configOf(record: StoredRecord): StoredConfig | undefined {
    const known = this.#configs.get(record);
    if (known !== undefined) return known;
    return this.#read(record, () => {
      const config = { ...readConfig(record), key: keyOfPath(record.key.slice(CONFIG_PREFIX.length)), record };
      this.#configs.set(record, config);
      return config;
    });
  }

  #grayOf(record: StoredRecord): GrayConfig | undefined {
    const known = this.#grays.get(record);
    if (known !== undefined) return known;
    return this.#read(record, () => {
      const gray = { ...readGray(record), name: record.key.slice(record.key.lastIndexOf("/") + 1), record };
      this.#grays.set(record, gray);
      return gray;
    });
  }

  /** A record that can't be read is not shown; the log says which one, and what to do. */
  #read<Value>(record: StoredRecord, read: () => Value): Value | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      this.#log.error("a configuration can't be read", { key: record.key, reason: error.message });
      return undefined;
    }
  }

  #changed(changes: readonly CopyChange[]): void {
    const keys = new Map<string, ConfigKey>();
    for (const { key: changed } of changes) {
      const prefix = [CONFIG_PREFIX, GRAY_PREFIX].find((each) => changed.startsWith(each));
      if (prefix === undefined) continue;
      const key = keyOfPath(changed.slice(prefix.length));
      keys.set(pathOf(key), key);
    }
    if (keys.size > 0) for (const listener of this.#listeners) listener(keys);
  }
}

function isFor(rule: GrayRule, { ip, tag }: Asker): boolean {
  return rule.kind === "beta" ? rule.ips.includes(ip) : rule.tag === tag;
}
