// The faults of XML documents.

import { type ErrorTable, errorsOf } from "../../base/errors.ts";

/** The meaning of each code, and whether the same request may succeed later. */
export const XML_ERRORS = {
  XML_INVALID: {
    retry: false,
    meaning: "this is not well-formed XML, is too large or too deep, or declares a document type, which is not read",
  },
} as const satisfies ErrorTable;

/** Makes an error of the table, to throw or to return. */
export const xmlError = errorsOf(XML_ERRORS);
