// Reads Bolt frames (protocol 1) without keeping them: a subscriber of a list of 155 kB looks at its first and last
// bytes only, so that three hundred of them share one core with the server that is measured. Every byte is received;
// what lies between is skipped.

import { Buffer } from "node:buffer";
import { crc32 } from "node:zlib";

const REQUEST_HEAD_BYTES = 22;
const RESPONSE_HEAD_BYTES = 20;
const TYPE_RESPONSE = 0;
// Of a frame that does not arrive in one read these bytes are kept. The first hold the service, and where a server
// writes version and receiver early, these; the last hold them where it writes them late.
const FIRST_BYTES = 1_024;
const LAST_BYTES = 512;
// The request id and what stands before it differ between receivers.
const ID_AT = 5;
const SAME_FROM = 9;
const FRAME_BYTES_MAX = 64 * 1024 * 1024;

/** How the registId of every light subscriber begins: what follows differs, and is left out of fingerprints. */
export const SUBSCRIBER_PREFIX = "b5e9c4a1-5b5b-4b5b-8b5b-";
const PREFIX = Buffer.from(SUBSCRIBER_PREFIX, "latin1");
const REGIST_ID_BYTES = 36;

/** Takes what a reader saw; the frame is only valid during the call. */
export type OnFrame = (frame: SeenFrame) => void;

/** A frame as it passes by. */
export class SeenFrame {
  isResponse = false;
  isHeartbeat = false;
  id = 0;
  /** Of a response; 0 is success. */
  status = 0;
  /** Of the whole frame, its head counted. */
  bytes = 0;
  /** The first bytes of the frame, or all of it if it is short or came in one read. */
  first: Buffer = Buffer.alloc(0);
  /** The last bytes, if there are others between. */
  last: Buffer | undefined;
  /** All of the frame, if the reader keeps whole frames. */
  whole: Buffer | undefined;

  /** Equal for equal pushes to different receivers; different, but for chance, for different ones. */
  fingerprint(): number {
    const isCut = this.bytes > FIRST_BYTES + LAST_BYTES;
    const first = sumWithoutRegistIds(this.first, SAME_FROM, isCut ? FIRST_BYTES : this.bytes, this.bytes);
    if (!isCut) return first;
    if (this.last !== undefined) return sumWithoutRegistIds(this.last, 0, LAST_BYTES, first);
    return sumWithoutRegistIds(this.first, this.bytes - LAST_BYTES, this.bytes, first);
  }
}

function sumWithoutRegistIds(bytes: Buffer, start: number, end: number, seed: number): number {
  const found = bytes.indexOf(PREFIX, start);
  if (found < 0 || found >= end) return crc32(bytes.subarray(start, end), seed);
  const before = crc32(bytes.subarray(start, found), seed);
  return crc32(bytes.subarray(Math.min(found + REGIST_ID_BYTES, end), end), before);
}

/** Reads one direction of one connection. */
export class BoltReader {
  readonly #onFrame: OnFrame;
  readonly #keepsWhole: boolean;
  readonly #frame = new SeenFrame();
  // A frame that goes on in the next read: how much of it was seen, and its first and last bytes.
  #seen = 0;
  #total = 0;
  #first: Buffer | undefined;
  #last: Buffer | undefined;
  #parts: Buffer[] = [];

  constructor(onFrame: OnFrame, { keepsWhole = false } = {}) {
    this.#onFrame = onFrame;
    this.#keepsWhole = keepsWhole;
  }

  /** Takes what was read; the chunk may be written again after this. */
  read(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#seen > 0) {
        at += this.#goOn(chunk, at);
        continue;
      }
      const total = frameBytes(chunk, at, chunk.length);
      if (total === undefined || at + total > chunk.length) {
        this.#first ??= Buffer.allocUnsafe(FIRST_BYTES + LAST_BYTES);
        this.#total = total ?? 0;
        at += this.#goOn(chunk, at);
        continue;
      }
      this.#emit(chunk.subarray(at, at + total), total);
      at += total;
    }
  }

  /** Adds what the chunk holds of the frame that is under way; returns how many bytes that were. */
  #goOn(chunk: Buffer, from: number): number {
    if (this.#total === 0) return this.#goOnWithHead(chunk, from);
    const end = Math.min(chunk.length, from + this.#total - this.#seen);
    this.#keep(chunk, from, end);
    if (this.#seen === this.#total) this.#complete();
    return end - from;
  }

  /** Takes single bytes until the head says how long the frame is. */
  #goOnWithHead(chunk: Buffer, from: number): number {
    this.#keep(chunk, from, from + 1);
    this.#total = frameBytes(this.#first as Buffer, 0, this.#seen) ?? 0;
    if (this.#seen === this.#total) this.#complete();
    return 1;
  }

  #keep(chunk: Buffer, from: number, end: number): void {
    const first = this.#first as Buffer;
    if (this.#seen < first.length) chunk.copy(first, this.#seen, from, end);
    if (this.#total > first.length) this.#keepLast(chunk, from, end);
    if (this.#keepsWhole) this.#parts.push(Buffer.from(chunk.subarray(from, end)));
    this.#seen += end - from;
  }

  #keepLast(chunk: Buffer, from: number, end: number): void {
    // Bytes read while the length was not known yet are at most a head: they are never among the last bytes.
    this.#last ??= Buffer.allocUnsafe(LAST_BYTES);
    const count = end - from;
    if (count < LAST_BYTES) this.#last.copyWithin(0, count);
    chunk.copy(this.#last, Math.max(0, LAST_BYTES - count), Math.max(from, end - LAST_BYTES), end);
  }

  #complete(): void {
    const first = this.#first as Buffer;
    const total = this.#total;
    this.#frame.last = total > first.length ? this.#last : undefined;
    this.#frame.whole = this.#keepsWhole ? Buffer.concat(this.#parts) : undefined;
    this.#parts = [];
    this.#seen = 0;
    this.#total = 0;
    this.#emit(first, total);
    this.#frame.last = undefined;
    this.#frame.whole = undefined;
  }

  #emit(bytes: Buffer, total: number): void {
    const frame = this.#frame;
    frame.isResponse = bytes[1] === TYPE_RESPONSE;
    frame.isHeartbeat = bytes[2] === 0 && bytes[3] === 0;
    frame.id = bytes.readInt32BE(ID_AT);
    frame.status = frame.isResponse ? bytes.readUInt16BE(10) : 0;
    frame.bytes = total;
    frame.first = bytes;
    if (this.#keepsWhole && frame.whole === undefined) {
      frame.whole = Buffer.from(bytes);
      this.#onFrame(frame);
      frame.whole = undefined;
      return;
    }
    this.#onFrame(frame);
  }
}

/** The length of the frame that begins at `at`; undefined if its head is not whole. */
function frameBytes(bytes: Buffer, at: number, end: number): number | undefined {
  if (end - at < 2) return undefined;
  if (bytes[at] !== 1) throw new Error(`a frame of protocol ${bytes[at]} where protocol 1 was spoken`);
  const headBytes = bytes[at + 1] === TYPE_RESPONSE ? RESPONSE_HEAD_BYTES : REQUEST_HEAD_BYTES;
  if (end - at < headBytes) return undefined;
  const tail = at + headBytes - 8;
  const total = headBytes + bytes.readUInt16BE(tail) + bytes.readUInt16BE(tail + 2) + bytes.readUInt32BE(tail + 4);
  if (total > FRAME_BYTES_MAX) throw new Error(`a frame of ${total} bytes`);
  return total;
}
