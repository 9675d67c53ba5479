// The faults of gRPC calls.

import { type ErrorTable, errorsOf } from "../../base/errors.ts";

/** The meaning of each code, and whether the same request may succeed later. */
export const GRPC_ERRORS = {
  GRPC_COMPRESSED: {
    retry: false,
    meaning: "the message is compressed; send it with the encoding identity, which is the only one here",
  },
  GRPC_MALFORMED: { retry: false, meaning: "the bytes of the call are no message of gRPC" },
  GRPC_MESSAGE_TOO_LARGE: { retry: false, meaning: "the message has more bytes than this port takes" },
  GRPC_METHOD_UNKNOWN: { retry: false, meaning: "this port has no method of this path" },
} as const satisfies ErrorTable;

/** Makes an error of the table, to throw or to return. */
export const grpcError = errorsOf(GRPC_ERRORS);
