// The JSON of answers and of the server's requests, in the field order of the real server.

import type { JsonObject, SharedField } from "../part.ts";

const ENCODER = new TextEncoder();
const END = ENCODER.encode("}");

/** A text of JSON as its bytes. */
export function jsonBytes(value: unknown): Uint8Array {
  return ENCODER.encode(JSON.stringify(value));
}

/** The body of an answer that says yes. */
export function successBody(fields: JsonObject, last?: SharedField): Uint8Array[] {
  return withLast({ resultCode: 200, errorCode: 0, ...fields, success: true }, last);
}

/** The body of an answer that says no. */
export function refusalBody(errorCode: number, message: string, fields: JsonObject = {}): Uint8Array[] {
  return [jsonBytes({ resultCode: 500, errorCode, message, ...fields, success: false })];
}

/** The body of a request of the server. */
export function serverRequestBody(requestId: string, fields: JsonObject, last?: SharedField): Uint8Array[] {
  return withLast({ headers: {}, requestId, ...fields }, last);
}

function withLast(fields: JsonObject, last: SharedField | undefined): Uint8Array[] {
  if (last === undefined) return [jsonBytes(fields)];
  const head = `${JSON.stringify(fields).slice(0, -1)},${JSON.stringify(last.name)}:`;
  return [ENCODER.encode(head), last.json, END];
}
