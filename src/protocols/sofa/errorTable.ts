// The faults of requests from SOFARegistry's clients and operators.

import { type ErrorTable, errorsOf } from "../../base/errors.ts";

/** The meaning of each code, and whether the same request may succeed later. */
export const SOFA_ERRORS = {
  CHANGE_NOT_ALLOWED: {
    retry: false,
    meaning:
      "sofa-changes does not let this caller change anything without a proof; call from the node's own machine, " +
      "send an operator's token (`authorization: Bearer ...`), or use `roster`",
  },
  CLIENT_OPENED: {
    retry: true,
    meaning: "an operator has opened this client again; it connects and registers anew",
  },
  REQUEST_EMPTY: {
    retry: false,
    meaning: "a request about revisions or services names none; name one at least",
  },
  SCOPE_NOT_GLOBAL: {
    retry: false,
    meaning: "a subscriber that accepts all data centers in one push (acceptMulti) must have the scope global",
  },
  SWITCH_HAS_CONDITIONS: {
    retry: false,
    meaning:
      "an operator has given this switch's rule conditions, or an end, that SOFARegistry's form can't say; change the rule itself",
  },
  SWITCH_IS_RULE: {
    retry: false,
    meaning: "this switch of SOFARegistry is a rule; set it by its path at meta-http-port, or change the rule",
  },
  SWITCH_NOT_SERVED: {
    retry: false,
    meaning: "Roster does not have this switch of SOFARegistry; nothing was changed or stored",
  },
} as const satisfies ErrorTable;

/** Makes an error of the table, to throw or to return. */
export const sofaError = errorsOf(SOFA_ERRORS);
