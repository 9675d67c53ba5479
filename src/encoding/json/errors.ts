// The faults of JSON from outside.

import { type ErrorTable, errorsOf } from "../../base/errors.ts";

/** The meaning of each code, and whether the same request may succeed later. */
export const JSON_ERRORS = {
  JSON_FIELD_INVALID: { retry: false, meaning: "a field of the JSON text is missing, or has another type or value" },
  JSON_MALFORMED: { retry: false, meaning: "the text is no JSON, or is nested too deeply" },
} as const satisfies ErrorTable;

/** Makes an error of the table, to throw or to return. */
export const jsonError = errorsOf(JSON_ERRORS);
