// Patterns for names of services, as people and protocols write them: `*` stands for any characters, everything else
// for itself. Matching takes a time proportional to the name, and never what a regular expression from outside could
// take.

import { fail } from "../base/errors.ts";
import { KEY_PART_CHARS_MAX } from "./serviceKey.ts";

// One star costs a search through the rest of the name.
const STARS_MAX = 16;

/** The text in front of the first star, those between two, and that behind the last; one text if there is no star. */
export type NamePattern = readonly string[];

/** Every name. */
export const ANY_NAME: NamePattern = ["", ""];

/** Reads a pattern. Throws FIELD_INVALID if it is longer than a name may be, or has too many stars. */
export function readNamePattern(text: string): NamePattern {
  if (text.length > KEY_PART_CHARS_MAX) {
    const expected = `at most ${KEY_PART_CHARS_MAX} characters`;
    throw fail("FIELD_INVALID", { field: "pattern", characters: text.length, expected });
  }
  const pattern = text.split("*");
  if (pattern.length > STARS_MAX + 1) {
    throw fail("FIELD_INVALID", {
      field: "pattern",
      stars: pattern.length - 1,
      expected: `at most ${STARS_MAX} stars`,
    });
  }
  return pattern;
}

/** The pattern of all names that begin with `prefix`; a star in it stands for itself. */
export function prefixPattern(prefix: string): NamePattern {
  return [prefix, ""];
}

/** Whether the whole name is as the pattern says. */
export function matchesName(name: string, pattern: NamePattern): boolean {
  const [first = ""] = pattern;
  if (pattern.length === 1) return name === first;
  const last = pattern[pattern.length - 1] ?? "";
  const end = name.length - last.length;
  if (end < first.length || !name.startsWith(first) || !name.endsWith(last)) return false;
  // The leftmost place for each text in between leaves the most room for the next one.
  let at = first.length;
  for (const text of pattern.slice(1, -1)) {
    const found = name.indexOf(text, at);
    if (found < 0 || found + text.length > end) return false;
    at = found + text.length;
  }
  return true;
}
