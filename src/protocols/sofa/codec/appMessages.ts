// App-level discovery: an application registers the services of its revision once, and consumers ask which revisions
// and applications serve a service. These messages exist in protobuf only.

import {
  BYTES,
  encodeProtobuf,
  field,
  INT32,
  INT64,
  type MessageOf,
  mapOf,
  repeated,
  STRING,
  schema,
} from "../../../encoding/protobuf/schema.ts";

/**
 * The bounds of these requests. A revision's fields are its parameters: some five for each service. They are not
 * settings, as in registerLimits.ts.
 */
export const APP_LIMITS = {
  fieldsMax: 100_000,
  /** Contents of half a megabyte at most: more than an answer may have. */
  revisionsAskedMax: 200,
  namesMax: 2_000,
} as const;

const STRING_LIST = schema({ values: repeated(1, STRING) });

// The real schema has no field 2 either.
const META_SERVICE = schema({ id: field(1, STRING), params: mapOf(3, STRING_LIST) });

/** Also the value of GET_REVISIONS_RESPONSE. */
export const META_REGISTER = schema({
  application: field(1, STRING),
  revision: field(2, STRING),
  clientVersion: field(3, STRING),
  baseParams: mapOf(4, STRING_LIST),
  services: mapOf(5, META_SERVICE),
});

const APP_LIST = schema({ version: field(1, INT64), apps: repeated(2, STRING) });

/** An empty list is an error in the real server, here and in the other requests. */
export const SERVICE_APP_MAPPING_REQUEST = schema({
  serviceIds: repeated(1, STRING, APP_LIMITS.namesMax),
});

/** The applications that serve each service. */
export const SERVICE_APP_MAPPING_RESPONSE = schema({
  serviceAppMapping: mapOf(1, APP_LIST),
  statusCode: field(2, INT32),
  message: field(3, STRING),
});

/** Asks for the contents of revisions. */
export const GET_REVISIONS_REQUEST = schema({ revisions: repeated(1, STRING, APP_LIMITS.revisionsAskedMax) });

/** The revisions found, by name. */
export const GET_REVISIONS_RESPONSE = schema({
  revisions: mapOf(1, META_REGISTER),
  statusCode: field(2, INT32),
  message: field(3, STRING),
});

/** The same with each revision in the bytes of a MetaRegister: they are on the wire as they were registered. */
const ENCODED_REVISIONS_RESPONSE = schema({
  revisions: mapOf(1, BYTES),
  statusCode: field(2, INT32),
  message: field(3, STRING),
});

/** The content of a GetRevisionsResponse. */
export function encodeRevisionsResponse(response: MessageOf<typeof ENCODED_REVISIONS_RESPONSE>): Uint8Array {
  return encodeProtobuf(ENCODED_REVISIONS_RESPONSE, response);
}

/** Keeps revisions alive. */
export const META_HEARTBEAT_REQUEST = schema({ revisions: repeated(1, STRING, APP_LIMITS.namesMax) });

/** Tells whether all of them were known. */
export const META_HEARTBEAT_RESPONSE = schema({ statusCode: field(1, INT32), message: field(2, STRING) });

/** The status codes of the answers here. */
export const APP_STATUS = {
  OK: 200,
  /** A revision is unknown (those found are still in the answer), or pushes are stopped. */
  NOT_FOUND: 404,
  NOT_ALLOWED: 405,
  ERROR: 500,
} as const;

/** Registers an application's revision; the answer is a RegisterResponse without registId and version. */
export type MetaRegister = { readonly kind: "metaRegister" } & MessageOf<typeof META_REGISTER>;
/** Asks which applications serve some services. */
export type ServiceAppMappingRequest = { readonly kind: "serviceAppMappingRequest" } & MessageOf<
  typeof SERVICE_APP_MAPPING_REQUEST
>;
/** Answers a ServiceAppMappingRequest. */
export type ServiceAppMappingResponse = { readonly kind: "serviceAppMappingResponse" } & MessageOf<
  typeof SERVICE_APP_MAPPING_RESPONSE
>;
/** Asks for the contents of some revisions. */
export type GetRevisionsRequest = { readonly kind: "getRevisionsRequest" } & MessageOf<typeof GET_REVISIONS_REQUEST>;
/** Answers a GetRevisionsRequest; the revisions it does not name are unknown. */
export type GetRevisionsResponse = { readonly kind: "getRevisionsResponse" } & MessageOf<typeof GET_REVISIONS_RESPONSE>;
/** Keeps some revisions alive. */
export type MetaHeartbeatRequest = { readonly kind: "metaHeartbeatRequest" } & MessageOf<typeof META_HEARTBEAT_REQUEST>;
/** Answers a MetaHeartbeatRequest. */
export type MetaHeartbeatResponse = { readonly kind: "metaHeartbeatResponse" } & MessageOf<
  typeof META_HEARTBEAT_RESPONSE
>;

/** The messages of app-level discovery. */
export type AppMessage =
  | MetaRegister
  | ServiceAppMappingRequest
  | ServiceAppMappingResponse
  | GetRevisionsRequest
  | GetRevisionsResponse
  | MetaHeartbeatRequest
  | MetaHeartbeatResponse;
