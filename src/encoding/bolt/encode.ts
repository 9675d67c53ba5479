// Writes Bolt frames. An answer is one buffer. A push is written in parts, [head, shared body, tail], so that the body,
// encoded once, goes to every subscriber without a copy.

import { assert } from "../../base/assert.ts";
import { freshBytes, putU16, putU32 } from "../../base/bytes.ts";
import { crc32 } from "../../base/crc32.ts";
import { textOf } from "../../base/text.ts";
import { type BoltDialect, COMMAND, CRC_BYTES, hasCrc, headLayout, NAME_BYTES_MAX, TYPE } from "./frame.ts";

/** The head of a request whose content the caller writes. */
export interface BoltRequestHead {
  /** "request" unless said otherwise. */
  readonly kind?: "request" | "oneway";
  readonly id: number;
  readonly codec: number;
  /** The time that the sender will wait, in milliseconds; -1 for oneway. */
  readonly timeoutMs: number;
  readonly className: string;
  /** The bytes of all parts of the content together. */
  readonly contentLength: number;
}

/** The head of a response whose content the caller writes. */
export interface BoltResponseHead {
  readonly id: number;
  readonly codec: number;
  readonly status: number;
  /** Empty if there is no content. */
  readonly className: string;
  readonly contentLength: number;
}

type WithContent<Head> = Omit<Head, "contentLength"> & { readonly content: Uint8Array };

// The command version ("ver2"). No peer checks it; Java writes 1.
const COMMAND_VERSION = 1;

/** A whole request frame, with its sum if the dialect has one. */
export function encodeRequest(dialect: BoltDialect, request: WithContent<BoltRequestHead>): Uint8Array {
  return whole(dialect, requestFields(request, request.content.length), request.content);
}

/** A whole response frame, with its sum if the dialect has one. */
export function encodeResponse(dialect: BoltDialect, response: WithContent<BoltResponseHead>): Uint8Array {
  return whole(dialect, responseFields(response, response.content.length), response.content);
}

/** Head and class name of a request. Content and, where `hasCrc`, `crcTrailer([head, ...content])` follow. */
export function encodeRequestHead(dialect: BoltDialect, head: BoltRequestHead): Uint8Array {
  return frameWithRoom(dialect, requestFields(head, head.contentLength), 0);
}

/** Head and class name of a response. Content and, where `hasCrc`, `crcTrailer([head, ...content])` follow. */
export function encodeResponseHead(dialect: BoltDialect, head: BoltResponseHead): Uint8Array {
  return frameWithRoom(dialect, responseFields(head, head.contentLength), 0);
}

/** A heartbeat request. It never carries a sum, whatever the connection's dialect. */
export function encodeHeartbeat(dialect: BoltDialect, id: number, codec: number): Uint8Array {
  return heartbeat(dialect, { type: TYPE.REQUEST, id, codec, last: -1 });
}

/** The answer to a heartbeat, with the heartbeat's id and codec. */
export function encodeHeartbeatAck(dialect: BoltDialect, id: number, codec: number): Uint8Array {
  return heartbeat(dialect, { type: TYPE.RESPONSE, id, codec, last: 0 });
}

/** The four bytes that end a frame of a dialect that `hasCrc`, over all its parts in their order. */
export function crcTrailer(parts: readonly Uint8Array[]): Uint8Array {
  const trailer = new Uint8Array(CRC_BYTES);
  const sum = parts.reduce((before, part) => crc32(part, before), 0);
  putU32(trailer, 0, sum);
  return trailer;
}

interface Fields {
  readonly type: number;
  readonly command: number;
  readonly id: number;
  readonly codec: number;
  /** Timeout or status. */
  readonly last: number;
  readonly className: string;
  readonly contentLength: number;
}

function requestFields(head: Omit<BoltRequestHead, "contentLength">, contentLength: number): Fields {
  const type = head.kind === "oneway" ? TYPE.ONEWAY : TYPE.REQUEST;
  const { id, codec, className } = head;
  return { type, command: COMMAND.REQUEST, id, codec, last: head.timeoutMs, className, contentLength };
}

function responseFields(head: Omit<BoltResponseHead, "contentLength">, contentLength: number): Fields {
  const { id, codec, className } = head;
  return { type: TYPE.RESPONSE, command: COMMAND.RESPONSE, id, codec, last: head.status, className, contentLength };
}

function heartbeat(dialect: BoltDialect, fields: Pick<Fields, "type" | "id" | "codec" | "last">): Uint8Array {
  const complete = { ...fields, command: COMMAND.HEARTBEAT, className: "", contentLength: 0 };
  return frameWithRoom({ ...dialect, crc: false }, complete, 0);
}

function whole(dialect: BoltDialect, fields: Fields, content: Uint8Array): Uint8Array {
  const crcBytes = hasCrc(dialect) ? CRC_BYTES : 0;
  const frame = frameWithRoom(dialect, fields, content.length + crcBytes);
  const crcAt = frame.length - crcBytes;
  frame.set(content, crcAt - content.length);
  if (crcBytes > 0) putU32(frame, crcAt, crc32(frame.subarray(0, crcAt)));
  return frame;
}

// Head and class name, with `room` bytes left free behind them.
function frameWithRoom(dialect: BoltDialect, fields: Fields, room: number): Uint8Array {
  const isResponse = fields.type === TYPE.RESPONSE;
  const head = headLayout(dialect.protocol, isResponse);
  const name = nameOf(fields.className);
  const frame = freshBytes(head.end + name.length + room);
  frame[0] = dialect.protocol;
  if (dialect.protocol === 2) frame[1] = dialect.version;
  frame[head.type] = fields.type;
  putU16(frame, head.command, fields.command);
  frame[head.commandVersion] = COMMAND_VERSION;
  putU32(frame, head.id, fields.id);
  frame[head.codec] = fields.codec;
  if (dialect.protocol === 2) frame[head.switches] = dialect.crc ? 1 : 0;
  if (isResponse) putU16(frame, head.timeoutOrStatus, fields.last);
  else putU32(frame, head.timeoutOrStatus, fields.last);
  putU16(frame, head.classBytes, name.length);
  putU32(frame, head.contentBytes, fields.contentLength);
  frame.set(name, head.end);
  return frame;
}

// There are some thirty names, and each push and each answer carries one.
const NAMES = new Map<string, Uint8Array>();

function nameOf(className: string): Uint8Array {
  const known = NAMES.get(className);
  if (known !== undefined) return known;
  const { utf8, units } = textOf(className);
  assert(utf8.length === units, "our class names are ASCII");
  assert(units <= NAME_BYTES_MAX, "our class names are short");
  NAMES.set(className, utf8);
  return utf8;
}
