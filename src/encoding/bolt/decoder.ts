// Cuts a byte stream into Bolt frames. A frame that lies whole inside a chunk is parsed in place, and its content is a
// view of the chunk. Only the rest at a chunk's end is copied, into a buffer that grows by doubling with the bytes that
// arrive, never to the size that a head merely declares. So the work stays linear for every chunking, and a peer that
// announces 16 MB and sends 30 bytes costs 64.

import { assert, defined } from "../../base/assert.ts";
import { crc32 } from "../../base/crc32.ts";
import type { RegistryError } from "../../base/errors.ts";
import { asciiString, utf8String } from "../../base/text.ts";
import { boltError } from "./errors.ts";
import {
  BOLT_V1,
  type BoltDialect,
  type BoltFrame,
  COMMAND,
  CRC_BYTES,
  type HeadLayout,
  hasCrc,
  headLayout,
  NAME_BYTES_MAX,
  TYPE,
} from "./frame.ts";

/** The settings of a decoder. */
export interface BoltDecoderLimits {
  /** The longest frame that is read, all parts counted. A longer one is refused as soon as its head is there. */
  readonly frameBytesMax: number;
}

/** Decodes one direction of one connection. */
export class BoltDecoder {
  #frameBytesMax: number;
  #broken = false;
  // The beginning of a frame whose rest has not arrived; its first #pendingLength bytes are filled.
  #pending: Uint8Array<ArrayBuffer> = NOTHING;
  #pendingLength = 0;

  constructor(limits: BoltDecoderLimits) {
    this.#frameBytesMax = limits.frameBytesMax;
  }

  /** Reads longer frames from the next one on, also within the chunk that is being read. */
  raiseLimit(frameBytesMax: number): void {
    this.#frameBytesMax = frameBytesMax;
  }

  /** Whether only the beginning of a frame has arrived. */
  get hasPartialFrame(): boolean {
    return this.#pendingLength > 0;
  }

  /** The memory taken for the beginning of a frame. */
  get pendingBytes(): number {
    return this.#pending.length;
  }

