// The faults of Bolt frames.

import { type ErrorTable, errorsOf } from "../../base/errors.ts";

/** The meaning of each code, and whether the same request may succeed later. */
export const BOLT_ERRORS = {
  BOLT_CLASS_UNKNOWN: { retry: false, meaning: "this port serves no requests of this class" },
  BOLT_CRC_MISMATCH: { retry: true, meaning: "the frame was damaged in transit; the connection is closed" },
  BOLT_FRAME_TOO_LARGE: { retry: false, meaning: "the frame declares more bytes than frame-bytes-max allows" },
  BOLT_MALFORMED: { retry: false, meaning: "these bytes are not a Bolt frame; the connection is closed" },
} as const satisfies ErrorTable;

/** Makes an error of the table, to throw or to return. */
export const boltError = errorsOf(BOLT_ERRORS);
