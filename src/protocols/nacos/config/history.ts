// The history of configurations: an entry with the content before each change. It is in the store alone, and read when
// someone asks. Each configuration has its last hundred entries, for thirty days.

import { RegistryError } from "../../../base/errors.ts";
import type { GatewayRecords } from "../../../records/gatewayRecords.ts";
import { keyAfter, keyAlone, keysWith } from "../../../records/keys.ts";
import { readAll } from "../../../records/readAll.ts";
import type { KeyRange, StoredRecord } from "../../../records/records.ts";
import type { NacosEnvironment } from "../environment.ts";
import { CONTENT_PREFIX, type ConfigKey, ENTRY_PREFIX, historyName, keyOfPath, pathOf } from "./configKey.ts";
import { type HistoryHead, readHistory } from "./configRecord.ts";

export interface HistoryEntry {
  readonly key: ConfigKey;
  readonly head: HistoryHead;
}

interface Parts extends Pick<NacosEnvironment, "log"> {
  readonly records: GatewayRecords;
  readonly nowMs: () => number;
  /** Whether this node is the one that removes what is old. */
  readonly isSweeper: () => boolean;
}

const ENTRIES_KEPT = 100;
// Old entries of a configuration are removed every so many changes: reading them costs more than a change.
const TRIM_CHANGES = 20;
// Entries of all writers between two trims.
const ENTRIES_READ_MAX = 100_000;
const KEPT_MS = 30 * 24 * 3_600_000;
const SWEEP_MS = 3_600_000;
// Two operations for each.
const REMOVED_AT_ONCE = 40;

export class ConfigHistory {
  readonly #parts: Parts;
  #sweepMs: number;
  #isSweeping = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#sweepMs = parts.nowMs() + SWEEP_MS;
  }

  /** The entries of a configuration, newest first. Rejects with STORE_UNAVAILABLE. */
  async entries(key: ConfigKey): Promise<readonly HistoryEntry[]> {
    const range = keysWith(`${ENTRY_PREFIX}${pathOf(key)}/`);
    const { records } = await readAll(this.#parts.records, range, ENTRIES_READ_MAX);
    return records.map((record) => ({ key, head: readHistory(record) })).reverse();
  }

  /** An entry and its content; undefined if it is not there. Rejects with STORE_UNAVAILABLE. */
  async entry(key: ConfigKey, id: number): Promise<(HistoryEntry & { readonly content: Uint8Array }) | undefined> {
    const name = `${pathOf(key)}/${historyName(id)}`;
    const [entry, content] = [await this.#alone(ENTRY_PREFIX + name), await this.#alone(CONTENT_PREFIX + name)];
    if (entry === undefined || content === undefined) return undefined;
    return { key, head: readHistory(entry), content: content.value };
  }

  /** A configuration, or a gray release of it, was changed, so many times by now. */
  changed(key: ConfigKey, changes: number): void {
    if (changes % TRIM_CHANGES === 0) this.#quietly(() => this.#trim(key));
  }

  /** One was removed: if it comes again, its changes are counted anew. */
  removed(key: ConfigKey): void {
    this.#quietly(() => this.#trim(key));
  }

  /** Called twice a second. */
  check(nowMs: number): void {
    if (nowMs < this.#sweepMs || this.#isSweeping) return;
    this.#sweepMs = nowMs + SWEEP_MS;
    if (this.#parts.isSweeper()) this.#quietly(() => this.#sweep(nowMs - KEPT_MS));
  }

  async #alone(key: string): Promise<StoredRecord | undefined> {
    const page = await this.#parts.records.range(keyAlone(key));
    return page.kind === "page" ? page.records[0] : undefined;
  }

  /** Entries that are not removed now are removed later. */
  #quietly(remove: () => Promise<void>): void {
    this.#isSweeping = true;
    remove()
      .catch((error: unknown) => {
        if (!(error instanceof RegistryError)) throw error;
        this.#parts.log.warn("old entries of the history of configurations stay", { reason: error.message });
      })
      .finally(() => {
        this.#isSweeping = false;
      });
  }

  async #trim(key: ConfigKey): Promise<void> {
    const entries = await this.entries(key);
    await this.#remove(entries.slice(ENTRIES_KEPT));
  }

  async #sweep(untilMs: number): Promise<void> {
    let range: KeyRange = keysWith(ENTRY_PREFIX);
    for (;;) {
      const page = await this.#parts.records.range(range);
      if (page.kind === "compacted") return;
      const old = page.records.flatMap((record): HistoryEntry[] => {
        const head = readHistory(record);
        return head.atMs < untilMs ? [{ key: keyOfPath(record.key.slice(ENTRY_PREFIX.length)), head }] : [];
      });
      await this.#remove(old);
      const last = page.records.at(-1);
      if (page.isLast || last === undefined) return;
      range = { ...range, from: keyAfter(last.key) };
    }
  }

  async #remove(entries: readonly HistoryEntry[]): Promise<void> {
    for (let at = 0; at < entries.length; at += REMOVED_AT_ONCE) {
      const operations = entries.slice(at, at + REMOVED_AT_ONCE).flatMap(({ key, head }) => {
        const name = `${pathOf(key)}/${historyName(head.id)}`;
        return [ENTRY_PREFIX, CONTENT_PREFIX].map((prefix) => ({ kind: "delete", key: prefix + name }) as const);
      });
      await this.#parts.records.commit({ conditions: [], operations });
    }
  }
}
