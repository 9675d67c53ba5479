// Records that are objects of JSON: configuration entries, and prepared queries with their names.

import type { StoredRecord } from "../../../records/records.ts";
import { PREFIX } from "./entries.ts";

/** The prefixes of the records, by what they are. */
export const DOCUMENTS = {
  config: `${PREFIX}config/`,
  query: `${PREFIX}queries/`,
  queryName: `${PREFIX}query-names/`,
} as const;

/** The object of a record; indexes are revisions of the store. */
export interface Document {
  readonly key: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly createIndex: bigint;
  readonly modifyIndex: bigint;
}

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder("utf-8");

export function encodeDocument(fields: Document["fields"]): Uint8Array {
  return ENCODER.encode(JSON.stringify(fields));
}

export function decodeDocument({ key, value, revision, createdRevision }: StoredRecord): Document {
  const fields: unknown = JSON.parse(DECODER.decode(value));
  return {
    key,
    fields: typeof fields === "object" && fields !== null ? { ...fields } : {},
    createIndex: createdRevision,
    modifyIndex: revision,
  };
}

/** A name as a part of a record's key: it may be empty, and have slashes. */
export function keyPart(name: string): string {
  return encodeURIComponent(name);
}
