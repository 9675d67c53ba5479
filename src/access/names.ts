// Names and texts of identities and policies, which are shown to people and written to logs.

import { fail, type RegistryError } from "../base/errors.ts";

// No colon: basic authentication separates the name from the password by it.
const NAME = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,127}$/;
const ABOUT_CHARS_MAX = 500;
const ABOUT = /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Surrogate}]*$/u;

/** FIELD_INVALID for a name that no identity or policy may have. */
export function checkedName(field: string, name: string): RegistryError | undefined {
  if (NAME.test(name)) return undefined;
  return fail("FIELD_INVALID", { field, value: name, expected: "1 to 128 letters, digits, dots, dashes, _ and @" });
}

/** FIELD_INVALID for a text that would forge a line, or is too long for one. */
export function checkedAbout(field: string, text: string): RegistryError | undefined {
  if (text.length <= ABOUT_CHARS_MAX && ABOUT.test(text)) return undefined;
  return fail("FIELD_INVALID", { field, value: text, expected: `at most ${ABOUT_CHARS_MAX} printable characters` });
}
