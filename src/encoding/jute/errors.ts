// The faults of Jute records and frames.

import { type ErrorTable, errorsOf } from "../../base/errors.ts";

/** The meaning of each code, and whether the same request may succeed later. */
export const JUTE_ERRORS = {
  JUTE_FRAME_TOO_LARGE: {
    retry: false,
    meaning: "the frame declares more bytes than zookeeper-frame-bytes-max allows; the connection is closed",
  },
  JUTE_MALFORMED: { retry: false, meaning: "these bytes are not the Jute record that should be here" },
} as const satisfies ErrorTable;

/** Makes an error of the table, to throw or to return. */
export const juteError = errorsOf(JUTE_ERRORS);
