// Reads any Hessian value as a plain tree, whatever its classes: for tests and for inspecting captured traffic. It
// creates only the nodes below, within the same limits as the typed reader.

import { ByteReader } from "../../base/bytes.ts";
import { readBytes } from "./binary.ts";
import { DraftTokenReader } from "./draftTokenReader.ts";
import { hessianError, malformed } from "./errors.ts";
import { FinalTokenReader } from "./finalTokenReader.ts";
import { DEPTH_MAX } from "./reader.ts";
import { readString } from "./strings.ts";
import type { ClassDefinition, ClassTable, HessianDialect, Token, TokenReader } from "./tokenReader.ts";

/** A value: ints and doubles are numbers, longs bigint. */
export type HessianTree = null | boolean | number | bigint | string | Uint8Array | HessianNode;

/** A value that is more than a JavaScript scalar. */
export type HessianNode =
  | { readonly kind: "date"; readonly ms: bigint }
  | { readonly kind: "list"; readonly typeName: string; readonly elements: readonly HessianTree[] }
  | {
      readonly kind: "map";
      readonly typeName: string;
      readonly entries: readonly (readonly [HessianTree, HessianTree])[];
    }
  | {
      readonly kind: "object";
      readonly className: string;
      readonly fields: readonly (readonly [string, HessianTree])[];
    }
  /** A reference to the list, map or object that begins as the `index`th, counted from 0. */
  | { readonly kind: "ref"; readonly index: number };

const ANY_CLASS: ClassTable<ClassDefinition> = {
  matched: () => undefined,
  define: (className, fieldNames) => ({ className, fieldNames }),
};

/** Reads a content of one value. Throws HESSIAN_MALFORMED or HESSIAN_LIMIT. */
export function readTree(dialect: HessianDialect, content: Uint8Array): HessianTree {
  const input = new ByteReader(content, malformed);
  const tokens = dialect === "draft" ? new DraftTokenReader(input, ANY_CLASS) : new FinalTokenReader(input, ANY_CLASS);
  const tree = new TreeReader(tokens).value();
  if (input.remaining > 0) throw input.wrong(`${input.remaining} bytes follow the value`);
  return tree;
}

class TreeReader {
  readonly #tokens: TokenReader<ClassDefinition>;
  #depth = 0;
  #begun = 0;

  constructor(tokens: TokenReader<ClassDefinition>) {
    this.#tokens = tokens;
  }

  value(): HessianTree {
    return this.#valueOf(this.#tokens.next());
  }

  #valueOf(token: Token): HessianTree {
    const tokens = this.#tokens;
    switch (token) {
      case "null":
        return null;
      case "true":
        return true;
      case "false":
        return false;
      case "int":
        return tokens.int;
      case "long":
        return tokens.long;
      case "double":
        return tokens.double;
      case "date":
        return { kind: "date", ms: tokens.long };
      case "string":
        return readString(tokens);
      case "bytes":
        return readBytes(tokens);
      case "ref":
        if (tokens.int < 0 || tokens.int >= this.#begun)
          throw tokens.input.wrong(`reference ${tokens.int} of ${this.#begun}`);
        return { kind: "ref", index: tokens.int };
      case "end":
        throw tokens.input.wrong("an end in the place of a value");
      default:
        return this.#container(token);
    }
  }

  #container(token: "list" | "map" | "object"): HessianNode {
    if (++this.#depth > DEPTH_MAX)
      throw hessianError("HESSIAN_LIMIT", { depthMax: DEPTH_MAX, offset: this.#tokens.input.offset });
    this.#begun++;
    const node = this.#content(token);
    this.#depth--;
    return node;
  }

  #content(token: "list" | "map" | "object"): HessianNode {
    if (token === "list") return this.#list();
    return token === "map" ? this.#map() : this.#object();
  }

  #list(): HessianNode {
    const { typeName, count } = this.#tokens;
    const elements: HessianTree[] = [];
    if (count === -1) while (!this.#tokens.isAtEnd()) elements.push(this.value());
    else for (let left = count; left > 0; left--) elements.push(this.value());
    return { kind: "list", typeName, elements };
  }

  #map(): HessianNode {
    const { typeName } = this.#tokens;
    const entries: (readonly [HessianTree, HessianTree])[] = [];
    while (!this.#tokens.isAtEnd()) entries.push([this.value(), this.value()]);
    return { kind: "map", typeName, entries };
  }

  #object(): HessianNode {
    const { className, fieldNames } = this.#tokens.definition;
    return { kind: "object", className, fields: fieldNames.map((name) => [name, this.value()] as const) };
  }
}
