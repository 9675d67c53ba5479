// A change of entries and sessions before it is committed: what it has read, and what it writes. Everything that it has
// read must still be so when it is committed.

import { equalBytes } from "../../../base/bytes.ts";
import { keysWith } from "../../../records/keys.ts";
import type { RecordCopy } from "../../../records/recordCopy.ts";
import type { Commit, StoredRecord } from "../../../records/records.ts";
import { type Document, decodeDocument, encodeDocument } from "./documents.ts";
import {
  decodeEntry,
  decodeSession,
  type Entry,
  encodeEntry,
  encodeSession,
  KV_PREFIX,
  SESSIONS_PREFIX,
  type Session,
} from "./entries.ts";

type Copy = Pick<RecordCopy, "get" | "range">;

export class Draft {
  readonly #copy: Copy;
  readonly #read = new Map<string, bigint>();
  /** By the record's key; null: deleted. */
  readonly #written = new Map<string, Uint8Array | null>();
  readonly #entries = new Map<string, Entry | undefined>();

  constructor(copy: Copy) {
    this.#copy = copy;
  }

  /** The number of records that are read or written. */
  get size(): number {
    return new Set([...this.#read.keys(), ...this.#written.keys()]).size;
  }

  get isEmpty(): boolean {
    return this.#written.size === 0;
  }

  entry(key: string): Entry | undefined {
    if (this.#entries.has(key)) return this.#entries.get(key);
    const record = this.#get(KV_PREFIX + key);
    return record && decodeEntry(record);
  }

  /** The entries whose keys begin so, in order. Entries that come later are none of them. */
  entries(prefix: string): Entry[] {
    const keys = new Set<string>();
    for (const { key } of this.#copy.range(keysWith(KV_PREFIX + prefix))) keys.add(key.slice(KV_PREFIX.length));
    for (const key of this.#entries.keys()) if (key.startsWith(prefix)) keys.add(key);
    return [...keys].sort().flatMap((key) => this.entry(key) ?? []);
  }

  put(entry: Entry): void {
    this.#entries.set(entry.key, entry);
    this.#written.set(KV_PREFIX + entry.key, encodeEntry(entry));
  }

  delete(key: string): void {
    if (this.entry(key) === undefined) return;
    this.#entries.set(key, undefined);
    this.#written.set(KV_PREFIX + key, null);
  }

  session(id: string): Session | undefined {
    const record = this.#get(SESSIONS_PREFIX + id);
    return record && decodeSession(record);
  }

  putSession(session: Session): void {
    this.#get(SESSIONS_PREFIX + session.id);
    this.#written.set(SESSIONS_PREFIX + session.id, encodeSession(session));
  }

  deleteSession(id: string): void {
    this.#written.set(SESSIONS_PREFIX + id, null);
  }

  document(key: string): Document | undefined {
    const record = this.#get(key);
    return record && decodeDocument(record);
  }

  /** Those whose keys begin so, in order, as they were before this change. */
  *documents(prefix: string): Iterable<Document> {
    for (const record of this.#copy.range(keysWith(prefix))) yield decodeDocument(record);
  }

  /** Puts a document; one that is there already changes nothing. */
  putDocument(key: string, fields: Document["fields"]): void {
    const value = encodeDocument(fields);
    const known = this.#get(key);
    if (known === undefined || !equalBytes(known.value, value)) this.#written.set(key, value);
  }

  deleteDocument(key: string): void {
    if (this.#get(key) !== undefined) this.#written.set(key, null);
  }

  commit(): Commit {
    return {
      conditions: [...this.#read].map(([key, revision]) => ({ kind: "revision", key, revision })),
      operations: [...this.#written].map(([key, value]) =>
        value === null ? { kind: "delete", key } : { kind: "put", key, value },
      ),
    };
  }

  #get(key: string): StoredRecord | undefined {
    const record = this.#copy.get(key);
    this.#read.set(key, record?.revision ?? 0n);
    return record;
  }
}
