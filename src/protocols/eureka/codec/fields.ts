// The fields of a body, before anything is known of their types. JSON and XML come in many hands' forms: a number may
// be a text, a text a number, and one element of a list may stand alone. Objects are maps here, so a name that means
// something to JavaScript is a name like any other.

import type { XmlElement } from "../../../base/xml.ts";
import { decodeXmlName } from "../../../encoding/xml/writer.ts";
import { eurekaError } from "../errorTable.ts";

export type FieldValue = string | number | boolean | null | readonly FieldValue[] | Fields;
export interface Fields extends ReadonlyMap<string, FieldValue> {}

// Ours have five levels.
const DEPTH_MAX = 16;

/** The fields of a parsed JSON text. Throws EUREKA_BODY_INVALID for too deep a nesting. */
export function fieldsOfJson(value: unknown, depth = 0): FieldValue {
  if (typeof value !== "object" || value === null) return value as string | number | boolean | null;
  if (depth >= DEPTH_MAX) throw eurekaError("EUREKA_BODY_INVALID", { depthMax: DEPTH_MAX });
  if (Array.isArray(value)) return value.map((item) => fieldsOfJson(item, depth + 1));
  return new Map(Object.entries(value).map(([key, item]) => [key, fieldsOfJson(item, depth + 1)]));
}

// The attribute of an element under the name that JSON has for it.
const ATTRIBUTES: ReadonlyMap<string, string> = new Map([
  ["enabled", "@enabled"],
  ["class", "@class"],
]);

/**
 * The fields of an element, in the form that JSON has: a text if it has nothing but text, the text of an element with
 * attributes as `$`, and elements of one name as a list.
 */
export function fieldsOfXml({ attributes, children, text }: XmlElement): FieldValue {
  if (attributes.size === 0 && children.length === 0) return text;
  const fields = new Map<string, FieldValue>();
  for (const [name, value] of attributes) fields.set(ATTRIBUTES.get(name) ?? `@${name}`, value);
  if (children.length === 0) return text.trim() === "" ? fields : fields.set("$", text);
  for (const child of children) {
    const name = decodeXmlName(child.name);
    const [before, value] = [fields.get(name), fieldsOfXml(child)];
    if (before === undefined) fields.set(name, value);
    else if (Array.isArray(before)) before.push(value);
    else fields.set(name, [before, value]);
  }
  return fields;
}

/** The fields of a value that must have some. Throws EUREKA_BODY_INVALID. */
export function fieldsOf(value: FieldValue | undefined, field: string): Fields {
  if (value instanceof Map) return value;
  throw eurekaError("EUREKA_BODY_INVALID", { field, expected: "an object" });
}

/** As `fieldsOf`; no fields for what is not given, and for XML's element with nothing in it. */
export function optionalFields(value: FieldValue | undefined, field: string): Fields {
  const isEmpty = value === undefined || value === null || (typeof value === "string" && value.trim() === "");
  return isEmpty ? new Map() : fieldsOf(value, field);
}

/** A text, also one that was written as a number; undefined if there is none. Throws EUREKA_BODY_INVALID. */
export function textField(fields: Fields, field: string): string | undefined {
  const value = fields.get(field);
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "object") return String(value);
  throw eurekaError("EUREKA_BODY_INVALID", { field, expected: "a text" });
}

/** A whole number, also one that was written as a text; undefined if there is none. Throws EUREKA_BODY_INVALID. */
export function wholeField(fields: Fields, field: string, max: number): number | undefined {
  const text = textField(fields, field)?.trim();
  if (text === undefined || text === "") return undefined;
  const value = Number(text);
  if (Number.isInteger(value) && value >= 0 && value <= max) return value;
  throw eurekaError("EUREKA_BODY_INVALID", {
    field,
    value: text.slice(0, 100),
    expected: `a whole number up to ${max}`,
  });
}

export function booleanField(fields: Fields, field: string): boolean | undefined {
  const text = textField(fields, field)?.trim().toLowerCase();
  return text === undefined || text === "" ? undefined : text === "true";
}
