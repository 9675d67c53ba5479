// The patterns of fuzzy watches: `namespace>>group>>dataId`, of which group and dataId may have * at their beginning,
// at their end, or both.

import { fail } from "../../../base/errors.ts";
import { type ConfigKey, namespaceOf } from "./configKey.ts";

export interface FuzzyPattern {
  /** As the client has written it. */
  readonly text: string;
  readonly namespace: string;
  matches(key: ConfigKey): boolean;
}

const BETWEEN = ">>";
const CHARS_MAX = 512;

/** Throws FIELD_INVALID. */
export function fuzzyPattern(text: string): FuzzyPattern {
  const [namespace = "", group = "", dataId = "", more] = text.split(BETWEEN);
  if (text.length > CHARS_MAX || more !== undefined || group === "" || dataId === "") {
    const expected = `namespace${BETWEEN}group${BETWEEN}dataId, of ${CHARS_MAX} characters at most`;
    throw fail("FIELD_INVALID", { field: "groupKeyPattern", value: text.slice(0, 100), expected });
  }
  const [isGroup, isDataId] = [matcherOf(group), matcherOf(dataId)];
  const wanted = namespaceOf(namespace);
  return {
    text,
    namespace: wanted,
    matches: (key) => key.namespace === wanted && isGroup(key.group) && isDataId(key.dataId),
  };
}

/** Whether a name is as the pattern says, where * stands for anything. */
export function matcherOf(pattern: string): (name: string) => boolean {
  const parts = pattern.split("*");
  if (parts.length === 1) return (name) => name === pattern;
  const [first = "", last = ""] = [parts[0], parts.at(-1)];
  const between = parts.slice(1, -1).filter((part) => part !== "");
  return (name) => {
    if (!name.startsWith(first)) return false;
    let at = first.length;
    for (const part of between) {
      const found = name.indexOf(part, at);
      if (found < 0) return false;
      at = found + part.length;
    }
    return name.length - last.length >= at && name.endsWith(last);
  };
}
