// Turns the text of a flag, an environment variable or the config file into the value of a key, or refuses it.

import { unreachable } from "./assert.ts";
import type { KeySpec, ListKey, NumberKey, PathKey, SettingValue, StringKey } from "./keySpec.ts";

/** The value of a key that is no path; undefined if `raw` is not allowed, as described by `describeAllowed`. */
export function parseSetting(spec: Exclude<KeySpec, PathKey>, raw: unknown): SettingValue | undefined {
  switch (spec.type) {
    case "integer":
    case "duration-ms":
      return parseNumber(spec, raw);
    case "boolean":
      return parseBoolean(raw);
    case "string":
      return typeof raw === "string" && isAllowed(spec, raw) ? raw : undefined;
    case "list":
      return parseList(spec, raw);
    default:
      return unreachable(spec);
  }
}

/** The allowed values of a key, in words: `a whole number, 0 to 65535`. */
export function describeAllowed(spec: KeySpec): string {
  switch (spec.type) {
    case "integer":
      return `${spec.isZeroAllowed ? "0, or " : ""}a whole number, ${spec.min} to ${spec.max}`;
    case "duration-ms":
      return `milliseconds, ${spec.min} to ${spec.max}`;
    case "boolean":
      return "true or false, 1 or 0";
    case "string":
      return spec.oneOf?.join(", ") ?? spec.allowed ?? "text";
    case "path":
      return spec.isEmptyAllowed === true ? "a path, or nothing" : "a path";
    case "list":
      return `${spec.oneOf?.join(", ") ?? spec.allowed ?? "texts"}, separated by commas`;
    default:
      return unreachable(spec);
  }
}

function parseNumber(spec: NumberKey, raw: unknown): number | undefined {
  const value = typeof raw === "string" && /^-?\d{1,15}$/.test(raw) ? Number(raw) : raw;
  if (typeof value !== "number" || !Number.isInteger(value)) return undefined;
  if (value === 0 && spec.isZeroAllowed) return value;
  return value >= spec.min && value <= spec.max ? value : undefined;
}

function parseBoolean(raw: unknown): boolean | undefined {
  if (typeof raw === "boolean") return raw;
  // The form of environment variables: ROSTER_INSECURE=1.
  if (raw === "true" || raw === "1") return true;
  return raw === "false" || raw === "0" ? false : undefined;
}

function parseList(spec: ListKey, raw: unknown): readonly string[] | undefined {
  // An empty text is an empty list, like an empty array in the file.
  const items = typeof raw === "string" ? raw.split(",").flatMap((item) => item.trim() || []) : raw;
  if (!Array.isArray(items)) return undefined;
  return items.every((item): item is string => typeof item === "string" && isAllowed(spec, item)) ? items : undefined;
}

function isAllowed(spec: StringKey | ListKey, value: string): boolean {
  if (spec.oneOf !== undefined) return spec.oneOf.includes(value);
  return spec.pattern?.test(value) ?? true;
}
