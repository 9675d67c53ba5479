// Reads one message between nodes; format.ts describes the bytes. Counts and lengths are checked against the bytes that
// are there, and lists grow with the bytes read, so a message costs memory only in proportion to its bytes.

import { ByteReader } from "../../base/bytes.ts";
import { type ErrorDetails, fail, type RegistryError } from "../../base/errors.ts";
import { asciiString, utf8String } from "../../base/text.ts";
import { isNodeId, type NodeId, nodeId } from "../../model/ids.ts";
import { FORMAT, type UnknownMessage } from "./format.ts";

/** All methods throw NODE_MESSAGE_MALFORMED with the offset, and nothing else. */
export class NodeReader extends ByteReader {
  /** The number of the message among those of its link. */
  readonly kind: number;
  readonly #names: string[] = [];
  // Whether each of these names is known to be a node id.
  readonly #nodeNames: boolean[] = [];
  // Memory for small blocks, filled from the front.
  #slab = NO_SLAB;
  #slabUsed = 0;

  /** Strings are taken out of `content` and blocks are copied, so nothing keeps `content` in memory. */
  constructor(content: Uint8Array) {
    super(content, malformed);
    const format = this.u8();
    if (format !== FORMAT) throw this.wrong(`format ${format}, this release reads ${FORMAT}`, 0);
    this.kind = this.varint();
    const count = this.count();
    for (let at = 0; at < count; at++) this.#names.push(this.#text(true));
  }

  varint(): number {
    const { offset } = this;
    // One byte is by far the most frequent length.
    if (offset < this.end) {
      const byte = this.bytes[offset] as number;
      if (byte < 0x80) {
        this.offset = offset + 1;
        return byte;
      }
    }
    return this.#longVarint();
  }

  text(): string {
    return this.#text(false);
  }

  optionalText(): string | undefined {
    return this.flag() ? this.text() : undefined;
  }

  name(): string {
    const start = this.offset;
    const name = this.#names[this.varint()];
    if (name === undefined) throw this.wrong("a name that the message does not have", start);
    return name;
  }

  /** A name that is a node id. */
  nodeName(): NodeId {
    const start = this.offset;
    const index = this.varint();
    const name = this.#names[index];
    if (name === undefined) throw this.wrong("a name that the message does not have", start);
    // The same few nodes are named again and again.
    if (this.#nodeNames[index] === true) return nodeId(name);
    this.#nodeNames[index] = true;
    return this.#checkedNodeId(name, start);
  }

  /** A text that is a node id. */
  nodeText(): NodeId {
    const start = this.offset;
    return this.#checkedNodeId(this.text(), start);
  }

  /** A text of ours for people: `host:port`, a cluster's name. */
  plainText(): string {
    const start = this.offset;
    return this.#checkedPlain(this.text(), start);
  }

  plainName(): string {
    const start = this.offset;
    return this.#checkedPlain(this.name(), start);
  }

  flag(): boolean {
    const value = this.u8();
    if (value > 1) throw this.wrong(`${value} is neither yes nor no`, this.offset - 1);
    return value === 1;
  }

  long(): bigint {
    return this.i64();
  }

  digest(): bigint {
    return BigInt.asUintN(64, this.i64());
  }

  /**
   * Raw bytes, copied: a publication lives for months and must not keep the frame, with up to 99 others, in memory.
   * Small blocks share slabs of a kilobyte.
   */
  block(): Uint8Array {
    const length = this.#length();
    const start = this.offset;
    const end = start + length;
    if (length > SLAB_SHARE_MAX) {
      this.offset = end;
      return this.bytes.slice(start, end);
    }
    if (length > this.#slab.length - this.#slabUsed) {
      this.#slab = new Uint8Array(Math.min(SLAB_BYTES, this.remaining));
      this.#slabUsed = 0;
    }
    const from = this.#slabUsed;
    this.#slabUsed = from + length;
    this.offset = end;
    this.#slab.set(this.bytes.subarray(start, end), from);
    return this.#slab.subarray(from, from + length);
  }

  list<T>(read: (reader: NodeReader) => T): T[] {
    const count = this.count();
    const values: T[] = [];
    for (let at = 0; at < count; at++) values.push(read(this));
    return values;
  }

  numbers(): number[] {
    const count = this.count();
    const values: number[] = [];
    for (let at = 0; at < count; at++) values.push(this.varint());
    return values;
  }

  /**
   * A list with elements that `read` may not know: the result is then undefined and the reader can't be used further.
   */
  listIfKnown<T>(read: (reader: NodeReader) => T | undefined): T[] | undefined {
    const count = this.count();
    const values: T[] = [];
    for (let at = 0; at < count; at++) {
      const value = read(this);
      if (value === undefined) return undefined;
      values.push(value);
    }
    return values;
  }

  /** A count of elements, each of which takes at least a byte. */
  count(): number {
    const start = this.offset;
    const count = this.varint();
    if (count > this.remaining) throw this.wrong(`${count} elements in ${this.remaining} bytes`, start);
    return count;
  }

  /** The end of the tail of a record whose fields have been read. A release that adds fields reads them up to here. */
  tailEnd(): number {
    const length = this.#length();
    return this.offset + length;
  }

  /** Skips the fields that later releases have added to a record. */
  endRecord(): void {
    this.offset = this.tailEnd();
  }

  /** Ends a record whose tail is empty; false, and nothing is read, if it is not. */
  endEmptyRecord(): boolean {
    if (this.bytes[this.offset] !== 0) return false;
    this.offset++;
    return true;
  }

  /** As `endRecord`; returns the name that begins the tail, if the sender wrote one. */
  endRecordWithName(): string | undefined {
    return this.endRecordWith(() => this.name());
  }

  /**
   * As `endRecord`; returns the value that begins the tail, if the sender wrote one. `read` is given the end of the
   * tail.
   */
  endRecordWith<T>(read: (end: number) => T): T | undefined {
    const end = this.tailEnd();
    const value = this.offset < end && this.flag() ? read(end) : undefined;
    if (this.offset > end) throw this.wrong("a field beyond its record", end);
    this.offset = end;
    return value;
  }

  /** The result for a message that this release does not know. */
  unknown(what = `message kind ${this.kind}`): UnknownMessage {
    return { kind: "unknown", what };
  }

  #checkedNodeId(text: string, start: number): NodeId {
    if (!isNodeId(text)) throw this.wrong("not a node id", start);
    return nodeId(text);
  }

