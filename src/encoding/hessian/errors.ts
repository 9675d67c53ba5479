// The faults of Hessian contents.

import { type ErrorDetails, type ErrorTable, errorsOf, type RegistryError } from "../../base/errors.ts";

/** The meaning of each code, and whether the same request may succeed later. */
export const HESSIAN_ERRORS = {
  HESSIAN_CLASS_UNKNOWN: { retry: false, meaning: "the content names a class that is not part of this protocol" },
  HESSIAN_LIMIT: { retry: false, meaning: "the content is nested too deeply or has too many elements" },
  HESSIAN_MALFORMED: { retry: false, meaning: "the content is not valid Hessian 2.0 (draft or final)" },
} as const satisfies ErrorTable;

/** Makes an error of the table, to throw or to return. */
export const hessianError = errorsOf(HESSIAN_ERRORS);

/** The error that a reader of bytes throws. */
export function malformed(details: ErrorDetails): RegistryError {
  return hessianError("HESSIAN_MALFORMED", details);
}
