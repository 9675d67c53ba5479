// The names of configurations: namespace, group and dataId, by Nacos' rules, and as keys of records. None of the three
// may have a slash, so slashes can stand between them.

import { fail } from "../../../base/errors.ts";
import { gatewayPrefix } from "../../../records/gatewayRecords.ts";

/** A configuration in Nacos' words; the default namespace is `public`, also for clients that leave it empty. */
export interface ConfigKey {
  readonly namespace: string;
  readonly group: string;
  readonly dataId: string;
}

export const PUBLIC = "public";

const PREFIX = gatewayPrefix("nacos");
/** The prefix of all that sessions have a copy of. */
export const NOW_PREFIX = `${PREFIX}now/`;
export const CONFIG_PREFIX = `${NOW_PREFIX}config/`;
export const GRAY_PREFIX = `${NOW_PREFIX}gray/`;
export const NAMESPACE_PREFIX = `${NOW_PREFIX}namespace/`;
export const LOCK_PREFIX = `${NOW_PREFIX}lock/`;
/** The history of configurations, which is read when someone asks for it. */
export const ENTRY_PREFIX = `${PREFIX}past/entry/`;
export const CONTENT_PREFIX = `${PREFIX}past/content/`;

// The real server's rules (`ParamCheckRule`), which clients know.
const RULES = {
  namespaceId: { pattern: /^[\w-]*$/, charsMax: 128 },
  group: { pattern: /^[\w\-:.]+$/, charsMax: 128 },
  dataId: { pattern: /^[\w\-:.]+$/, charsMax: 256 },
  tag: { pattern: /^[\w\-:.]*$/, charsMax: 64 },
} as const;

const ALLOWED = "letters, digits, and -_:.";
const SHOWN_CHARS_MAX = 100;

/** Returns the value if the field may have it. Throws FIELD_INVALID. */
export function checkedName(field: keyof typeof RULES, value: string): string {
  const { pattern, charsMax } = RULES[field];
  if (value.length <= charsMax && pattern.test(value)) return value;
  const shown = value.slice(0, SHOWN_CHARS_MAX);
  throw fail("FIELD_INVALID", { field, value: shown, expected: `${ALLOWED}; at most ${charsMax} characters` });
}

/** The configuration that a client names. Throws FIELD_INVALID. */
export function configKeyOf({ namespace, group, dataId }: ConfigKey): ConfigKey {
  return {
    namespace: namespaceOf(namespace),
    group: checkedName("group", group),
    dataId: checkedName("dataId", dataId),
  };
}

/** The namespace that a client names; empty means the default one. Throws FIELD_INVALID. */
export function namespaceOf(namespace: string): string {
  const named = namespace.trim();
  return named === "" ? PUBLIC : checkedName("namespaceId", named);
}

/** `namespace/group/dataId`: what follows the prefix in the key of a record. */
export function pathOf({ namespace, group, dataId }: ConfigKey): string {
  return `${namespace}/${group}/${dataId}`;
}

/** The configuration of a path, which may have more after it. */
export function keyOfPath(path: string): ConfigKey {
  const [namespace = "", group = "", dataId = ""] = path.split("/");
  return { namespace, group, dataId };
}

/** The last part of the keys of an entry in the history: they are in the order of time. */
export function historyName(id: number): string {
  return String(id).padStart(17, "0");
}

/** The name that fuzzy watches and long polls have for a configuration: `dataId+group[+namespace]`. */
export function groupKeyOf({ namespace, group, dataId }: ConfigKey): string {
  return `${escaped(dataId)}+${escaped(group)}+${escaped(namespace)}`;
}

/** The configuration that a client's `groupKey` names; undefined for one that is none. */
export function keyOfGroupKey(groupKey: string): ConfigKey | undefined {
  const [dataId, group, namespace = PUBLIC, more] = groupKey.split("+").map(unescaped);
  if (dataId === undefined || group === undefined || more !== undefined) return undefined;
  return { namespace: namespace === "" ? PUBLIC : namespace, group, dataId };
}

function escaped(part: string): string {
  return part.replaceAll("%", "%25").replaceAll("+", "%2B");
}

function unescaped(part: string): string {
  return part.replaceAll("%2B", "+").replaceAll("%25", "%");
}
