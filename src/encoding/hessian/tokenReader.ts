// The lower half of the Hessian reader: one token at a time. This class is common to both dialects; draftTokenReader.ts
// and finalTokenReader.ts add the tags in which they differ. A token's scalar is read with it. For a string or bytes
// only the head of the first chunk is read, so that the layer above decides whether they become a string, a text, or
// nothing. The reader's fields hold the token's value until the next token, so a token costs no object.

import type { ByteReader } from "../../base/bytes.ts";
import type { ErrorDetails, RegistryError } from "../../base/errors.ts";
import { hessianError } from "./errors.ts";
import { readString, type StringChunks } from "./strings.ts";

/** The next token: a scalar, the beginning of something longer, a reference, or the end of a list or map. */
export type Token =
  | "null"
  | "true"
  | "false"
  | "int"
  | "long"
  | "double"
  | "date"
  | "string"
  | "bytes"
  | "list"
  | "map"
  | "object"
  | "ref"
  | "end";

/** SOFAHessian writes the draft; its first byte is `O`. The final version begins with `C`. */
export type HessianDialect = "draft" | "final";

/** A class as a message describes it, before its first instance. */
export interface ClassDefinition {
  readonly className: string;
  readonly fieldNames: readonly string[];
}

/** The known classes of a message. Throws HESSIAN_CLASS_UNKNOWN for any other class. */
export interface ClassTable<Definition extends ClassDefinition> {
  /** The definition whose bytes stand at the reader's offset, which then moves behind them: no name is decoded. */
  matched(input: ByteReader, dialect: HessianDialect): Definition | undefined;
  define(className: string, fieldNames: readonly string[]): Definition;
}

/**
 * The most tokens of one message. An address costs up to three (its box, the box's class and its text), so this allows
 * 83,000 addresses, eight times the largest service we know of; each token costs us at most some 100 bytes.
 */
export const VALUES_MAX = 250_000;

/** The most classes of one message. Ours have at most five; an exception with its causes may bring some more. */
export const CLASSES_MAX = 64;

/** The most fields of one class. The largest message has 18. */
export const FIELDS_MAX = 64;

/** The most UTF-16 units of a class, type or field name. The longest of ours has 53. */
const NAME_UNITS_MAX = 256;

/** Reads the tokens of one message in one dialect. */
export abstract class TokenReader<Definition extends ClassDefinition> implements StringChunks {
  readonly input: ByteReader;
  readonly #classes: ClassTable<Definition>;
  readonly #definitions: Definition[] = [];
  readonly #types: string[] = [];
  readonly #valuesMax: number;
  #values = 0;

  /** The value of an int, the length of the chunk of a string (units) or of bytes, or the index of a ref. */
  int = 0;
  /** The value of a long, or of a date in milliseconds. */
  long = 0n;
  double = 0;
  /** For a string or bytes: whether no further chunk follows. */
  isLastChunk = true;
  /** For a list: the number of elements that follow; -1 if an "end" closes it. An "end" always closes a map. */
  count = -1;
  /** The type of a list or map; empty if it has none. */
  typeName = "";

  #definition: Definition | undefined;

  constructor(input: ByteReader, classes: ClassTable<Definition>, valuesMax = VALUES_MAX) {
    this.input = input;
    this.#classes = classes;
    this.#valuesMax = valuesMax;
  }

  abstract readonly dialect: HessianDialect;

