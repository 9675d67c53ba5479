// Writes Hessian values, with the same calls for both dialects; the common part is here. We write no references except
// the one that closes an exception's cause: none of our messages holds a value twice.

import { ByteWriter } from "../../base/bytes.ts";
import type { WireText } from "../../base/text.ts";
import { type ChunkHead, writeStringChunks, writeTextChunks } from "./stringChunks.ts";
import type { HessianDialect } from "./tokenReader.ts";

/** A class as we write it: the bytes of its definition, tag included, are made once. */
export interface WrittenClass {
  readonly className: string;
  /** The order in which the instances' values are written. */
  readonly fieldNames: readonly string[];
  readonly encoded: Readonly<Record<HessianDialect, Uint8Array>>;
}

/** Writes one message. */
export abstract class HessianWriter {
  readonly out: ByteWriter;
  readonly #classes: WrittenClass[] = [];
  readonly #stringHead: ChunkHead = (units, isLast) => this.stringHead(units, isLast);

  constructor(out = new ByteWriter()) {
    this.out = out;
  }

  abstract readonly dialect: HessianDialect;

  null(): void {
    this.out.u8(0x4e);
  }

  boolean(value: boolean): void {
    this.out.u8(value ? 0x54 : 0x46);
  }

  int(value: number): void {
    const { out } = this;
    if (value >= -0x10 && value < 0x30) return out.u8(0x90 + value);
    if (value >= -0x800 && value < 0x800) return out.u16(0xc800 + value);
    if (value >= -0x40000 && value < 0x40000) {
      out.u8(0xd4 + (value >> 16));
      return out.u16(value & 0xffff);
    }
    out.u8(0x49);
    out.i32(value);
  }

  /** The shortest form, as Java writes it. */
  long(value: bigint): void {
    const { out } = this;
    if (BigInt.asIntN(32, value) !== value) {
      out.u8(0x4c);
      return out.i64(value);
    }
    const small = Number(value);
    if (small >= -8 && small < 16) return out.u8(0xe0 + small);
    if (small >= -0x800 && small < 0x800) return out.u16(0xf800 + small);
    if (small >= -0x40000 && small < 0x40000) {
      out.u8(0x3c + (small >> 16));
      return out.u16(small & 0xffff);
    }
    this.longOfFourBytes(small);
  }

  string(value: string | null): void {
    if (value === null) return this.null();
    writeStringChunks(this.out, this.#stringHead, value);
  }

  text(value: WireText | null): void {
    if (value === null) return this.null();
    writeTextChunks(this.out, this.#stringHead, value);
  }

  bytes(value: Uint8Array | null): void {
    if (value === null) return this.null();
    let at = 0;
    for (; value.length - at > BYTES_PER_CHUNK; at += BYTES_PER_CHUNK) {
      this.bytesHead(BYTES_PER_CHUNK, false);
      this.out.bytes(value.subarray(at, at + BYTES_PER_CHUNK));
    }
    this.bytesHead(value.length - at, true);
    this.out.bytes(at === 0 ? value : value.subarray(at));
  }

  /** Begins an object: writes its class before the first instance. The values of all its fields follow, in order. */
  object(written: WrittenClass): void {
    let index = this.#classes.indexOf(written);
    if (index < 0) {
      index = this.#classes.push(written) - 1;
      this.out.bytes(written.encoded[this.dialect]);
    }
    this.instance(index);
  }

  /** Begins a list of `count` elements, which follow; then `endList`. Untyped if `typeName` is empty. */
  abstract beginList(count: number, typeName?: string): void;
  abstract endList(): void;
  /** Begins an untyped map: keys and values follow; then `endMap`. */
  abstract beginMap(): void;
  abstract endMap(): void;
  /** A reference to the list, map or object that began as the `index`th. */
  abstract ref(index: number): void;
  abstract double(value: number): void;

  protected abstract instance(index: number): void;
  protected abstract longOfFourBytes(value: number): void;
  protected abstract stringHead(units: number, isLast: boolean): void;
  protected abstract bytesHead(length: number, isLast: boolean): void;

  /** A tag with a length of two bytes. */
  protected tagged16(tag: number, value: number): void {
    this.out.u8(tag);
    this.out.u16(value);
  }

  protected tagged32(tag: number, value: number): void {
    this.out.u8(tag);
    this.out.i32(value);
  }

  protected doubleOfEightBytes(value: number): void {
    this.out.u8(0x44);
    this.out.f64(value);
  }
}

const BYTES_PER_CHUNK = 0x8000;
