// The records of application-level discovery: for each revision its content, which is read when it is asked for, and a
// head, which the leader keeps in memory; for each application the services that it offers; and the version of all of
// these, which every change of them demands and replaces: so a commit of an earlier lead, or one whose outcome was not
// known, is never followed by one that does not know of it.

import { ByteReader, ByteWriter } from "../base/bytes.ts";
import { fail, RegistryError } from "../base/errors.ts";
import type { AppRevision } from "../model/appRevision.ts";
import type { StoredRecord } from "../records/records.ts";

/** The prefix of all of them. */
export const APPS_PREFIX = "apps/";

/** The prefix of the contents. */
export const CONTENTS_PREFIX = `${APPS_PREFIX}contents/`;

/** The prefix of the records that the leader reads as a whole. */
export const INDEX_PREFIX = `${APPS_PREFIX}index/`;
const HEADS = `${INDEX_PREFIX}heads/`;
const SERVICES = `${INDEX_PREFIX}services/`;
/** The key of the version. */
export const VERSION_KEY = `${INDEX_PREFIX}version`;

/** The key of a revision's content, of its head, and of an application's services. */
export const keyOfContent = (id: string): string => CONTENTS_PREFIX + id;
export const keyOfHead = (id: string): string => HEADS + id;
export const keyOfServices = (application: string): string => SERVICES + application;

/** A revision without its content. */
export interface Head {
  readonly application: string;
  /** The size of the content. */
  readonly bytes: number;
  /** The last time at which it was registered or renewed. */
  readonly seenMs: number;
}

/** The services of an application, with the times at which a revision was last known to offer them. */
export type OfferedServices = ReadonlyMap<string, number>;

/** One record of the index. */
export type IndexRecord =
  | { readonly kind: "head"; readonly id: string; readonly head: Head }
  | { readonly kind: "services"; readonly application: string; readonly services: OfferedServices }
  | { readonly kind: "version"; readonly version: bigint };

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

export function contentValue({ application, services, content }: AppRevision): Uint8Array {
  const head = jsonValue([application, services]);
  const writer = new ByteWriter(4 + head.length + content.length);
  writer.u32(head.length);
  writer.bytes(head);
  writer.bytes(content);
  return writer.done();
}

export function headValue({ application, bytes, seenMs }: Head): Uint8Array {
  return jsonValue([application, bytes, seenMs]);
}

export function servicesValue(services: OfferedServices): Uint8Array {
  return jsonValue([...services]);
}

export function versionValue(version: bigint): Uint8Array {
  return jsonValue(String(version));
}

/** The revision that a record has. Throws STORE_UNAVAILABLE for a value that this program did not write. */
export function readContent({ key, value }: StoredRecord): AppRevision {
  return readable(key, () => {
    const reader = new ByteReader(value, (details) => fail("STORE_UNAVAILABLE", details));
    const length = reader.u32();
    const [application, services] = parse(value.subarray(4, 4 + length)) as [string, string[]];
    return { id: key.slice(CONTENTS_PREFIX.length), application, services, content: value.slice(4 + length) };
  });
}

/** Reads a record of the index; undefined for one of a later release. Throws STORE_UNAVAILABLE as above. */
export function readIndexRecord({ key, value }: StoredRecord): IndexRecord | undefined {
  return readable(key, () => {
    if (key === VERSION_KEY) return { kind: "version", version: BigInt(parse(value) as string) };
    if (key.startsWith(HEADS)) {
      const [application, bytes, seenMs] = parse(value) as [string, number, number];
      return { kind: "head", id: key.slice(HEADS.length), head: { application, bytes, seenMs } };
    }
    if (!key.startsWith(SERVICES)) return undefined;
    const services = new Map(parse(value) as [string, number][]);
    return { kind: "services", application: key.slice(SERVICES.length), services };
  });
}

function jsonValue(value: unknown): Uint8Array {
  return encoder.encode(JSON.stringify(value));
}

function parse(value: Uint8Array): unknown {
  return JSON.parse(decoder.decode(value));
}

function readable<T>(key: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof RegistryError) throw error;
    throw fail("STORE_UNAVAILABLE", { reason: "a record that this program did not write", key });
  }
}