  /** The class of the object whose token was read last. */
  get definition(): Definition {
    if (this.#definition === undefined) throw this.input.wrong("no object has been read");
    return this.#definition;
  }

  /** Reads a token; throws HESSIAN_MALFORMED, HESSIAN_LIMIT or HESSIAN_CLASS_UNKNOWN. */
  next(): Token {
    if (++this.#values > this.#valuesMax) throw this.#limit({ valuesMax: this.#valuesMax });
    const tag = this.input.u8();
    if (tag < 0x20) return this.chunk("string", tag, true);
    if (tag >= 0x80) return this.#compactNumber(tag);
    if (tag < 0x30) return this.chunk("bytes", tag - 0x20, true);
    switch (tag) {
      case 0x4e: // N
        return "null";
      case 0x54: // T
        return "true";
      case 0x46: // F
        return "false";
      case 0x53: // S
        return this.chunk("string", this.input.u16(), true);
      case 0x42: // B
        return this.chunk("bytes", this.input.u16(), true);
      case 0x49: // I
        return this.#intToken(this.input.i32());
      case 0x4c: // L
        return this.longToken(this.input.i64());
      case 0x44: // D
        return this.doubleToken(this.input.f64());
      default:
        if (tag >= 0x38 && tag < 0x40) return this.longToken(BigInt(((tag - 0x3c) << 16) | this.input.u16()));
        return this.special(tag);
    }
  }

  /** Reads the head of the next chunk of the string or of the bytes begun. */
  nextChunk(of: "string" | "bytes"): void {
    if (this.next() !== of) throw this.input.wrong(`a chunk of ${of} is missing`);
  }

  /** Reads the "end" if it is next, and returns whether it was. */
  isAtEnd(): boolean {
    if (this.input.bytes[this.input.offset] !== this.endTag || this.input.remaining === 0) return false;
    this.input.offset++;
    return true;
  }

  /** The tags in which the dialects differ. */
  protected abstract special(tag: number): Token;
  protected abstract readonly endTag: number;

  /** The class name of a definition. */
  protected abstract className(): string;

  protected chunk(of: "string" | "bytes", length: number, isLast: boolean): Token {
    this.int = length;
    this.isLastChunk = isLast;
    return of;
  }

  protected longToken(value: bigint): Token {
    this.long = value;
    return "long";
  }

  protected doubleToken(value: number): Token {
    this.double = value;
    return "double";
  }

  protected dateToken(ms: bigint): Token {
    this.long = ms;
    return "date";
  }

  protected refToken(index: number): Token {
    this.int = index;
    return "ref";
  }

  /** A list of `count` elements without an "end", or with one if `count` is -1. */
  protected listToken(typeName: string, count: number): Token {
    // Every element takes at least a byte, so a larger count can't be true.
    if (count < -1 || count > this.input.remaining)
      throw this.input.wrong(`a list of ${count} elements, ${this.input.remaining} bytes left`);
    this.typeName = typeName;
    this.count = count;
    return "list";
  }

  protected mapToken(typeName: string): Token {
    this.typeName = typeName;
    return "map";
  }

  protected objectToken(index: number): Token {
    const definition = this.#definitions[index];
    if (definition === undefined) throw this.input.wrong(`class ${index} of ${this.#definitions.length}`);
    this.#definition = definition;
    return "object";
  }

  /** Reads a definition; its tag has been read. */
  protected define(): void {
    if (this.#definitions.length === CLASSES_MAX) throw this.#limit({ classesMax: CLASSES_MAX });
    this.#definitions.push(this.#classes.matched(this.input, this.dialect) ?? this.#unmatched());
  }

  /** Reads an int that belongs to the structure: a count or an index. */
  protected structInt(): number {
    if (this.next() !== "int") throw this.input.wrong("an int is missing");
    return this.int;
  }

  /** Reads a string that belongs to the structure: a name. */
  protected structString(): string {
    if (this.next() !== "string") throw this.input.wrong("a name is missing");
    this.nameUnits(this.int);
    return readString(this);
  }

  /** The length of a name, which has a bound. */
  protected nameUnits(units: number): number {
    if (units < 0) throw this.input.wrong(`a name of ${units} units`);
    if (units > NAME_UNITS_MAX || !this.isLastChunk) throw this.#limit({ nameUnitsMax: NAME_UNITS_MAX });
    return units;
  }

  protected newType(typeName: string): string {
    this.#types.push(typeName);
    return typeName;
  }

  protected knownType(index: number): string {
    const typeName = this.#types[index];
    if (typeName === undefined) throw this.input.wrong(`type ${index} of ${this.#types.length}`);
    return typeName;
  }

  #unmatched(): Definition {
    const className = this.className();
    const count = this.structInt();
    if (count < 0) throw this.input.wrong(`a class of ${count} fields`);
    if (count > FIELDS_MAX) throw this.#limit({ fieldsMax: FIELDS_MAX });
    const fieldNames: string[] = [];
    for (let left = count; left > 0; left--) fieldNames.push(this.structString());
    return this.#classes.define(className, fieldNames);
  }

  #compactNumber(tag: number): Token {
    if (tag < 0xc0) return this.#intToken(tag - 0x90);
    if (tag < 0xd0) return this.#intToken(((tag - 0xc8) << 8) | this.input.u8());
    if (tag < 0xd8) return this.#intToken(((tag - 0xd4) << 16) | this.input.u16());
    if (tag < 0xf0) return this.longToken(BigInt(tag - 0xe0));
    return this.longToken(BigInt(((tag - 0xf8) << 8) | this.input.u8()));
  }

  #intToken(value: number): Token {
    this.int = value;
    return "int";
  }

  #limit(limit: ErrorDetails): RegistryError {
    return hessianError("HESSIAN_LIMIT", { ...limit, offset: this.input.offset });
  }
}
