// App-level discovery: an application registers the services of its revision once, and consumers ask which revisions
// and applications serve a service. These messages exist in protobuf only.

import { field, INT32, INT64, mapOf, type MessageOf, repeated, STRING, schema } from "../protobuf/schema.ts";

const STRING_LIST = schema({ values: repeated(1, STRING) });

// The real schema has no field 2 either.
const META_SERVICE = schema({ id: field(1, STRING), params: mapOf(3, STRING_LIST) });

export const META_REGISTER = schema({
  application: field(1, STRING),
  revision: field(2, STRING),
  clientVersion: field(3, STRING),
  baseParams: mapOf(4, STRING_LIST),
  services: mapOf(5, META_SERVICE),
});

const APP_LIST = schema({ version: field(1, INT64), apps: repeated(2, STRING) });

export const SERVICE_APP_MAPPING_REQUEST = schema({ serviceIds: repeated(1, STRING) });

export const SERVICE_APP_MAPPING_RESPONSE = schema({
  serviceAppMapping: mapOf(1, APP_LIST),
  statusCode: field(2, INT32),
  message: field(3, STRING),
});

export const GET_REVISIONS_REQUEST = schema({ revisions: repeated(1, STRING) });

export const GET_REVISIONS_RESPONSE = schema({
  revisions: mapOf(1, META_REGISTER),
  statusCode: field(2, INT32),
  message: field(3, STRING),
});

export const META_HEARTBEAT_REQUEST = schema({ revisions: repeated(1, STRING) });

export const META_HEARTBEAT_RESPONSE = schema({ statusCode: field(1, INT32), message: field(2, STRING) });

/** The status codes of the answers here. */
export const APP_STATUS = {
  OK: 200,
  /** Some revision is unknown, though those found are in the answer; or pushes are stopped. */
  NOT_FOUND: 404,
  NOT_ALLOWED: 405,
  ERROR: 500,
} as const;

/** Registers an application's revision; the answer is a RegisterResponse without registId and version. */
export type MetaRegister = { readonly kind: "metaRegister" } & MessageOf<typeof META_REGISTER>;
export type ServiceAppMappingRequest = { readonly kind: "serviceAppMappingRequest" } & MessageOf<typeof SERVICE_APP_MAPPING_REQUEST>;
export type ServiceAppMappingResponse = { readonly kind: "serviceAppMappingResponse" } & MessageOf<typeof SERVICE_APP_MAPPING_RESPONSE>;
export type GetRevisionsRequest = { readonly kind: "getRevisionsRequest" } & MessageOf<typeof GET_REVISIONS_REQUEST>;
export type GetRevisionsResponse = { readonly kind: "getRevisionsResponse" } & MessageOf<typeof GET_REVISIONS_RESPONSE>;
export type MetaHeartbeatRequest = { readonly kind: "metaHeartbeatRequest" } & MessageOf<typeof META_HEARTBEAT_REQUEST>;
export type MetaHeartbeatResponse = { readonly kind: "metaHeartbeatResponse" } & MessageOf<typeof META_HEARTBEAT_RESPONSE>;

export type AppMessage =
  | MetaRegister
  | ServiceAppMappingRequest
  | ServiceAppMappingResponse
  | GetRevisionsRequest
  | GetRevisionsResponse
  | MetaHeartbeatRequest
  | MetaHeartbeatResponse;
