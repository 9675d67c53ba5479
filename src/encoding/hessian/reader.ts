// The upper half of the Hessian reader: typed values. A Shape says what a list, a map or an object becomes. A shape is
// compiled once for each class definition met, so an instance is read field by field into its typed object, with no
// generic map in between. Fields that a shape lacks are skipped, because other releases of the clients have other
// fields; but the classes in them must be known all the same.
//
// References count lists, maps and objects in the order of their beginning, skipped ones too. A reference resolves only
// to a finished value that was read by the very shape now wanted, so a hostile reference can't smuggle in another type.

import { ByteReader } from "../../base/bytes.ts";
import type { ErrorDetails } from "../../base/errors.ts";
import type { WireText } from "../../base/text.ts";
import { readBytes, skipBytes } from "./binary.ts";
import { DraftTokenReader } from "./draftTokenReader.ts";
import { hessianError, malformed } from "./errors.ts";
import { FinalTokenReader } from "./finalTokenReader.ts";
import { readString, readText, skipString } from "./strings.ts";
import type { ClassDefinition, ClassTable, HessianDialect, Token, TokenReader } from "./tokenReader.ts";

/** The deepest nesting of values. Our deepest message has seven levels. */
export const DEPTH_MAX = 32;

/** Reads one value, its token included. */
export type Read<T> = (reader: HessianReader) => T;

/** The target of a list, map or object. Shapes are constants: references compare them by identity. */
export interface Shape<T> {
  readonly begins: "list" | "map" | "object";
  /** Reads what follows the token. */
  readonly content: Read<T>;
}

/** A class definition together with the compiled reading of its instances. */
export interface ShapedClass extends ClassDefinition {
  /** The shape it was compiled from; undefined for a known class that is only ever skipped. */
  readonly shape: Shape<unknown> | undefined;
  readonly readInstance: Read<unknown>;
}

interface Referable {
  readonly shape: Shape<unknown> | undefined;
  value: unknown;
  isDone: boolean;
}

/** Reads one message. All methods throw HESSIAN_MALFORMED, HESSIAN_LIMIT or HESSIAN_CLASS_UNKNOWN, and nothing else. */
export class HessianReader {
  readonly #tokens: TokenReader<ShapedClass>;
  readonly #referables: Referable[] = [];
  #depth = 0;

  constructor(dialect: HessianDialect, content: Uint8Array, classes: ClassTable<ShapedClass>, valuesMax?: number) {
    const input = new ByteReader(content, malformed);
    this.#tokens =
      dialect === "draft"
        ? new DraftTokenReader(input, classes, valuesMax)
        : new FinalTokenReader(input, classes, valuesMax);
  }

  /** Reads a message's one value and checks that nothing follows it. */
  whole<T>(shape: Shape<T>): T {
    const value = this.value(shape);
    const { input } = this.#tokens;
    if (value === null) throw input.wrong("the message is null", 0);
    if (input.remaining > 0) throw input.wrong(`${input.remaining} bytes follow the message`);
    return value;
  }

