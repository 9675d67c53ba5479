// The key of a service is one string of three parts. Every client sends the parts separately; they are checked here
// once, and the key is trusted from then on.

import { fail } from "../base/errors.ts";
import { brandDataInfoId, type DataInfoId } from "./ids.ts";

/** Between the parts of a key; no part contains it. */
export const SEPARATOR = "#@#";

/** SOFARegistry's defaults for a client that leaves the part out. */
export const DEFAULT_INSTANCE_ID = "DEFAULT_INSTANCE_ID";
export const DEFAULT_GROUP = "DEFAULT_GROUP";

// Real dataIds are class names with a version, under 200 characters. Eight times that is a mistake or an attack, and a
// key is stored many times: as map key, in logs, in metrics.
export const KEY_PART_CHARS_MAX = 1_600;

/** The three parts as a client names them. */
export interface ServiceName {
  readonly dataId: string;
  readonly instanceId: string;
  readonly group: string;
}

// The same services are named again and again. One string for each is made, checked and hashed once, and found in maps
// without a comparison. The table is direct mapped, so it is bounded.
const KNOWN_MAX = 4_096;
const known: (KnownName | undefined)[] = new Array<KnownName | undefined>(KNOWN_MAX).fill(undefined);

interface KnownName extends ServiceName {
  readonly key: DataInfoId;
}

/** Makes the key. Throws FIELD_INVALID for an empty, over-long or unprintable part. */
export function makeDataInfoId(name: ServiceName): DataInfoId {
  const { dataId, instanceId, group } = name;
  const at = placeOf(dataId, group);
  const same = known[at];
  if (same?.dataId === dataId && same.instanceId === instanceId && same.group === group) return same.key;
  const parts = [
    checkedKeyPart("dataId", dataId),
    checkedKeyPart("instanceId", instanceId === "" ? DEFAULT_INSTANCE_ID : instanceId),
    checkedKeyPart("group", group === "" ? DEFAULT_GROUP : group),
  ];
  const key = brandDataInfoId(parts.join(SEPARATOR));
  known[at] = { dataId, instanceId, group, key };
  return key;
}

function placeOf(dataId: string, group: string): number {
  let hash = group.length;
  for (let at = 0; at < dataId.length; at++) hash = (Math.imul(hash, 31) + dataId.charCodeAt(at)) | 0;
  return (hash ^ (hash >>> 15)) & (KNOWN_MAX - 1);
}

/** The parts of a key; parts hold no separator, so there is only one reading. */
export function parseDataInfoId(key: DataInfoId): ServiceName {
  const [dataId = "", instanceId = "", group = ""] = key.split(SEPARATOR);
  return { dataId, instanceId, group };
}

/** Reads a key typed by a person or a script. Throws FIELD_INVALID if it does not have three parts. */
export function readDataInfoId(text: string): DataInfoId {
  const parts = text.split(SEPARATOR);
  const [dataId, instanceId, group] = parts;
  if (parts.length !== 3 || dataId === undefined || instanceId === undefined || group === undefined) {
    throw fail("FIELD_INVALID", { field: "dataInfoId", value: text, expected: "dataId#@#instanceId#@#group" });
  }
  return makeDataInfoId({ dataId, instanceId, group });
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
