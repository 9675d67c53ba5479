// The key of a service is one string of three parts. Clients send the parts separately; they are checked here
// once, and the key is trusted from then on.

import { fail } from "../base/errors.ts";
import { brandServiceKey, type ServiceKey } from "./ids.ts";

/** Between the parts of a key; no part contains it. */
export const SEPARATOR = "#@#";

/** The namespace and group of a client that names none: SOFARegistry's words for them, which its clients show. */
export const DEFAULT_NAMESPACE = "DEFAULT_INSTANCE_ID";
export const DEFAULT_GROUP = "DEFAULT_GROUP";

// Real names are class names with a version, under 200 characters. Eight times that is a mistake or an attack, and a
// key is stored many times: as map key, in logs, in metrics.
export const KEY_PART_CHARS_MAX = 1_600;

/** The three parts of a key. The data center is the cluster's own and not among them. */
export interface ServiceKeyParts {
  readonly name: string;
  readonly namespace: string;
  readonly group: string;
}

/** A protocol's own words for the parts, for its refusals. */
export type PartWords = Readonly<Record<keyof ServiceKeyParts, string>>;

const WORDS: PartWords = { name: "name", namespace: "namespace", group: "group" };

// The same services are named again and again. One string for each is made, checked and hashed once, and found in maps
// without a comparison. The table is direct mapped, so it is bounded.
const KNOWN_MAX = 4_096;
const known: (KnownKey | undefined)[] = new Array<KnownKey | undefined>(KNOWN_MAX).fill(undefined);

interface KnownKey extends ServiceKeyParts {
  readonly key: ServiceKey;
}

/**
 * Makes the key; an empty namespace or group stands for its default. Throws FIELD_INVALID for an empty name, and for an
 * over-long or unprintable part; `words` is what the refusal calls the parts.
 */
export function makeServiceKey({ name, namespace, group }: ServiceKeyParts, words = WORDS): ServiceKey {
  const at = placeOf(name, group);
  const same = known[at];
  if (same?.name === name && same.namespace === namespace && same.group === group) return same.key;
  const parts = [
    checkedKeyPart(words.name, name),
    checkedKeyPart(words.namespace, namespace === "" ? DEFAULT_NAMESPACE : namespace),
    checkedKeyPart(words.group, group === "" ? DEFAULT_GROUP : group),
  ];
  const key = brandServiceKey(parts.join(SEPARATOR));
  known[at] = { name, namespace, group, key };
  return key;
}

function placeOf(name: string, group: string): number {
  let hash = group.length;
  for (let at = 0; at < name.length; at++) hash = (Math.imul(hash, 31) + name.charCodeAt(at)) | 0;
  return (hash ^ (hash >>> 15)) & (KNOWN_MAX - 1);
}

/** The parts of a key; parts hold no separator, so there is only one reading. */
export function parseServiceKey(key: ServiceKey): ServiceKeyParts {
  const [name = "", namespace = "", group = ""] = key.split(SEPARATOR);
  return { name, namespace, group };
}

/** Reads a key typed by a person or a script as `field`. Throws FIELD_INVALID if it does not have three parts. */
export function readServiceKey(text: string, field: string): ServiceKey {
  const parts = text.split(SEPARATOR);
  const [name, namespace, group] = parts;
  if (parts.length !== 3 || name === undefined || namespace === undefined || group === undefined) {
    throw fail("FIELD_INVALID", { field, value: text, expected: `name${SEPARATOR}namespace${SEPARATOR}group` });
  }
  return makeServiceKey({ name, namespace, group });
}

/** Returns `value` if it may be part of a key or another name. Throws FIELD_INVALID. */
export function checkedKeyPart(field: string, value: string): string {
  if (value.length === 0) throw fail("FIELD_INVALID", { field, value, expected: "at least one character" });
  if (value.length > KEY_PART_CHARS_MAX) {
    throw fail("FIELD_INVALID", {
      field,
      characters: value.length,
      expected: `at most ${KEY_PART_CHARS_MAX} characters`,
    });
  }
  if (isPlain(value)) return value;
  if (FORBIDDEN.test(value)) {
    throw fail("FIELD_INVALID", { field, value, expected: "no control, bidi or lone surrogate characters" });
  }
  // Not inside, and not across the border either: "x#@" and "#@#" would read as "x" and "@#…".
  if (`${value}${SEPARATOR}`.indexOf(SEPARATOR) !== value.length) {
    throw fail("FIELD_INVALID", { field, value, expected: `no "${SEPARATOR}" inside, and no "#@" at the end` });
  }
  return value;
}

// Printable ASCII without the separator's first letter, as in nearly every name: ten times as fast to check.
function isPlain(value: string): boolean {
  for (let at = 0; at < value.length; at++) {
    const unit = value.charCodeAt(at);
    if (unit < 0x20 || unit > 0x7e || unit === 0x23) return false;
  }
  return true;
}

// Control characters forge log lines, bidi controls show a name as another one, lone surrogates have no UTF-8.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const FORBIDDEN = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|\p{Surrogate}/u;
