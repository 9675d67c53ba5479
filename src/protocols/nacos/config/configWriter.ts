// Changes of configurations. Each is one commit of the configuration and its history, on the condition that what it is
// based on has not changed; a commit that is refused is tried again on what is there then.

import { fail } from "../../../base/errors.ts";
import type { Condition, Operation } from "../../../records/records.ts";
import { nacosError } from "../errorTable.ts";
import {
  CONFIG_PREFIX,
  CONTENT_PREFIX,
  type ConfigKey,
  ENTRY_PREFIX,
  GRAY_PREFIX,
  historyName,
  pathOf,
} from "./configKey.ts";
import {
  type ConfigHead,
  type GrayRule,
  type HistoryHead,
  md5OfText,
  writeHead,
  writeWithContent,
} from "./configRecord.ts";
import type { ConfigStore } from "./configStore.ts";
import type { ConfigHistory } from "./history.ts";

/** A configuration as a client publishes it. */
export interface Edit extends Omit<ConfigHead, "md5" | "createdMs" | "modifiedMs" | Maker | "changes"> {
  readonly key: ConfigKey;
  readonly content: Uint8Array;
  /** Undefined: the configuration itself, for all. */
  readonly gray: GrayRule | undefined;
  /** The digest that the content is to have before; empty: any. */
  readonly casMd5: string;
}

type Maker = "createdBy" | "createdFrom" | "modifiedBy" | "modifiedFrom";

/** The maker of a change. */
export interface Editor {
  readonly name: string;
  readonly from: string;
}

export interface WriterLimits {
  readonly contentBytesMax: number;
  readonly configsMax: number;
  /** For tests: another bound. */
  readonly totalBytesMax?: number;
}

interface Parts {
  readonly store: ConfigStore;
  readonly history: ConfigHistory;
  readonly nowMs: () => number;
  readonly limits: WriterLimits;
}

// Those who write one configuration at the same time are few.
const TRIES_MAX = 10;
/** As the real server. */
const GRAYS_MAX = 10;
const BETA_IPS_MAX = 1_000;
/** All values together are in the memory of every node that serves clients. */
const TOTAL_BYTES_MAX = 512 * 1024 * 1024;

export class ConfigWriter {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * Publishes, and resolves when this node shows it. Rejects with NACOS_CAS_FAILED, RECORD_TOO_LARGE,
   * NACOS_CONFIGS_EXHAUSTED, STORE_UNAVAILABLE or STORE_OUTCOME_UNKNOWN.
   */
  async publish(edit: Edit, editor: Editor): Promise<void> {
    const { limits } = this.#parts;
    if (edit.content.length > limits.contentBytesMax) {
      const sizes = { contentBytes: edit.content.length, "nacos-config-bytes-max": limits.contentBytesMax };
      throw fail("RECORD_TOO_LARGE", { ...pathFields(edit.key), ...sizes });
    }
    if (edit.gray?.kind === "beta" && edit.gray.ips.length > BETA_IPS_MAX) {
      throw fail("FIELD_INVALID", {
        field: "betaIps",
        value: edit.gray.ips.length,
        expected: `${BETA_IPS_MAX} or less`,
      });
    }
    const published = await this.#changed((atMs) => this.#publishing(edit, editor, atMs));
    if (published !== undefined) this.#parts.history.changed(edit.key, published.changes);
  }

  /** Removes; what is not there is no error. Rejects as `publish` does. */
  async remove(key: ConfigKey, editor: Editor): Promise<void> {
    await this.#remove(key, "", editor);
  }

  /** Ends a gray release; one that is not there is no error. */
  async removeGray(key: ConfigKey, name: string, editor: Editor): Promise<void> {
    await this.#remove(key, name, editor);
  }

