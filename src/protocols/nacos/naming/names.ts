// Nacos' names of services as the registry's. A service of Nacos is (namespace, group, name); its default namespace is
// `public`, which clients also leave empty.

import { fail } from "../../../base/errors.ts";
import { groupScope } from "../../../model/catalogue.ts";
import type { CatalogueScope, ServiceKey } from "../../../model/ids.ts";
import { DEFAULT_GROUP, DEFAULT_NAMESPACE, makeServiceKey, parseServiceKey } from "../../../model/serviceKey.ts";

/** A service in Nacos' words; `namespace` is never empty. */
export interface ServiceName {
  readonly namespace: string;
  readonly group: string;
  readonly name: string;
}

export const PUBLIC = "public";
/** Between group and name where one text has both. */
const GROUP_END = "@@";

// The real server's rules (`ParamCheckRule`), which clients know.
const RULES = {
  namespaceId: { pattern: /^[\w-]*$/, charsMax: 64, allowed: "letters, digits, _ and -" },
  groupName: { pattern: /^[a-zA-Z0-9\-_:.]*$/, charsMax: 128, allowed: "letters, digits, and -_:." },
  serviceName: {
    pattern: /^(?!@)(?:(?!@@)[^\u4E00-\u9FA5\s])+$/,
    charsMax: 512,
    allowed: "no @ in front, no @@, no blanks and no Chinese characters",
  },
  clusterName: { pattern: /^[0-9a-zA-Z\-_]*$/, charsMax: 64, allowed: "letters, digits, - and _" },
} as const;

/** Returns the value if the field may have it. Throws FIELD_INVALID. */
export function checkedName(field: keyof typeof RULES, value: string): string {
  const { pattern, charsMax, allowed } = RULES[field];
  if (value.length <= charsMax && pattern.test(value)) return value;
  const shown = value.slice(0, 100);
  throw fail("FIELD_INVALID", { field, value: shown, expected: `${allowed}; at most ${charsMax} characters` });
}

const WORDS = { name: "serviceName", namespace: "namespaceId", group: "groupName" } as const;

/** The key of a service as a client names it; the name may have the group in front. Throws FIELD_INVALID. */
export function serviceKeyOf(named: { namespace: string; group: string; name: string }): ServiceKey {
  const { group, name } = splitName(named);
  checkedName("serviceName", name);
  checkedName("groupName", group);
  return makeServiceKey({ name, group, namespace: namespaceOf(named.namespace) }, WORDS);
}

/** The registry's namespace: empty for the default one. Throws FIELD_INVALID. */
function namespaceOf(namespace: string): string {
  return checkedName("namespaceId", namespace === PUBLIC ? "" : namespace);
}

function splitName({ group, name }: { group: string; name: string }): { group: string; name: string } {
  const at = name.indexOf(GROUP_END);
  return at < 0 ? { group, name } : { group: name.slice(0, at), name: name.slice(at + GROUP_END.length) };
}

/** The service of a key. */
export function serviceNameOf(serviceKey: ServiceKey): ServiceName {
  const { namespace, group, name } = parseServiceKey(serviceKey);
  return { namespace: namespace === DEFAULT_NAMESPACE ? PUBLIC : namespace, group, name };
}

/** `GROUP@@name` */
export function groupedName({ group, name }: Pick<ServiceName, "group" | "name">): string {
  return group + GROUP_END + name;
}

/** The services of a group. Throws FIELD_INVALID. */
export function scopeOfGroup({ namespace, group }: { namespace: string; group: string }): CatalogueScope {
  checkedName("groupName", group);
  return groupScope({ namespace: namespaceOf(namespace), group: group === "" ? DEFAULT_GROUP : group });
}
