// Messages in the bytes of a call: a byte that says whether the message is compressed, its length in four bytes, and
// the message. The part of a message that has come is kept in a buffer that grows with it: a length that is only
// declared takes no memory.

import { grpcError } from "./errors.ts";

/** The bytes in front of each message. */
export const PREFIX_BYTES = 5;

const NOTHING = new Uint8Array(0);
const BUFFER_BYTES_MIN = 1_024;

/** Puts the bytes in front of a message at the beginning of `bytes`. */
export function putPrefix(bytes: Uint8Array, messageBytes: number): void {
  bytes[0] = 0;
  for (let at = 1; at < PREFIX_BYTES; at++) bytes[at] = (messageBytes >>> (8 * (PREFIX_BYTES - 1 - at))) & 0xff;
}

/** Cuts the bytes of one direction of a call into messages. */
export class GrpcMessages {
  readonly #messageBytesMax: number;
  #buffer = NOTHING;
  /** The bytes of the buffer that have come. */
  #length = 0;

  constructor({ messageBytesMax }: { readonly messageBytesMax: number }) {
    this.#messageBytesMax = messageBytesMax;
  }

  /** The memory that an incomplete message takes. */
  get pendingBytes(): number {
    return this.#buffer.length;
  }

  /**
   * Calls `take` for each message that is whole now. The bytes are valid during the call. Throws
   * GRPC_COMPRESSED or GRPC_MESSAGE_TOO_LARGE; after that nothing of the call can be read.
   */
  push(chunk: Uint8Array, take: (message: Uint8Array) => void): void {
    let bytes = chunk;
    if (this.#length > 0) {
      this.#add(chunk);
      bytes = this.#buffer.subarray(0, this.#length);
    }
    let at = 0;
    for (let end = this.#endOf(bytes, at); end <= bytes.length; end = this.#endOf(bytes, at)) {
      take(bytes.subarray(at + PREFIX_BYTES, end));
      at = end;
    }
    this.#keep(bytes.subarray(at));
  }

  /** Whether the call has ended within a message. */
  get isPartial(): boolean {
    return this.#length > 0;
  }

  /** The end of the message at `at`, beyond the bytes if it is not whole. */
  #endOf(bytes: Uint8Array, at: number): number {
    if (bytes.length - at < PREFIX_BYTES) return Number.POSITIVE_INFINITY;
    if (bytes[at] !== 0) throw grpcError("GRPC_COMPRESSED", { flag: bytes[at] ?? 0 });
    let length = 0;
    for (let byte = 1; byte < PREFIX_BYTES; byte++) length = length * 0x100 + (bytes[at + byte] ?? 0);
    if (length > this.#messageBytesMax) {
      throw grpcError("GRPC_MESSAGE_TOO_LARGE", { bytes: length, bytesMax: this.#messageBytesMax });
    }
    return at + PREFIX_BYTES + length;
  }

  #add(chunk: Uint8Array): void {
    const length = this.#length + chunk.length;
    if (length > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(length, 2 * this.#buffer.length));
      grown.set(this.#buffer.subarray(0, this.#length));
      this.#buffer = grown;
    }
    this.#buffer.set(chunk, this.#length);
    this.#length = length;
  }

  #keep(rest: Uint8Array): void {
    if (rest.length === 0) {
      this.#buffer = NOTHING;
      this.#length = 0;
      return;
    }
    if (rest.buffer === this.#buffer.buffer && rest.byteOffset === 0) return;
    const kept = new Uint8Array(Math.max(BUFFER_BYTES_MIN, rest.length));
    kept.set(rest);
    this.#buffer = kept;
    this.#length = rest.length;
  }
}
