// Application-level discovery. An application describes the services that it offers once, under a name that is made
// from the description: its revision. A description never changes, so it may be copied and kept anywhere. Instances are
// then published for the application, one registration each instead of one for each service, and name their revision.

import { fail } from "../base/errors.ts";
import { checkedKeyPart, KEY_PART_CHARS_MAX, SEPARATOR } from "./serviceKey.ts";

/** The description of an application, as its gateway has it in bytes. */
export interface AppRevision {
  /** The name, which clients make from the content; the registry does not check that it belongs to the content. */
  readonly id: string;
  readonly application: string;
  /** The services that the application offers, by the names under which consumers ask for them. */
  readonly services: readonly string[];
  /** The whole description in bytes that only gateways look into. */
  readonly content: Uint8Array;
}

/** The applications that offer one service. The version grows with each change. */
export interface ServiceApps {
  readonly service: string;
  readonly version: bigint;
  readonly applications: readonly string[];
}

/** The most bytes of a description: five times the largest ones that are known. A store takes twice as much at once. */
export const REVISION_BYTES_MAX = 512 * 1024;
/** The most services of one revision: each takes some 20 bytes of the content at least. */
export const REVISION_SERVICES_MAX = 10_000;
/** The most revisions that one publication names. An instance has one; a publisher with several boxes may have some. */
export const REVISIONS_NAMED_MAX = 16;

/**
 * The attribute by which a publication names the revisions of its instances, joined by commas. Gateways set it; a
 * client may also send it itself.
 */
export const REVISION_ATTRIBUTE = "!Revision";

const JOINT = ",";
// Clients make an MD5 or SHA sum in hexadecimal digits. A name stands in keys of the store, in logs and in lists.
const REVISION_ID = /^[!-+\--~]{1,256}$/;

const NONE: readonly string[] = [];

/** Returns `id` if it may be the name of a revision. Throws FIELD_INVALID. */
export function checkedRevisionId(id: string): string {
  if (REVISION_ID.test(id)) return id;
  const expected = "1 to 256 printable ASCII characters without blanks and commas";
  throw fail("FIELD_INVALID", { field: "revision", value: id.slice(0, REVISION_ID_SHOWN), expected });
}

const REVISION_ID_SHOWN = 300;

/**
 * Returns `name` if it may be the name of an application, which is part of a key of the store. Throws FIELD_INVALID.
 */
export function checkedApplication(name: string): string {
  if (name.length <= APPLICATION_CHARS_MAX) return checkedKeyPart("application", name);
  const expected = `at most ${APPLICATION_CHARS_MAX} characters`;
  throw fail("FIELD_INVALID", { field: "application", characters: name.length, expected });
}

const APPLICATION_CHARS_MAX = 600;

/** Returns `name` if it may be the name of a service: one part, or the three of a key. Throws FIELD_INVALID. */
export function checkedServiceName(name: string): string {
  if (!name.includes(SEPARATOR)) return checkedKeyPart("service", name);
  const parts = name.slice(0, SERVICE_PARTS * KEY_PART_CHARS_MAX).split(SEPARATOR);
  if (parts.length !== SERVICE_PARTS) {
    throw fail("FIELD_INVALID", { field: "service", value: name, expected: "one part, or three of a key" });
  }
  for (const part of parts) checkedKeyPart("service", part);
  return name;
}

const SERVICE_PARTS = 3;

/** The value of REVISION_ATTRIBUTE that names these. Throws FIELD_INVALID. */
export function namingOf(ids: Iterable<string>): string {
  const named = new Set<string>();
  for (const id of ids) named.add(checkedRevisionId(id));
  if (named.size > REVISIONS_NAMED_MAX) {
    throw fail("FIELD_INVALID", { field: "revision", count: named.size, expected: `at most ${REVISIONS_NAMED_MAX}` });
  }
  return [...named].join(JOINT);
}

/** The revisions that a publication with these attributes names; none for all but publications of applications. */
export function revisionsNamedBy({ attributes }: { attributes: ReadonlyMap<string, string> }): readonly string[] {
  // Asked for each publication of each list; nearly all have no attributes.
  if (attributes.size === 0) return NONE;
  const value = attributes.get(REVISION_ATTRIBUTE);
  return value === undefined || value === "" ? NONE : value.split(JOINT, REVISIONS_NAMED_MAX);
}
