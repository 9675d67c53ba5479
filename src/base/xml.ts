// XML as pure code sees it: trees of elements. The server reads texts with a library; writing needs none
// (encoding/xml/writer.ts).

/** An element: its own text, without that of its children, and no trace of comments. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  readonly text: string;
}

export interface XmlLimits {
  readonly elementsMax: number;
  readonly depthMax: number;
}

/**
 * Reads a document and returns its root. Throws XML_INVALID if it is not well-formed, beyond the limits, or has a
 * document type: entities that a document declares itself can make a short text long, or name a file.
 */
export type XmlReader = (text: string, limits: XmlLimits) => XmlElement;
