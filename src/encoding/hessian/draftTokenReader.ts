import { readBareName } from "./strings.ts";
import { type ClassDefinition, type Token, TokenReader } from "./tokenReader.ts";

/**
 * The tags of the Hessian 2.0 draft, which SOFAHessian 3.x writes. Objects are `O` (definition) and `o` (instance);
 * lists and maps may have a type `t` and are closed by `z`.
 */
export class DraftTokenReader<Definition extends ClassDefinition> extends TokenReader<Definition> {
  readonly dialect = "draft";
  protected readonly endTag = 0x7a; // z

  protected special(tag: number): Token {
    const { input } = this;
    switch (tag) {
      case 0x4f: // O
        this.define();
        return this.next();
      case 0x6f: // o
        return this.objectToken(this.structInt());
      case 0x56: // V
        return this.#list();
      case 0x76: // v: a type known before, a length, no end
        return this.listToken(this.knownType(this.structInt()), this.#length(this.structInt()));
      case 0x4d: // M
        return this.mapToken(this.#type());
      case 0x7a: // z
        return "end";
      case 0x4a: // J
        return this.refToken(input.u8());
      case 0x4b: // K
        return this.refToken(input.u16());
      case 0x52: // R
        return this.refToken(input.i32());
      case 0x73: // s
        return this.chunk("string", input.u16(), false);
      case 0x62: // b
        return this.chunk("bytes", input.u16(), false);
      case 0x77:
        return this.longToken(BigInt(input.i32()));
      case 0x64: // d
        return this.dateToken(input.i64());
      default:
        return this.#double(tag);
    }
  }

  protected className(): string {
    this.isLastChunk = true;
    return readBareName(this.input, this.nameUnits(this.structInt()));
  }

  #double(tag: number): Token {
    const { input } = this;
    switch (tag) {
      case 0x67:
        return this.doubleToken(0);
      case 0x68:
        return this.doubleToken(1);
      case 0x69:
        return this.doubleToken(input.i8());
      case 0x6a:
        return this.doubleToken(input.i16());
      case 0x6b:
        return this.doubleToken(input.f32());
      default:
        throw input.wrong(`tag 0x${tag.toString(16)}`, input.offset - 1);
    }
  }

  // The length is optional and only a hint: like Java's reader we rely on the closing z.
  #list(): Token {
    const typeName = this.#type();
    const tag = this.#peek();
    if (tag === 0x6e || tag === 0x6c) {
      this.input.offset++;
      this.#length(tag === 0x6e ? this.input.u8() : this.input.i32());
    }
    return this.listToken(typeName, -1);
  }

  #length(length: number): number {
    if (length < 0) throw this.input.wrong(`a list of ${length} elements`);
    return length;
  }

  #type(): string {
    const { input } = this;
    const tag = this.#peek();
    if (tag === 0x74) {
      input.offset++;
      this.isLastChunk = true;
      return this.newType(readBareName(input, this.nameUnits(input.u16())));
    }
    // T after M or V is a type, though it is "true" elsewhere: Java's reader decides so too.
    if (tag !== 0x75 && tag !== 0x54) return "";
    input.offset++;
    return this.knownType(this.structInt());
  }

  #peek(): number {
    const { input } = this;
    return input.remaining === 0 ? -1 : (input.bytes[input.offset] as number);
  }
}
