// Reads Jute, the format of ZooKeeper's messages: big-endian numbers, and buffers, strings and vectors after their
// length, where -1 stands for null. A declared length allocates nothing before as many bytes are there.

import { ByteReader } from "../../base/bytes.ts";
import { juteError } from "./errors.ts";

// Without ignoreBOM the decoder would drop a leading U+FEFF.
const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads one record. A fault throws JUTE_MALFORMED with the offset. */
export class JuteReader {
  readonly #reader: ByteReader;

  constructor(bytes: Uint8Array) {
    this.#reader = new ByteReader(bytes, (details) => juteError("JUTE_MALFORMED", details));
  }

  get remaining(): number {
    return this.#reader.remaining;
  }

  int(): number {
    return this.#reader.i32();
  }

  long(): bigint {
    return this.#reader.i64();
  }

  bool(): boolean {
    const at = this.#reader.offset;
    const byte = this.#reader.u8();
    if (byte > 1) throw this.#reader.wrong(`a boolean is 0 or 1, not ${byte}`, at);
    return byte === 1;
  }

  /** A view that shares memory with the input; undefined for null. */
  buffer(): Uint8Array | undefined {
    const length = this.#length("a buffer");
    return length === undefined ? undefined : this.#reader.view(length);
  }

  /** Undefined for null. */
  ustring(): string | undefined {
    const at = this.#reader.offset;
    const bytes = this.buffer();
    if (bytes === undefined) return undefined;
    try {
      return DECODER.decode(bytes);
    } catch (error) {
      throw this.#reader.wrong(`a string is not UTF-8: ${error instanceof Error ? error.message : "unknown"}`, at);
    }
  }

  /** A string that may not be null. */
  string(): string {
    const at = this.#reader.offset;
    const text = this.ustring();
    if (text === undefined) throw this.#reader.wrong("a string is null", at);
    return text;
  }

  /** Items that take `itemBytesMin` each at least; none for null. */
  vector<T>(itemBytesMin: number, item: (reader: this) => T): T[] {
    const at = this.#reader.offset;
    const count = this.#length("a vector") ?? 0;
    if (count * itemBytesMin > this.#reader.remaining) {
      throw this.#reader.wrong(`a vector of ${count} items in ${this.#reader.remaining} bytes`, at);
    }
    const items: T[] = [];
    for (let left = count; left > 0; left--) items.push(item(this));
    return items;
  }

  /** The error for a record that says something that it may not. */
  wrong(what: string): Error {
    return this.#reader.wrong(what);
  }

  #length(what: string): number | undefined {
    const at = this.#reader.offset;
    const length = this.#reader.i32();
    if (length === -1) return undefined;
    if (length < 0) throw this.#reader.wrong(`${what} of ${length} bytes`, at);
    return length;
  }
}
