// The end of a call in gRPC: a status in the trailers of HTTP/2.

import type { Http2Headers } from "../../base/http2.ts";

/** The numbers of gRPC that are used here. */
export const GRPC_STATUS = {
  OK: 0,
  INVALID_ARGUMENT: 3,
  RESOURCE_EXHAUSTED: 8,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
} as const;

export type GrpcStatus = (typeof GRPC_STATUS)[keyof typeof GRPC_STATUS];

/** The headers in front of every answer. */
export const GRPC_HEADERS: Http2Headers = { ":status": "200", "content-type": "application/grpc" };

const ENCODER = new TextEncoder();
// A message explains a fault in a line; clients bound their headers by 8 KiB.
const MESSAGE_BYTES_MAX = 1_024;

/** The trailers that end a call. */
export function grpcTrailers(status: GrpcStatus, message = ""): Http2Headers {
  return { "grpc-status": String(status), ...(message !== "" && { "grpc-message": percentEncoded(message) }) };
}

/** gRPC's form of a text in a header: UTF-8, with `%XX` for all that is not printable ASCII. */
function percentEncoded(text: string): string {
  let encoded = "";
  for (const byte of ENCODER.encode(text).subarray(0, MESSAGE_BYTES_MAX)) {
    const isPlain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    encoded += isPlain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return encoded;
}
