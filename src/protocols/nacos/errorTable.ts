// The faults of requests from Nacos' clients.

import { type ErrorTable, errorsOf } from "../../base/errors.ts";

/** The meaning of each code, and whether the same request may succeed later. */
export const NACOS_ERRORS = {
  NACOS_CAS_FAILED: {
    retry: false,
    meaning: "the configuration has another content by now than the publisher has read; read it, and decide anew",
  },
  NACOS_CONFIGS_EXHAUSTED: {
    retry: true,
    meaning: "there are as many configurations, or as many bytes of them, as this cluster keeps; remove some",
  },
  NACOS_CONFIG_UNKNOWN: { retry: false, meaning: "there is no such configuration, release or entry of the history" },
  NACOS_CONNECTION_UNREGISTERED: {
    retry: true,
    meaning: "the connection has not been set up by a ConnectionSetupRequest; the client connects anew",
  },
  NACOS_FUZZY_PATTERNS_EXHAUSTED: { retry: false, meaning: "the client watches as many patterns as it may" },
  NACOS_NAMESPACE_EXISTS: { retry: false, meaning: "there is a namespace of this id" },
  NACOS_NAMESPACE_INVALID: { retry: false, meaning: "a namespace may not be named so" },
  NACOS_NAMESPACE_UNKNOWN: { retry: false, meaning: "there is no namespace of this id" },
  NACOS_RECORDS_EXHAUSTED: {
    retry: false,
    meaning: "operators have made as many services and changed as many instances as can be kept; remove some services",
  },
  NACOS_SERVICE_EXISTS: { retry: false, meaning: "there is a service of this name already; change it instead" },
  NACOS_REQUEST_UNKNOWN: { retry: false, meaning: "requests of this type are not served" },
  NACOS_STREAM_TAKEN: { retry: false, meaning: "the connection has a stream for requests of the server already" },
} as const satisfies ErrorTable;

/** Makes an error of the table, to throw or to return. */
export const nacosError = errorsOf(NACOS_ERRORS);
