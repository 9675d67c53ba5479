// Writes XML in the form of Java's XStream: each element on a line of its own, two blanks for a level, and names of
// fields that XML does not allow as names written with escapes.

/** An element to write: with a text, or with children, or empty. */
export interface XmlNode {
  readonly name: string;
  readonly attributes?: readonly (readonly [name: string, value: string])[];
  /** Its text; empty for an element with a start and an end and nothing between. */
  readonly text?: string;
  readonly children?: readonly XmlNode[];
}

/** The element with its children, from `depth` on, ending with a line break. */
export function writeXml({ name, attributes = [], text, children = [] }: XmlNode, depth = 0): string {
  const indent = "  ".repeat(depth);
  const start = `${indent}<${name}${attributes.map(([key, value]) => ` ${key}="${escapedXml(value)}"`).join("")}`;
  if (text !== undefined) return `${start}>${escapedXml(text)}</${name}>\n`;
  if (children.length === 0) return `${start}/>\n`;
  return `${start}>\n${children.map((child) => writeXml(child, depth + 1)).join("")}${indent}</${name}>\n`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
  "\r": "&#xd;",
};
const PLAIN = /^[\t\n !#-%(-;=?-~]*$/;
// XML 1.0 has no form for other characters, not even an escape: one would make the whole document unreadable.
const UNWRITABLE = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

/** The text as it stands in an element or an attribute; characters that XML can't hold are replaced. */
export function escapedXml(text: string): string {
  if (PLAIN.test(text)) return text;
  return text.replace(UNWRITABLE, "\ufffd").replace(/[&<>"'\r]/g, (character) => ESCAPES[character] ?? character);
}

// XStream lets more letters stand as they are, and reads these escapes as well.
const NAME_START = /[A-Za-z]/;
const NAME_PART = /[A-Za-z0-9.-]/;

/**
 * Any text as the name of an element, as XStream makes it: `_` is doubled, `$` is `_-`, and a character that may not
 * stand there is `_.` with four hexadecimal digits.
 */
export function encodeXmlName(name: string): string {
  let encoded = "";
  for (let at = 0; at < name.length; at++) {
    const unit = name.charAt(at);
    if (unit === "_") encoded += "__";
    else if (unit === "$") encoded += "_-";
    else if ((at === 0 ? NAME_START : NAME_PART).test(unit)) encoded += unit;
    else encoded += `_.${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  }
  return encoded;
}

/** The text of an encoded name; an underscore that begins no escape stands for itself, as other programs write it. */
export function decodeXmlName(name: string): string {
  if (!name.includes("_")) return name;
  return name.replace(/__|_-|_\.([0-9a-f]{4})/g, (escaped: string, code: string | undefined) => {
    if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16));
    return escaped === "__" ? "_" : "$";
  });
}
