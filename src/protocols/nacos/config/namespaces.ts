// Nacos' namespaces: names with descriptions, for people. Neither services nor configurations need theirs to be here.

import { fail } from "../../../base/errors.ts";
import { keysWith } from "../../../records/keys.ts";
import { nacosError } from "../errorTable.ts";
import { NAMESPACE_PREFIX, PUBLIC } from "./configKey.ts";
import { type NamespaceHead, readNamespace, writeHead } from "./configRecord.ts";
import type { ConfigStore } from "./configStore.ts";

/** A namespace with the number of its configurations. */
export interface Namespace extends NamespaceHead {
  readonly id: string;
  readonly configs: number;
  readonly isDefault: boolean;
}

const ID = /^[\w-]+$/;
const ID_CHARS_MAX = 128;
const NAME = /^[^@#$%^&*]+$/;
const TEXT_CHARS_MAX = 256;
const NAMESPACES_MAX = 10_000;
const TRIES_MAX = 10;

const DEFAULT: NamespaceHead = { name: PUBLIC, desc: "Default Namespace" };

export class Namespaces {
  readonly #store: ConfigStore;

  constructor(store: ConfigStore) {
    this.#store = store;
  }

  /** The default one first, then the others by their ids. Throws STORE_UNAVAILABLE. */
  list(): readonly Namespace[] {
    this.#store.checkRead();
    const counts = new Map<string, number>();
    for (const { key } of this.#store.all()) counts.set(key.namespace, (counts.get(key.namespace) ?? 0) + 1);
    const listed = (id: string, head: NamespaceHead): Namespace => {
      return { ...head, id, configs: counts.get(id) ?? 0, isDefault: id === PUBLIC };
    };
    const others = [...this.#store.copy.range(keysWith(NAMESPACE_PREFIX))].map((record) =>
      listed(record.key.slice(NAMESPACE_PREFIX.length), readNamespace(record)),
    );
    return [listed(PUBLIC, DEFAULT), ...others];
  }

  /** Throws NACOS_NAMESPACE_UNKNOWN. */
  get(id: string): Namespace {
    const wanted = id === "" ? PUBLIC : id;
    const found = this.list().find((each) => each.id === wanted);
    if (found === undefined) throw nacosError("NACOS_NAMESPACE_UNKNOWN", { namespaceId: shown(id) });
    return found;
  }

  /** Throws STORE_UNAVAILABLE. */
  has(id: string): boolean {
    this.#store.checkRead();
    return this.#store.copy.get(NAMESPACE_PREFIX + id) !== undefined;
  }

  /** Rejects with NACOS_NAMESPACE_INVALID, NACOS_NAMESPACE_EXISTS, or as the store does. */
  async create(id: string, head: NamespaceHead): Promise<void> {
    checkNamespace(id, head);
    if (id === PUBLIC || this.has(id)) throw nacosError("NACOS_NAMESPACE_EXISTS", { namespaceId: id });
    if ([...this.#store.copy.range(keysWith(NAMESPACE_PREFIX))].length >= NAMESPACES_MAX) {
      throw nacosError("NACOS_NAMESPACE_INVALID", { namespaces: NAMESPACES_MAX });
    }
    const key = NAMESPACE_PREFIX + id;
    const outcome = await this.#store.copy.commit({
      conditions: [{ kind: "revision", key, revision: 0n }],
      operations: [{ kind: "put", key, value: writeHead(head) }],
    });
    if (outcome.kind === "refused") throw nacosError("NACOS_NAMESPACE_EXISTS", { namespaceId: id });
  }

  /** Changes name and description; one that is not there is no error, as with the real server. */
  async change(id: string, head: NamespaceHead): Promise<void> {
    checkNamespace(id, head);
    await this.#replace(id, { kind: "put", key: NAMESPACE_PREFIX + id, value: writeHead(head) });
  }

  /** Its configurations and services stay. One that is not there is no error. */
  async remove(id: string): Promise<void> {
    await this.#replace(id, { kind: "delete", key: NAMESPACE_PREFIX + id });
  }

  async #replace(
    id: string,
    operation:
      | { readonly kind: "put"; readonly key: string; readonly value: Uint8Array }
      | { readonly kind: "delete"; readonly key: string },
  ): Promise<void> {
    for (let tries = 1; tries <= TRIES_MAX; tries++) {
      this.#store.checkRead();
      const known = this.#store.copy.get(NAMESPACE_PREFIX + id);
      if (known === undefined) return;
      const condition = { kind: "revision", key: known.key, revision: known.revision } as const;
      const outcome = await this.#store.copy.commit({ conditions: [condition], operations: [operation] });
      if (outcome.kind === "committed") return;
    }
    throw fail("STORE_UNAVAILABLE", { reason: "others change this namespace all the time", tries: TRIES_MAX });
  }
}

function checkNamespace(id: string, { name, desc }: NamespaceHead): void {
  if (!ID.test(id) || id.length > ID_CHARS_MAX) {
    const expected = `letters, digits, _ and -; at most ${ID_CHARS_MAX} characters`;
    throw nacosError("NACOS_NAMESPACE_INVALID", { namespaceId: shown(id), expected });
  }
  if (!NAME.test(name) || name.length > TEXT_CHARS_MAX || desc.length > TEXT_CHARS_MAX) {
    const expected = `no @#$%^&*; at most ${TEXT_CHARS_MAX} characters`;
    throw nacosError("NACOS_NAMESPACE_INVALID", { namespaceName: shown(name), expected });
  }
}

function shown(text: string): string {
  return text.slice(0, 100);
}