  /**
   * Passes each frame that `chunk` completes to `onFrame`, in order; frames before a broken one still come. The chunk
   * belongs to the decoder's frames from now on and must not be written again. Throws BOLT_MALFORMED,
   * BOLT_FRAME_TOO_LARGE or BOLT_CRC_MISMATCH; after any throw the decoder can't be used further.
   */
  push(chunk: Uint8Array, onFrame: (frame: BoltFrame) => void): void {
    assert(!this.#broken, "a decoder that threw is not used again");
    // Counts as failed until this call returns, so any throw below, by onFrame too, leaves it failed.
    this.#broken = true;
    let at = this.#pendingLength === 0 ? 0 : this.#completePending(chunk, onFrame);
    while (at < chunk.length) {
      const frame = chunk.subarray(at);
      const length = frameLength(frame, this.#frameBytesMax);
      if (length === undefined || length > frame.length) {
        this.#keep(frame, length);
        break;
      }
      onFrame(parse(frame.subarray(0, length)));
      at += length;
    }
    this.#broken = false;
  }

  // Feeds the chunk to the frame begun before, first until its head is readable, then until it is whole. Returns the
  // number of bytes taken from the chunk.
  #completePending(chunk: Uint8Array, onFrame: (frame: BoltFrame) => void): number {
    let at = 0;
    for (;;) {
      const length = frameLength(this.#pending.subarray(0, this.#pendingLength), this.#frameBytesMax);
      if (length !== undefined && length <= this.#pendingLength) return this.#emitPending(length, onFrame, at);
      if (at === chunk.length) return at;
      // One more byte is enough to check again while the head is short: at most 24 rounds for a frame.
      const wanted = length === undefined ? 1 : length - this.#pendingLength;
      const taken = chunk.subarray(at, at + wanted);
      this.#keep(taken, length);
      at += taken.length;
    }
  }

  #emitPending(length: number, onFrame: (frame: BoltFrame) => void, at: number): number {
    assert(length === this.#pendingLength, "no more than one frame is ever pending");
    const frame = this.#pending.subarray(0, length);
    this.#pending = NOTHING;
    this.#pendingLength = 0;
    onFrame(parse(frame));
    return at;
  }

  /** Drops the beginning of a frame whose rest will not come. */
  release(): void {
    // Frees the memory now. Left to the collector, the frames of 16 MiB of a hundred closed connections stay until
    // something else has filled the heap.
    if (this.#pending.length >= MOVED_BYTES_MIN) this.#pending.buffer.transfer(0);
    this.#pending = NOTHING;
    this.#pendingLength = 0;
  }

  #keep(bytes: Uint8Array, frameBytes: number | undefined): void {
    const needed = this.#pendingLength + bytes.length;
    if (needed > this.#pending.length) {
      const doubled = Math.max(needed, this.#pending.length * 2, PENDING_BYTES_MIN);
      const larger = Math.min(doubled, frameBytes ?? doubled);
      this.#pending = this.#pending.length < MOVED_BYTES_MIN ? this.#copied(larger) : this.#moved(larger);
    }
    this.#pending.set(bytes, this.#pendingLength);
    this.#pendingLength = needed;
  }

  #copied(bytes: number): Uint8Array<ArrayBuffer> {
    const larger = new Uint8Array(bytes);
    larger.set(this.#pending.subarray(0, this.#pendingLength));
    return larger;
  }

  // Moving frees the old memory at once; copying would keep as much again as the frame until a collection.
  #moved(bytes: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#pending.buffer.transfer(bytes));
  }
}

// V8 assumes that no buffer is ever moved. The first move makes it discard the code compiled on that assumption, and it
// then checks at each access, for the rest of the process, that the buffer is still there: about two of the twenty
// microseconds of a registration. No usual registration is as large as this, and the garbage of a copy is soon
// collected.
const MOVED_BYTES_MIN = 128 * 1024;

const NOTHING = new Uint8Array(0);
const PENDING_BYTES_MIN = 64;

// The length of the frame that begins here, or undefined while its head is not all there.
function frameLength(bytes: Uint8Array, frameBytesMax: number): number | undefined {
  const head = layoutOf(bytes);
  if (head === undefined || bytes.length < head.end) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, head.end);
  const classBytes = view.getUint16(head.classBytes);
  const headerBytes = view.getUint16(head.headerBytes);
  if (classBytes > NAME_BYTES_MAX) throw malformed("class name length is negative", head.classBytes);
  if (headerBytes > NAME_BYTES_MAX) throw malformed("header length is negative", head.headerBytes);
  const contentBytes = view.getUint32(head.contentBytes);
  const length = head.end + classBytes + headerBytes + contentBytes + (hasCrc(dialectOf(bytes, head)) ? CRC_BYTES : 0);
  if (length > frameBytesMax) throw boltError("BOLT_FRAME_TOO_LARGE", { frameBytes: length, frameBytesMax });
  return length;
}

function layoutOf(bytes: Uint8Array): HeadLayout | undefined {
  const protocol = bytes[0];
  if (protocol === undefined) return undefined;
  if (protocol !== 1 && protocol !== 2) throw malformed(`protocol ${protocol}`, 0);
  const version = bytes[1];
  if (protocol === 2 && version !== undefined && version !== 1 && version !== 2)
    throw malformed(`protocol version ${version}`, 1);
  const type = bytes[protocol];
  if (type === undefined) return undefined;
  if (type > TYPE.ONEWAY) throw malformed(`type ${type}`, protocol);
  return headLayout(protocol, type === TYPE.RESPONSE);
}

// Protocol 1 has one dialect and protocol 2 four. They are shared, so a frame creates no dialect object.
const V2_VERSION_1: BoltDialect = { protocol: 2, version: 1, crc: false };
const V2_VERSION_1_SWITCHED: BoltDialect = { protocol: 2, version: 1, crc: true };
const V2_VERSION_2: BoltDialect = { protocol: 2, version: 2, crc: false };
const V2_VERSION_2_SWITCHED: BoltDialect = { protocol: 2, version: 2, crc: true };

function dialectOf(bytes: Uint8Array, head: HeadLayout): BoltDialect {
  if (bytes[0] === 1) return BOLT_V1;
  const isSwitched = ((bytes[head.switches] as number) & 1) === 1;
  if (bytes[1] === 1) return isSwitched ? V2_VERSION_1_SWITCHED : V2_VERSION_1;
  return isSwitched ? V2_VERSION_2_SWITCHED : V2_VERSION_2;
}

// Parses one whole frame, of which frameLength() has already checked the head's lengths.
function parse(bytes: Uint8Array): BoltFrame {
  const head = defined(layoutOf(bytes), "a whole frame has a head");
  const dialect = dialectOf(bytes, head);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (hasCrc(dialect)) checkCrc(bytes, view);
  const type = view.getUint8(head.type);
  const classEnd = head.end + view.getUint16(head.classBytes);
  const contentAt = classEnd + view.getUint16(head.headerBytes);
  const base = {
    dialect,
    command: commandOf(view.getUint16(head.command), type, head),
    id: view.getInt32(head.id),
    codec: view.getUint8(head.codec),
    className: className(bytes, head.end, classEnd),
    content: bytes.subarray(contentAt, contentAt + view.getUint32(head.contentBytes)),
  };
  if (type === TYPE.RESPONSE) return { ...base, kind: "response", status: view.getUint16(head.timeoutOrStatus) };
  return { ...base, kind: type === TYPE.ONEWAY ? "oneway" : "request", timeoutMs: view.getInt32(head.timeoutOrStatus) };
}

function commandOf(command: number, type: number, head: HeadLayout): "heartbeat" | "rpc" {
  if (command === COMMAND.HEARTBEAT && type !== TYPE.ONEWAY) return "heartbeat";
  if (command !== (type === TYPE.RESPONSE ? COMMAND.RESPONSE : COMMAND.REQUEST)) {
    throw malformed(`command ${command} in a frame of type ${type}`, head.command);
  }
  return "rpc";
}

function checkCrc(bytes: Uint8Array, view: DataView): void {
  const crcAt = bytes.length - CRC_BYTES;
  const declared = view.getUint32(crcAt);
  const computed = crc32(bytes.subarray(0, crcAt));
  if (declared !== computed) throw boltError("BOLT_CRC_MISMATCH", { declared, computed });
}

function className(bytes: Uint8Array, start: number, end: number): string {
  let bits = 0;
  for (let at = start; at < end; at++) bits |= bytes[at] as number;
  const name = bits < 0x80 ? asciiString(bytes, start, end) : utf8String(bytes, start, end);
  if (name === undefined) throw malformed("class name is not UTF-8", start);
  return name;
}

// The offset counts from the frame's first byte.
function malformed(what: string, offset: number): RegistryError {
  return boltError("BOLT_MALFORMED", { what, offset });
}
