// The form of a Bolt frame; decoder.ts reads it and encode.ts writes it. Big-endian throughout:
//
//   protocol 1: 01         type command(2) ver2 id(4) codec        timeout(4) | status(2) class(2) header(2) content(4)
//   protocol 2: 02 version type command(2) ver2 id(4) codec switch timeout(4) | status(2) class(2) header(2) content(4)
//
// then class name, header and content, then four bytes of CRC if the frame has one.

/** The form of a connection's frames. The side that opened it decides; the other answers in kind. */
export interface BoltDialect {
  readonly protocol: 1 | 2;
  /** The protocol version: always 0 in protocol 1, which has none. */
  readonly version: 0 | 1 | 2;
  /**
   * The switch bit. Java also sets it in protocol 2 version 1, where no sum follows: `hasCrc` decides. Heartbeats never
   * have it, so a peer's choice shows in its first rpc frame.
   */
  readonly crc: boolean;
}

/** The default dialect of the Java client. */
export const BOLT_V1: BoltDialect = { protocol: 1, version: 0, crc: false };

/** Whether a CRC-32 of the whole frame, four bytes, follows the frame. */
export function hasCrc(dialect: BoltDialect): boolean {
  return dialect.version === 2 && dialect.crc;
}

/** The codec byte: the encoding of the content. Clients decode protobuf pushes by class name, whatever the byte is. */
export const BOLT_CODEC = { HESSIAN: 1, PROTOBUF: 11 } as const;

/** The status of a response. Everything but SUCCESS makes the Java client's invocation throw. */
export const BOLT_STATUS = {
  SUCCESS: 0,
  ERROR: 1,
  SERVER_EXCEPTION: 2,
  UNKNOWN: 3,
  THREADPOOL_BUSY: 4,
  COMM_ERROR: 5,
  NO_PROCESSOR: 6,
  TIMEOUT: 7,
  CLIENT_SEND_ERROR: 8,
  CODEC_EXCEPTION: 9,
  CONNECTION_CLOSED: 0x10,
  SERVER_SERIALIZE: 0x11,
  SERVER_DESERIALIZE: 0x12,
} as const;

interface BoltFrameBase {
  readonly dialect: BoltDialect;
  readonly command: "heartbeat" | "rpc";
  /** int32. The two directions of a connection count independently: match (direction, id). */
  readonly id: number;
  readonly codec: number;
  /** Empty in heartbeats and in responses without content. */
  readonly className: string;
  /** A view of the received bytes: copy anything that outlives the handling of the frame. */
  readonly content: Uint8Array;
}

/** A request, or one that wants no answer (oneway); a heartbeat is a request too. */
export interface BoltRequest extends BoltFrameBase {
  readonly kind: "request" | "oneway";
  /** The time that the sender waits, in milliseconds; -1 in heartbeats and oneway requests. */
  readonly timeoutMs: number;
}

/** An answer; the acknowledgement of a heartbeat is one too. */
export interface BoltResponse extends BoltFrameBase {
  readonly kind: "response";
  /** One of BOLT_STATUS, or another unsigned 16-bit number. */
  readonly status: number;
}

/** One frame, read and checked. */
export type BoltFrame = BoltRequest | BoltResponse;

/** The numbers on the wire. */
export const TYPE = { RESPONSE: 0, REQUEST: 1, ONEWAY: 2 } as const;
/** The command code, which is 0 in both directions of a heartbeat. */
export const COMMAND = { HEARTBEAT: 0, REQUEST: 1, RESPONSE: 2 } as const;

/** Java reads the lengths of class name and header as signed 16-bit numbers. */
export const NAME_BYTES_MAX = 0x7fff;

/** The length of the CRC, where there is one. */
export const CRC_BYTES = 4;

/** The offsets of the fields of one kind of frame, from its first byte. */
export interface HeadLayout {
  readonly type: number;
  readonly command: number;
  readonly commandVersion: number;
  readonly id: number;
  readonly codec: number;
  /** The switch byte; -1 in protocol 1, which has none. */
  readonly switches: number;
  /** The timeout of a request (4 bytes) or the status of a response (2 bytes). */
  readonly timeoutOrStatus: number;
  readonly classBytes: number;
  readonly headerBytes: number;
  readonly contentBytes: number;
  /** The length of the head: the class name begins here. */
  readonly end: number;
}

function layout(protocol: 1 | 2, tail: "timeout" | "status"): HeadLayout {
  const type = protocol;
  const switches = protocol === 1 ? -1 : type + 9;
  const timeoutOrStatus = type + 8 + protocol;
  const classBytes = timeoutOrStatus + (tail === "timeout" ? 4 : 2);
  return {
    type,
    command: type + 1,
    commandVersion: type + 3,
    id: type + 4,
    codec: type + 8,
    switches,
    timeoutOrStatus,
    classBytes,
    headerBytes: classBytes + 2,
    contentBytes: classBytes + 4,
    end: classBytes + 8,
  };
}

const REQUEST_HEADS = { 1: layout(1, "timeout"), 2: layout(2, "timeout") } as const;
const RESPONSE_HEADS = { 1: layout(1, "status"), 2: layout(2, "status") } as const;

/** The layout of requests (and oneways) or of responses in a protocol. */
export function headLayout(protocol: 1 | 2, isResponse: boolean): HeadLayout {
  return isResponse ? RESPONSE_HEADS[protocol] : REQUEST_HEADS[protocol];
}