  #checkedPlain(text: string, start: number): string {
    if (text.length > PLAIN_CHARS_MAX || !PLAIN.test(text)) throw this.wrong("not a short printable text", start);
    return text;
  }

  // A length of bytes, all of which are there.
  #length(): number {
    const start = this.offset;
    const length = this.varint();
    if (length > this.remaining) throw this.wrong(`needs ${length} bytes, ${this.remaining} left`, start);
    return length;
  }

  #longVarint(): number {
    const start = this.offset;
    let value = 0;
    let factor = 1;
    for (let count = 0; count < VARINT_BYTES_MAX; count++, factor *= 0x80) {
      const byte = this.u8();
      value += (byte & 0x7f) * factor;
      if (byte >= 0x80) continue;
      if (value <= Number.MAX_SAFE_INTEGER) return value;
      break;
    }
    throw this.wrong("a number above 2^53", start);
  }

  // Names recur in other messages and are shared (base/text.ts); one-time strings would only drive them out.
  #text(isName: boolean): string {
    const start = this.offset;
    const head = this.varint();
    const length = Math.floor(head / 2);
    if (length > this.remaining) throw this.wrong(`needs ${length} bytes, ${this.remaining} left`, start);
    const from = this.offset;
    const to = from + length;
    if (head % 2 === 1) return this.#utf16(to);
    const isShared = isName && this.isAscii(length);
    const value = isShared ? asciiString(this.bytes, from, to) : utf8String(this.bytes, from, to);
    if (value === undefined) throw this.wrong("bad UTF-8", from);
    this.offset = to;
    return value;
  }

  // Rare: only strings with a lone surrogate.
  #utf16(end: number): string {
    if ((end - this.offset) % 2 === 1) throw this.wrong("an odd number of UTF-16 bytes");
    let value = "";
    while (this.offset < end) {
      const units: number[] = [];
      while (this.offset < end && units.length < UNITS_PER_BLOCK) units.push(this.u16());
      value += String.fromCharCode(...units);
    }
    return value;
  }
}

// With memory of its own for each payload of 150 bytes, a publication of a batch took 0.9 to 1.9 µs to decode; with a
// slab for six of them it takes 0.5 to 0.8. A payload that outlives its neighbours keeps a kilobyte, about twice its
// own size.
const SLAB_BYTES = 1024;
const SLAB_SHARE_MAX = 256;
const NO_SLAB = new Uint8Array(0);

// One call takes far fewer arguments than the engine's limit (about 120,000).
const UNITS_PER_BLOCK = 4096;

// A host name has at most 253 characters.
const PLAIN_CHARS_MAX = 300;
const PLAIN = /^[ -~]*$/;

// 2^53 - 1 takes eight.
const VARINT_BYTES_MAX = 8;

function malformed(details: ErrorDetails): RegistryError {
  return fail("NODE_MESSAGE_MALFORMED", details);
}