  async #remove(key: ConfigKey, grayName: string, editor: Editor): Promise<void> {
    const removed = await this.#changed((atMs) => this.#removing(key, grayName, editor, atMs));
    if (removed !== undefined) this.#parts.history.removed(key);
  }

  async #changed(make: (atMs: number) => Change | undefined): Promise<Change | undefined> {
    const { store, nowMs } = this.#parts;
    store.checkRead();
    for (let tries = 1; tries <= TRIES_MAX; tries++) {
      const change = make(Math.floor(nowMs()));
      if (change === undefined) return undefined;
      const { condition, operations } = change;
      const outcome = await store.copy.commit({ conditions: [condition], operations });
      if (outcome.kind === "committed") return change;
    }
    throw fail("STORE_UNAVAILABLE", { reason: "others change this configuration all the time", tries: TRIES_MAX });
  }

  #publishing(edit: Edit, editor: Editor, nowMs: number): Change {
    const { store } = this.#parts;
    const { key, content, gray, casMd5, ...rest } = edit;
    const grayName = gray === undefined ? "" : grayNameOf(gray);
    const known = gray === undefined ? store.find(key) : store.grays(key).find(({ name }) => name === grayName);
    if (casMd5 !== "" && known !== undefined && known.head.md5 !== casMd5) {
      throw nacosError("NACOS_CAS_FAILED", { ...pathFields(key), md5: known.head.md5, casMd5 });
    }
    if (known === undefined) this.#checkCount(edit);
    // Two changes of a configuration never have the same time: its clients tell versions apart by it.
    const atMs = Math.max(nowMs, (known?.head.modifiedMs ?? 0) + 1);
    const head: ConfigHead = {
      ...rest,
      md5: md5OfText(content),
      createdMs: known?.head.createdMs ?? atMs,
      modifiedMs: atMs,
      createdBy: known?.head.createdBy ?? editor.name,
      createdFrom: known?.head.createdFrom ?? editor.from,
      modifiedBy: editor.name,
      modifiedFrom: editor.from,
      changes: (known?.head.changes ?? 0) + 1,
    };
    const recordKey = grayName === "" ? CONFIG_PREFIX + pathOf(key) : `${GRAY_PREFIX}${pathOf(key)}/${grayName}`;
    const past = known ?? { head, content };
    const value = writeWithContent(gray === undefined ? head : { ...head, rule: gray }, content);
    this.#checkRoom(value.length - (known?.record.value.length ?? 0));
    const made = { operation: known === undefined ? "I" : "U", grayName, atMs, ...editorFields(editor) } as const;
    return changeOf(key, { put: { recordKey, value }, revision: known?.record.revision ?? 0n, past, made, head });
  }

  #removing(key: ConfigKey, grayName: string, editor: Editor, nowMs: number): Change | undefined {
    const { store } = this.#parts;
    const known = grayName === "" ? store.find(key) : store.grays(key).find(({ name }) => name === grayName);
    if (known === undefined) return undefined;
    const atMs = Math.max(nowMs, known.head.modifiedMs + 1);
    const made = { operation: "D", grayName, atMs, ...editorFields(editor) } as const;
    const put = { recordKey: known.record.key, value: undefined };
    return changeOf(key, { put, revision: known.record.revision, past: known, made, head: known.head });
  }

  #checkCount({ key, gray }: Edit): void {
    const { store, limits } = this.#parts;
    const { size: configs } = store.copy;
    if (gray !== undefined && store.grays(key).length >= GRAYS_MAX) {
      throw nacosError("NACOS_CONFIGS_EXHAUSTED", { ...pathFields(key), grayReleases: GRAYS_MAX });
    }
    if (configs >= limits.configsMax) {
      throw nacosError("NACOS_CONFIGS_EXHAUSTED", { configs, "nacos-configs-max": limits.configsMax });
    }
  }

  /** A change that makes nothing larger is always taken. */
  #checkRoom(grownBytes: number): void {
    const { totalBytesMax = TOTAL_BYTES_MAX } = this.#parts.limits;
    const { bytes } = this.#parts.store.copy;
    if (grownBytes <= 0 || bytes + grownBytes <= totalBytesMax) return;
    throw nacosError("NACOS_CONFIGS_EXHAUSTED", { bytes, grownBytes, bytesMax: totalBytesMax });
  }
}

/** A change, as it is committed. */
interface Change {
  readonly condition: Condition;
  readonly operations: readonly Operation[];
  readonly head: HistoryHead;
  /** How often the configuration was changed by then. */
  readonly changes: number;
}

interface Made {
  readonly put: { readonly recordKey: string; readonly value: Uint8Array | undefined };
  /** Of what is changed; 0: there is nothing yet. */
  readonly revision: bigint;
  /** The content that the history keeps. */
  readonly past: { readonly head: ConfigHead; readonly content: Uint8Array };
  readonly made: Pick<HistoryHead, "operation" | "grayName" | "atMs" | "by" | "from">;
  readonly head: ConfigHead;
}

// Several changes of one millisecond have different names.
const IDS_PER_MS = 1_000;

function changeOf(key: ConfigKey, { put, revision, past, made, head: current }: Made): Change {
  const { md5, type, appName, encryptedDataKey } = past.head;
  const id = made.atMs * IDS_PER_MS + (made.grayName.length % IDS_PER_MS);
  const head: HistoryHead = { ...made, id, md5, type, appName, encryptedDataKey };
  const { recordKey, value } = put;
  const name = `${pathOf(key)}/${historyName(id)}`;
  const operations: readonly Operation[] = [
    value === undefined ? { kind: "delete", key: recordKey } : { kind: "put", key: recordKey, value },
    { kind: "put", key: ENTRY_PREFIX + name, value: writeHead(head) },
    { kind: "put", key: CONTENT_PREFIX + name, value: past.content },
  ];
  return { condition: { kind: "revision", key: recordKey, revision }, operations, head, changes: current.changes };
}

/** `beta`, or `tag_` with the tag: as Nacos names gray releases. */
export function grayNameOf(rule: GrayRule): string {
  return rule.kind === "beta" ? "beta" : `tag_${rule.tag}`;
}

function pathFields({ namespace, group, dataId }: ConfigKey) {
  return { namespace, group, dataId };
}

function editorFields({ name, from }: Editor): Pick<HistoryHead, "by" | "from"> {
  return { by: name, from };
}
