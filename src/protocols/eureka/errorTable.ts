// The faults of requests from Eureka's clients.

import { type ErrorTable, errorsOf } from "../../base/errors.ts";

/** The meaning of each code, and whether the same request may succeed later. */
export const EUREKA_ERRORS = {
  EUREKA_BODY_INVALID: {
    retry: false,
    meaning:
      "the body is no instance in the form that its content-type says, which is application/json or application/xml",
  },
} as const satisfies ErrorTable;

/** Makes an error of the table, to throw or to return. */
export const eurekaError = errorsOf(EUREKA_ERRORS);
