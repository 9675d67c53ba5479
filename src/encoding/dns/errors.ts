// The faults of DNS messages.

import { type ErrorTable, errorsOf } from "../../base/errors.ts";

/** The meaning of each code, and whether the same request may succeed later. */
export const DNS_ERRORS = {
  DNS_MESSAGE_MALFORMED: {
    retry: false,
    meaning: "these bytes are no DNS query: a length, a name or the number of questions is not as RFC 1035 says",
  },
} as const satisfies ErrorTable;

/** Makes an error of the table, to throw or to return. */
export const dnsError = errorsOf(DNS_ERRORS);
