// Nacos' only message of gRPC: the name of a type, headers, and a text of JSON. It is declared in protobuf without a
// package; `body` is an Any whose type_url is empty.

import { PREFIX_BYTES, putPrefix } from "../../../encoding/grpc/messages.ts";
import {
  BYTES,
  decodeProtobuf,
  encodeProtobuf,
  field,
  optional,
  STRING,
  schema,
  stringMapOf,
} from "../../../encoding/protobuf/schema.ts";
import { putVarint, VARINT_BYTES_MAX, varintBytes } from "../../../encoding/protobuf/varint.ts";

// A token, a signature and some names.
const HEADERS_LIMITS = { entriesMax: 64, unitsMax: 16_384 };

const METADATA = schema({
  type: field(3, STRING),
  headers: stringMapOf(7, HEADERS_LIMITS),
  clientIp: field(8, STRING),
});
const ANY = schema({ value: field(2, BYTES) });
const PAYLOAD = schema({ metadata: optional(2, METADATA), body: optional(3, ANY) });
// The head of a payload that we write: `body` follows behind it, with its length in front.
const HEAD = schema({ metadata: optional(2, METADATA) });

const FIELDS_MAX = 200;
const BODY_TAG = 0x1a;
const VALUE_TAG = 0x12;
const NO_HEADERS: ReadonlyMap<string, string> = new Map();
const NOTHING = new Uint8Array(0);

/** A request or an answer, as it is on the wire. */
export interface NacosPayload {
  readonly type: string;
  readonly headers: ReadonlyMap<string, string>;
  /** JSON in UTF-8; a view of the message. */
  readonly json: Uint8Array;
}

/** Throws PROTOBUF_MALFORMED or PROTOBUF_LIMIT. */
export function decodePayload(message: Uint8Array): NacosPayload {
  const { metadata, body } = decodeProtobuf(PAYLOAD, message, FIELDS_MAX);
  return { type: metadata?.type ?? "", headers: metadata?.headers ?? NO_HEADERS, json: body?.value ?? NOTHING };
}

/**
 * A message of gRPC with this payload: the parts of its JSON, with a head in front. The parts are shared. Only clients
 * send headers.
 */
export function encodePayload(type: string, json: readonly Uint8Array[], headers = NO_HEADERS): Uint8Array[] {
  let bytes = 0;
  for (const part of json) bytes += part.length;
  const metadata = headers.size === 0 ? headOf(type) : encodedHead(type, headers);
  const anyBytes = 1 + varintBytes(bytes) + bytes;
  const head = new Uint8Array(PREFIX_BYTES + metadata.length + 2 + 2 * VARINT_BYTES_MAX);
  head.set(metadata, PREFIX_BYTES);
  let at = PREFIX_BYTES + metadata.length;
  head[at++] = BODY_TAG;
  at = putVarint(head, at, anyBytes);
  head[at++] = VALUE_TAG;
  at = putVarint(head, at, bytes);
  putPrefix(head, at - PREFIX_BYTES + bytes);
  return [head.subarray(0, at), ...json];
}

// There are some sixty types that we write.
const heads = new Map<string, Uint8Array>();

function headOf(type: string): Uint8Array {
  const known = heads.get(type);
  if (known !== undefined) return known;
  const head = encodedHead(type, NO_HEADERS);
  heads.set(type, head);
  return head;
}

function encodedHead(type: string, headers: ReadonlyMap<string, string>): Uint8Array {
  return encodeProtobuf(HEAD, { metadata: { type, headers, clientIp: "" } }).slice();
}
