// Searches for configurations: `accurate` takes names as they are, `blur` takes * for anything.

import { fail } from "../../../../base/errors.ts";
import type { Params } from "../../params.ts";
import type { ConfigKey } from "../configKey.ts";
import type { ConfigStore, StoredConfig } from "../configStore.ts";
import { matcherOf } from "../fuzzyPattern.ts";
import { namespaceIn, type Words } from "./readConfigRequest.ts";

const DECODER = new TextDecoder("utf-8", { ignoreBOM: true });
const PATTERN_CHARS_MAX = 512;
// Some tens of milliseconds, in which nothing else is served.
const SEARCHED_BYTES_MAX = 16 * 1024 * 1024;

export interface Search {
  readonly words: Words;
  /** `accurate` or `blur`. */
  readonly search: string;
  /** Empty: any. */
  readonly content: string;
  /** The configurations that the caller may know. */
  readonly isAllowed: (key: ConfigKey) => boolean;
}

/** The configurations that a request asks for, in the order of group and dataId. Throws FIELD_INVALID. */
export function foundConfigs(
  store: ConfigStore,
  params: Params,
  { words, search, content, isAllowed }: Search,
): readonly StoredConfig[] {
  if (search !== "accurate" && search !== "blur") {
    throw fail("FIELD_INVALID", { field: "search", value: search.slice(0, 100), expected: "accurate or blur" });
  }
  const isBlur = search === "blur";
  const isDataId = nameMatcher(params.text("dataId"), isBlur);
  const isGroup = nameMatcher(params.text(words.group), isBlur);
  const isApp = nameMatcher(params.text("appName"), isBlur);
  const isContent = contentMatcher(content);
  const tags = listOf(params.text("config_tags") || params.text("configTags"));
  const types = listOf(params.text("types") || params.text("type"));
  return [...store.all(namespaceIn(params, words))].filter((config) => {
    const { key, head } = config;
    if (!isAllowed(key) || !isDataId(key.dataId) || !isGroup(key.group) || !isApp(head.appName)) return false;
    const own = listOf(head.tags);
    if (tags.length > 0 && !tags.some((tag) => own.includes(tag))) return false;
    if (types.length > 0 && !types.includes(head.type)) return false;
    return isContent(config);
  });
}

/** An empty pattern takes everything. */
function nameMatcher(pattern: string, isBlur: boolean): (name: string) => boolean {
  if (pattern.length > PATTERN_CHARS_MAX) {
    throw fail("FIELD_INVALID", {
      field: "pattern",
      value: pattern.slice(0, 100),
      expected: `${PATTERN_CHARS_MAX} characters`,
    });
  }
  if (pattern === "") return () => true;
  return isBlur ? matcherOf(pattern) : (name) => name === pattern;
}

/** It is asked last: of those that are not named otherwise, only so many bytes are searched. Throws FIELD_INVALID. */
function contentMatcher(content: string): (config: StoredConfig) => boolean {
  if (content === "") return () => true;
  const isContent = matcherOf(content.includes("*") ? content : `*${content}*`);
  let searched = 0;
  return (config) => {
    searched += config.content.length;
    if (searched > SEARCHED_BYTES_MAX) {
      const expected = `contents of ${SEARCHED_BYTES_MAX} bytes at most to search: name a dataId or a group, too`;
      throw fail("FIELD_INVALID", { field: "content", value: content.slice(0, 100), expected });
    }
    return isContent(DECODER.decode(config.content));
  };
}

function listOf(text: string): readonly string[] {
  return text.split(",").filter((part) => part !== "");
}
