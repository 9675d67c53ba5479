// The XML reader of the server: the library sax, held to trees that are small, flat and without a document type. It is
// loaded with the first document: most nodes never read one.

import { createRequire } from "node:module";
import type { QualifiedTag, SAXOptions, SAXParser, Tag } from "sax";
import type { XmlElement, XmlLimits, XmlReader } from "../base/xml.ts";
import { xmlError } from "../encoding/xml/errors.ts";

interface OpenElement {
  readonly name: string;
  readonly attributes: Map<string, string>;
  readonly children: XmlElement[];
  text: string;
}

const require = createRequire(import.meta.url);

// Strict entities are the five of XML itself; the types do not know the option.
const OPTIONS: SAXOptions & { readonly strictEntities: true } = { strictEntities: true, position: true };

/** Reads a document. Throws XML_INVALID. */
export const readXml: XmlReader = (text, limits) => {
  const { parser } = require("sax") as typeof import("sax");
  return new TreeBuilder(parser(true, OPTIONS), limits).read(text);
};

class TreeBuilder {
  readonly #parser: SAXParser;
  readonly #limits: XmlLimits;
  readonly #open: OpenElement[] = [];
  #elements = 0;
  #root: XmlElement | undefined;

  constructor(parser: SAXParser, limits: XmlLimits) {
    this.#parser = parser;
    this.#limits = limits;
    parser.onerror = ({ message }) => this.#refuse({ reason: message.split("\n", 1)[0] ?? "" });
    parser.ondoctype = () => this.#refuse({ reason: "it declares a document type" });
    parser.onsgmldeclaration = () => this.#refuse({ reason: "it has a declaration" });
    parser.onopentag = (tag) => this.#opened(tag);
    parser.ontext = (part) => this.#text(part);
    parser.oncdata = (part) => this.#text(part);
    parser.onclosetag = () => this.#closed();
  }

  read(text: string): XmlElement {
    this.#parser.write(text).close();
    return this.#root ?? this.#refuse({ reason: "it has no element" });
  }

  #opened({ name, attributes }: Tag | QualifiedTag): void {
    const { elementsMax, depthMax } = this.#limits;
    if (++this.#elements > elementsMax) this.#refuse({ elementsMax });
    if (this.#open.length >= depthMax) this.#refuse({ depthMax });
    if (this.#root !== undefined) this.#refuse({ reason: "it has a second root" });
    const values = Object.entries(attributes).map(([key, value]) => [key, String(value)] as const);
    this.#open.push({ name, attributes: new Map(values), children: [], text: "" });
  }

  #text(part: string): void {
    const element = this.#open.at(-1);
    if (element !== undefined) element.text += part;
  }

  #closed(): void {
    const element = this.#open.pop();
    const parent = this.#open.at(-1);
    if (element === undefined) return;
    if (parent === undefined) this.#root = element;
    else parent.children.push(element);
  }

  #refuse(details: Readonly<Record<string, string | number>>): never {
    throw xmlError("XML_INVALID", { ...details, line: this.#parser.line + 1 });
  }
}
