// The faults of requests from Nacos' clients.

import { type ErrorTable, errorsOf } from "../../base/errors.ts";

/** The meaning of each code, and whether the same request may succeed later. */
export const NACOS_ERRORS = {
  NACOS_CONNECTION_UNREGISTERED: {
    retry: true,
    meaning: "the connection has not been set up by a ConnectionSetupRequest; the client connects anew",
  },
  NACOS_REQUEST_UNKNOWN: { retry: false, meaning: "requests of this type are not served" },
  NACOS_STREAM_TAKEN: { retry: false, meaning: "the connection has a stream for requests of the server already" },
} as const satisfies ErrorTable;

/** Makes an error of the table, to throw or to return. */
export const nacosError = errorsOf(NACOS_ERRORS);
