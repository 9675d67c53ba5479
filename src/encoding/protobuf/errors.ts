// The faults of protobuf contents.

import { type ErrorDetails, type ErrorTable, errorsOf, type RegistryError } from "../../base/errors.ts";

/** The meaning of each code, and whether the same request may succeed later. */
export const PROTOBUF_ERRORS = {
  PROTOBUF_LIMIT: { retry: false, meaning: "the content is nested too deeply or has too many elements" },
  PROTOBUF_MALFORMED: { retry: false, meaning: "the content is not a valid message of its protobuf class" },
} as const satisfies ErrorTable;

/** Makes an error of the table, to throw or to return. */
export const protobufError = errorsOf(PROTOBUF_ERRORS);

/** The error that a reader of bytes throws. */
export function malformed(details: ErrorDetails): RegistryError {
  return protobufError("PROTOBUF_MALFORMED", details);
}
