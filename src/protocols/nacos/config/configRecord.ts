// Configurations and what else is kept for them, as the values of records: a line of JSON, and for those with a content
// its UTF-8 after it. The content stands apart so that lists and comparisons of digests need not read it.

import { fail } from "../../../base/errors.ts";
import { md5 } from "../../../base/md5.ts";
import {
  fieldsOf,
  type JsonFields,
  listField,
  parseJson,
  textField,
  wholeField,
} from "../../../encoding/json/fields.ts";
import type { StoredRecord } from "../../../records/records.ts";

/** All of a configuration but its content. Absent texts are empty. */
export interface ConfigHead {
  /** Of the content. */
  readonly md5: string;
  readonly type: string;
  readonly appName: string;
  readonly desc: string;
  /** With commas between. */
  readonly tags: string;
  /** The key by which the client has encrypted the content; the server does not look into either. */
  readonly encryptedDataKey: string;
  readonly use: string;
  readonly effect: string;
  readonly schema: string;
  readonly createdMs: number;
  readonly modifiedMs: number;
  /** The makers of the first change and of the last one, and the addresses that they came from. */
  readonly createdBy: string;
  readonly createdFrom: string;
  readonly modifiedBy: string;
  readonly modifiedFrom: string;
  /** How often it was changed since it was made. */
  readonly changes: number;
}

/** The clients that a gray release is for: those at some addresses, or with a tag. */
export type GrayRule =
  | { readonly kind: "beta"; readonly ips: readonly string[] }
  | { readonly kind: "tag"; readonly tag: string };

/** One entry of a configuration's history. */
export interface HistoryHead {
  /** Grows with the time. */
  readonly id: number;
  /** Inserted, updated or deleted. Of the latter two the content is the one before. */
  readonly operation: "I" | "U" | "D";
  /** Empty for the configuration itself. */
  readonly grayName: string;
  readonly md5: string;
  readonly type: string;
  readonly appName: string;
  readonly encryptedDataKey: string;
  readonly atMs: number;
  readonly by: string;
  readonly from: string;
}

export interface NamespaceHead {
  readonly name: string;
  readonly desc: string;
}

export interface LockHead {
  readonly endMs: number;
}

export interface WithContent<Head> {
  readonly head: Head;
  readonly content: Uint8Array;
}

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder("utf-8", { ignoreBOM: true });
const LINE_END = 0x0a;
// No time is above.
const NUMBER = { min: 0, max: Number.MAX_SAFE_INTEGER } as const;

const TEXTS = ["md5", "type", "appName", "desc", "tags", "encryptedDataKey", "use", "effect", "schema"] as const;
const MAKERS = ["createdBy", "createdFrom", "modifiedBy", "modifiedFrom"] as const;
const HISTORY_TEXTS = ["grayName", "md5", "type", "appName", "encryptedDataKey", "by", "from"] as const;

/** The digest of a content, as clients compare it. */
export function md5OfText(content: Uint8Array): string {
  return md5(content);
}

export function writeHead(head: object): Uint8Array {
  return ENCODER.encode(JSON.stringify(head));
}

export function writeWithContent(head: object, content: Uint8Array): Uint8Array {
  const line = writeHead(head);
  const value = new Uint8Array(line.length + 1 + content.length);
  value.set(line);
  value[line.length] = LINE_END;
  value.set(content, line.length + 1);
  return value;
}

/** Throws STORE_DAMAGED for a record that is none of ours; so do the readers below. */
export function readConfig(record: StoredRecord): WithContent<ConfigHead> {
  return readWithContent(record, configHeadIn);
}

export function readGray(record: StoredRecord): WithContent<ConfigHead & { readonly rule: GrayRule }> {
  return readWithContent(record, (fields) => ({ ...configHeadIn(fields), rule: ruleIn(fields) }));
}

export function readHistory(record: StoredRecord): HistoryHead {
  return readAs(record, (fields) => {
    const operation = textField(fields, "operation");
    return {
      ...textsOf(fields, HISTORY_TEXTS),
      id: wholeField(fields, "id", NUMBER) ?? 0,
      operation: operation === "I" || operation === "D" ? operation : "U",
      atMs: wholeField(fields, "atMs", NUMBER) ?? 0,
    };
  });
}

export function readNamespace(record: StoredRecord): NamespaceHead {
  return readAs(record, (fields) => textsOf(fields, ["name", "desc"]));
}

export function readLock(record: StoredRecord): LockHead {
  return readAs(record, (fields) => ({ endMs: wholeField(fields, "endMs", NUMBER) ?? 0 }));
}

function configHeadIn(fields: JsonFields): ConfigHead {
  return {
    ...textsOf(fields, TEXTS),
    ...textsOf(fields, MAKERS),
    createdMs: wholeField(fields, "createdMs", NUMBER) ?? 0,
    modifiedMs: wholeField(fields, "modifiedMs", NUMBER) ?? 0,
    changes: wholeField(fields, "changes", NUMBER) ?? 0,
  };
}

function ruleIn(fields: JsonFields): GrayRule {
  const rule = fieldsOf(fields.get("rule"), "rule");
  if (textField(rule, "kind") === "tag") return { kind: "tag", tag: textField(rule, "tag") ?? "" };
  return { kind: "beta", ips: listField(rule, "ips", Number.POSITIVE_INFINITY).map(String) };
}

function textsOf<Name extends string>(fields: JsonFields, names: readonly Name[]): Readonly<Record<Name, string>> {
  return Object.fromEntries(names.map((name) => [name, textField(fields, name) ?? ""])) as Record<Name, string>;
}

function readWithContent<Head>(record: StoredRecord, head: (fields: JsonFields) => Head): WithContent<Head> {
  const { value } = record;
  const end = value.indexOf(LINE_END);
  const line = end < 0 ? value : value.subarray(0, end);
  return { head: readAs({ ...record, value: line }, head), content: end < 0 ? NO_BYTES : value.subarray(end + 1) };
}

const NO_BYTES = new Uint8Array();

function readAs<Head>({ key, value }: StoredRecord, head: (fields: JsonFields) => Head): Head {
  try {
    return head(fieldsOf(parseJson(DECODER.decode(value)), "record"));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw fail("STORE_DAMAGED", { key, reason, toDelete: "the record by hand, as docs/internals/records.md says" });
  }
}
