import { readString } from "./strings.ts";
import { type ClassDefinition, type Token, TokenReader } from "./tokenReader.ts";

/** The tags of the final Hessian 2.0, which Caucho's hessian-4.0.x writes. Lists of known length have no end. */
export class FinalTokenReader<Definition extends ClassDefinition> extends TokenReader<Definition> {
  readonly dialect = "final";
  protected readonly endTag = 0x5a; // Z

  protected special(tag: number): Token {
    const { input } = this;
    if (tag >= 0x60 && tag < 0x70) return this.objectToken(tag - 0x60);
    if (tag >= 0x78) return this.listToken("", tag - 0x78);
    if (tag >= 0x70) return this.listToken(this.#type(), tag - 0x70);
    if (tag < 0x34) return this.chunk("string", ((tag - 0x30) << 8) | input.u8(), true);
    if (tag < 0x38) return this.chunk("bytes", ((tag - 0x34) << 8) | input.u8(), true);
    switch (tag) {
      case 0x43: // C
        this.define();
        return this.next();
      case 0x4f: // O
        return this.objectToken(this.structInt());
      case 0x55:
        return this.listToken(this.#type(), -1);
      case 0x56: // V
        return this.listToken(this.#type(), this.#length());
      case 0x57:
        return this.listToken("", -1);
      case 0x58:
        return this.listToken("", this.#length());
      case 0x48: // H
        return this.mapToken("");
      case 0x4d: // M
        return this.mapToken(this.#type());
      case 0x5a: // Z
        return "end";
      case 0x51: // Q
        return this.refToken(this.structInt());
      default:
        return this.#scalar(tag);
    }
  }

  protected className(): string {
    return this.structString();
  }

  #scalar(tag: number): Token {
    const { input } = this;
    switch (tag) {
      case 0x52: // R
        return this.chunk("string", input.u16(), false);
      case 0x41: // A
        return this.chunk("bytes", input.u16(), false);
      case 0x59:
        return this.longToken(BigInt(input.i32()));
      case 0x4a: // J
        return this.dateToken(input.i64());
      case 0x4b: // K: minutes
        return this.dateToken(BigInt(input.i32()) * 60_000n);
      case 0x5b:
        return this.doubleToken(0);
      case 0x5c:
        return this.doubleToken(1);
      case 0x5d:
        return this.doubleToken(input.i8());
      case 0x5e:
        return this.doubleToken(input.i16());
      case 0x5f: // The specification says a float; Caucho's library writes and reads thousandths.
        return this.doubleToken(input.i32() / 1000);
      default:
        throw input.wrong(`tag 0x${tag.toString(16)}`, input.offset - 1);
    }
  }

  #length(): number {
    const length = this.structInt();
    if (length < 0) throw this.input.wrong(`a list of ${length} elements`);
    return length;
  }

  // A type is a name, or the index of one that came before.
  #type(): string {
    const token = this.next();
    if (token === "int") return this.knownType(this.int);
    if (token !== "string") throw this.input.wrong("a type is missing");
    this.nameUnits(this.int);
    return this.newType(readString(this));
  }
}