  string(): string | null {
    const token = this.#tokens.next();
    if (token === "string") return readString(this.#tokens);
    if (token === "null") return null;
    throw this.#unexpected(token, "a string");
  }

  /** A string of at most `unitsMax` UTF-16 units; a string with a longer declared length is not read at all. */
  shortString(unitsMax: number): string | null {
    const token = this.#tokens.next();
    if (token === "null") return null;
    if (token !== "string") throw this.#unexpected(token, "a string");
    if (this.#tokens.int > unitsMax) throw this.limit({ unitsMax });
    const value = readString(this.#tokens);
    if (value.length > unitsMax) throw this.limit({ unitsMax });
    return value;
  }

  text(): WireText | null {
    const token = this.#tokens.next();
    if (token === "string") return readText(this.#tokens);
    if (token === "null") return null;
    throw this.#unexpected(token, "a string");
  }

  bytes(): Uint8Array | null {
    const token = this.#tokens.next();
    if (token === "bytes") return readBytes(this.#tokens);
    if (token === "null") return null;
    throw this.#unexpected(token, "bytes");
  }

  /** Null is false, as Java reads it into a primitive. */
  boolean(): boolean {
    const token = this.#tokens.next();
    if (token === "true") return true;
    if (token === "false" || token === "null") return false;
    throw this.#unexpected(token, "a boolean");
  }

  /** An int, or a long that fits, as Java reads it. */
  int(): number | null {
    const tokens = this.#tokens;
    const token = tokens.next();
    if (token === "int") return tokens.int;
    if (token === "null") return null;
    if (token === "long" && BigInt.asIntN(32, tokens.long) === tokens.long) return Number(tokens.long);
    throw this.#unexpected(token, "an int");
  }

  /** A long or an int, as Java reads it. */
  long(): bigint | null {
    const tokens = this.#tokens;
    const token = tokens.next();
    if (token === "long") return tokens.long;
    if (token === "int") return BigInt(tokens.int);
    if (token === "null") return null;
    throw this.#unexpected(token, "a long");
  }

  /** A list, map or object of this shape, or a reference to one. */
  value<T>(shape: Shape<T>): T | null {
    return this.#shaped(this.#tokens.next(), shape);
  }

  /** A string, or an enum constant of this shape, whose name is taken. */
  stringOrEnum(shape: Shape<string | null>): string | null {
    const token = this.#tokens.next();
    return token === "string" ? readString(this.#tokens) : this.#shaped(token, shape);
  }

  /** The elements of a list whose token was read; a list of more than `max` is refused at the first excess element. */
  elements<T>(read: Read<T>, max = Number.POSITIVE_INFINITY): T[] {
    const { count } = this.#tokens;
    const list: T[] = [];
    if (count > max) throw this.limit({ elementsMax: max, elements: count });
    if (count !== -1) for (let left = count; left > 0; left--) list.push(read(this));
    else {
      while (!this.#tokens.isAtEnd()) {
        if (list.length === max) throw this.limit({ elementsMax: max });
        list.push(read(this));
      }
    }
    return list;
  }

  /** Calls `readEntry`, which reads a key and a value, until the map whose token was read ends. */
  entries(readEntry: () => void): void {
    while (!this.#tokens.isAtEnd()) readEntry();
  }

  /** Skips a value. */
  skip(): void {
    this.#skipValue(this.#tokens.next());
  }

  /** The error for well-formed content that does not belong here. */
  wrong(what: string): Error {
    return this.#tokens.input.wrong(what);
  }

  /** The error for content beyond a bound. */
  limit(bound: ErrorDetails): Error {
    return hessianError("HESSIAN_LIMIT", { ...bound, offset: this.#tokens.input.offset });
  }

  #shaped<T>(token: Token, shape: Shape<T>): T | null {
    if (token === "null") return null;
    if (token === "ref") return this.#resolved(shape);
    if (token !== shape.begins) throw this.#unexpected(token, `a ${shape.begins}`);
    if (token === "object" && this.#tokens.definition.shape !== shape) {
      throw this.wrong(`an object of class ${this.#tokens.definition.className} in the place of another`);
    }
    const referable = this.#begin(shape);
    const value = shape.content(this);
    referable.value = value;
    this.#finish(referable);
    return value;
  }

  /** Reads the fields of the object whose token was read. */
  instance(): unknown {
    return this.#tokens.definition.readInstance(this);
  }

  #resolved<T>(shape: Shape<T>): T {
    const index = this.#tokens.int;
    const referable = this.#referables[index];
    if (referable === undefined || referable.shape !== shape || !referable.isDone) {
      throw this.wrong(`reference ${index} of ${this.#referables.length} does not fit here`);
    }
    // Only this shape's `content` ever filled the entry, and it returns a T.
    return referable.value as T;
  }

  #begin(shape: Shape<unknown> | undefined): Referable {
    if (++this.#depth > DEPTH_MAX)
      throw hessianError("HESSIAN_LIMIT", { depthMax: DEPTH_MAX, offset: this.#tokens.input.offset });
    const referable = { shape, value: undefined, isDone: false };
    this.#referables.push(referable);
    return referable;
  }

  #finish(referable: Referable): void {
    referable.isDone = true;
    this.#depth--;
  }

  #skipValue(token: Token): void {
    switch (token) {
      case "string":
        return skipString(this.#tokens);
      case "bytes":
        return skipBytes(this.#tokens);
      case "list":
      case "map":
      case "object":
        return this.#skipContainer(token);
      case "ref":
        if (this.#tokens.int >= 0 && this.#tokens.int < this.#referables.length) return;
        throw this.wrong(`reference ${this.#tokens.int} of ${this.#referables.length}`);
      case "end":
        throw this.#unexpected(token, "a value");
      default:
        return;
    }
  }

  #skipContainer(token: "list" | "map" | "object"): void {
    const referable = this.#begin(undefined);
    if (token === "list") this.elements(() => this.skip());
    else if (token === "map") this.entries(() => this.#skipMany(2));
    else this.#skipMany(this.#tokens.definition.fieldNames.length);
    this.#finish(referable);
  }

  #skipMany(count: number): void {
    for (let left = count; left > 0; left--) this.skip();
  }

  #unexpected(token: Token, wanted: string): Error {
    return this.wrong(`${token} in the place of ${wanted}`);
  }
}
