// Operations on configuration values, which clients watch.

import { fail } from "../../base/errors.ts";
import type { ConfigValue } from "../../cluster/messages/membership.ts";
import type { ServiceKey } from "../../model/ids.ts";
import { matchesName, readNamePattern } from "../../model/namePattern.ts";
import { KEY_PART_CHARS_MAX, parseServiceKey } from "../../model/serviceKey.ts";
import type { OperatedNode } from "../operatedNode.ts";
import { operation } from "../operation.ts";
import { PAGE_FIELDS, PAGE_PARAMETERS, pageOf } from "../paging.ts";
import type { ServiceParameter, VersionParameter } from "../parameter.ts";
import { flag, integer, type Json, list, long, object, text } from "../schema.ts";
import { DONE, metaOf } from "./nodes.ts";

const KEY_FIELDS = {
  key: text("The key: `dataId#@#instanceId#@#group`."),
  dataId: text("The name that clients watch."),
  instanceId: text("Its instanceId."),
  group: text("Its group."),
  version: long("The version, which only grows; for `ifVersion`."),
};

const KEY: ServiceParameter & { readonly isRequired: true } = {
  type: "service",
  isRequired: true,
  about: "The value's key: `dataId#@#instanceId#@#group`, or the dataId alone.",
};

const IF_VERSION: VersionParameter = {
  type: "version",
  about:
    "The change is made only if the value has this version, as it was read; 0: only if there is no value. " +
    "Without it the change is made in any case.",
};

// No setting allows a larger value; config-value-bytes-max is the bound in force.
const VALUE_CHARS_MAX = 64 * 1024 * 1024;

type SetValue = ConfigValue & { readonly data: string };

function isSet(value: ConfigValue | undefined): value is SetValue {
  return value !== undefined && value.data !== null;
}

function keyFields({ serviceKey, version }: Pick<ConfigValue, "serviceKey" | "version">): Record<string, Json> {
  const { name, namespace, group } = parseServiceKey(serviceKey);
  return { key: serviceKey, dataId: name, instanceId: namespace, group, version: String(version) };
}

function unknownValue(key: ServiceKey) {
  return fail("CONFIG_VALUE_UNKNOWN", { key });
}

/** For the audit trail: a value may hold secrets of the clients that read it. */
function stateOfValue(node: OperatedNode, { key }: { readonly key: ServiceKey }): Json | undefined {
  const value = metaOf(node).config(key);
  return isSet(value) ? { version: String(value.version), chars: value.data.length } : undefined;
}

export const listConfigs = operation({
  name: "configs.list",
  method: "GET",
  path: "/configs",
  about: "Lists the configuration values that are set, without their data.",
  parameters: {
    pattern: {
      type: "text",
      charsMax: KEY_PART_CHARS_MAX,
      default: "*",
      about: "The dataIds of interest: `*` stands for any characters.",
    },
    ...PAGE_PARAMETERS,
  },
  command: { words: ["get configs", "config list"], positional: ["pattern"], columns: ["key", "version", "chars"] },
  isChange: false,
  permission: "read",
  canBePreviewed: false,
  answeredBy: { kind: "leader" },
  answer: object({
    items: list(object({ ...KEY_FIELDS, chars: integer("The length of its data.") }), "A page of values."),
    ...PAGE_FIELDS,
  }),
  run(node, { pattern, limit, after }) {
    const wanted = readNamePattern(pattern);
    const values = [...metaOf(node).configs()].filter(isSet);
    const matching = values.filter(({ serviceKey }) => matchesName(parseServiceKey(serviceKey).name, wanted));
    const { entries, total, next } = pageOf(matching, { limit, after, keyOf: ({ serviceKey }) => serviceKey });
    const items = entries.map((value) => ({ ...keyFields(value), chars: value.data.length }));
    return { items, total, next };
  },
});

export const getConfig = operation({
  name: "configs.get",
  method: "GET",
  path: "/config",
  about: "Shows a configuration value.",
  parameters: { key: KEY },
  command: { words: ["get config", "config get"] },
  isChange: false,
  permission: "read",
  canBePreviewed: false,
  answeredBy: { kind: "leader" },
  answer: object({ ...KEY_FIELDS, data: text("The value.") }),
  run(node, { key }) {
    const value = metaOf(node).config(key);
    if (!isSet(value)) throw unknownValue(key);
    return { ...keyFields(value), data: value.data };
  },
});

export const putConfig = operation({
  name: "configs.put",
  method: "PUT",
  path: "/config",
  about: "Sets a configuration value: clients that watch it receive it at once.",
  parameters: {
    key: KEY,
    data: { type: "text", charsMax: VALUE_CHARS_MAX, isRequired: true, about: "The value; not empty." },
    ifVersion: IF_VERSION,
  },
  command: { words: ["config set"] },
  isChange: true,
  permission: "configure",
  canBePreviewed: true,
  answeredBy: { kind: "leader" },
  answer: object({
    ...KEY_FIELDS,
    isDone: flag("False for a preview: nothing was changed, and the version is the present one, 0 for none."),
  }),
  takesValue: true,
  state: stateOfValue,
  async run(node, { key, data, ifVersion }, isPreview) {
    const meta = metaOf(node);
    if (data === "") throw fail("FIELD_INVALID", { field: "data", value: "", expected: "at least one character" });
    checkUnpadded(key);
    const refusal = meta.configRefusal(key, data);
    if (refusal !== undefined) throw refusal;
    if (isPreview) return { ...preview(meta.config(key), key, ifVersion), isDone: false };
    await meta.putConfig(key, data, ifVersion);
    return { ...keyFields({ serviceKey: key, version: meta.config(key)?.version ?? 0n }), isDone: true };
  },
});

/** A blank around a name is a slip: no client watches it. A value stored under such a name can still be removed. */
function checkUnpadded(key: ServiceKey): void {
  for (const part of Object.values(parseServiceKey(key))) {
    if (part === part.trim()) continue;
    throw fail("FIELD_INVALID", { field: "key", value: key, expected: "parts without leading or trailing blanks" });
  }
}

/** The present state of a value that a change would be made to. Throws VERSION_CONFLICT. */
function preview(value: ConfigValue | undefined, key: ServiceKey, ifVersion: bigint | undefined): Record<string, Json> {
  const version = isSet(value) ? value.version : 0n;
  if (ifVersion !== undefined && ifVersion !== version) throw fail("VERSION_CONFLICT", { key, ifVersion, version });
  return keyFields({ serviceKey: key, version });
}

export const removeConfig = operation({
  name: "configs.remove",
  method: "DELETE",
  path: "/config",
  about: "Removes a configuration value: clients that watch it are told that there is none.",
  parameters: { key: KEY, ifVersion: IF_VERSION },
  command: { words: ["config remove"] },
  isChange: true,
  permission: "configure",
  canBePreviewed: true,
  answeredBy: { kind: "leader" },
  answer: DONE,
  state: stateOfValue,
  async run(node, { key, ifVersion }, isPreview) {
    const meta = metaOf(node);
    const value = meta.config(key);
    // The version in the refusal is more help than that there is none any more.
    preview(value, key, ifVersion);
    if (!isSet(value)) throw unknownValue(key);
    if (isPreview) return { isDone: false, message: `${key} would be removed` };
    await meta.putConfig(key, null, ifVersion);
    return { isDone: true, message: `${key} is removed` };
  },
});
