// The value of a key of the configuration table, paths included.

import { resolve } from "node:path";
import type { KeySpec, SettingValue } from "../../base/keySpec.ts";
import { parseSetting } from "../../base/parseSetting.ts";

/** The value of a key; undefined if `raw` is not allowed, as described by `describeAllowed`. */
export function parseValue(spec: KeySpec, raw: unknown): SettingValue | undefined {
  if (spec.type !== "path") return parseSetting(spec, raw);
  if (raw === "" && spec.isEmptyAllowed === true) return raw;
  // No operating system has NUL in a path, and Node's own error for it names neither key nor source.
  return typeof raw === "string" && raw !== "" && !raw.includes("\0") ? resolve(raw) : undefined;
}
