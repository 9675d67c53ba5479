// JSON from outside, before anything is known of its types. Objects are maps here, so a name that means something to
// JavaScript is a name like any other. A reader of a field takes the types that it names and refuses all others.

import { jsonError } from "./errors.ts";

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonFields;
export interface JsonFields extends ReadonlyMap<string, JsonValue> {}

/** The fields of nothing. */
export const NO_FIELDS: JsonFields = new Map();

// The messages of clients have five levels.
const DEPTH_MAX = 16;
const DECODER = new TextDecoder("utf-8", { fatal: true });
// A wrong value is shown up to this length.
const SHOWN_CHARS_MAX = 100;

/** Reads a text in UTF-8. Throws JSON_MALFORMED. */
export function decodeJson(bytes: Uint8Array): JsonValue {
  let text: string;
  try {
    text = DECODER.decode(bytes);
  } catch {
    throw jsonError("JSON_MALFORMED", { bytes: bytes.length, expected: "UTF-8" });
  }
  return parseJson(text);
}

/** Reads a text. Throws JSON_MALFORMED. */
export function parseJson(text: string): JsonValue {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw jsonError("JSON_MALFORMED", { reason: error.message.slice(0, SHOWN_CHARS_MAX) });
  }
  return jsonValue(value, 0);
}

function jsonValue(value: unknown, depth: number): JsonValue {
  // Only the kinds of JSON come from its parser.
  if (typeof value !== "object" || value === null) return value as string | number | boolean | null;
  if (depth >= DEPTH_MAX) throw jsonError("JSON_MALFORMED", { depthMax: DEPTH_MAX });
  if (Array.isArray(value)) return value.map((item) => jsonValue(item, depth + 1));
  return new Map(Object.entries(value).map(([key, item]) => [key, jsonValue(item, depth + 1)]));
}

/** The fields of a value that must be an object. Throws JSON_FIELD_INVALID. */
export function fieldsOf(value: JsonValue | undefined, field: string): JsonFields {
  if (value instanceof Map) return value;
  throw invalid(field, value, "an object");
}

/** The text of a field; undefined if it is absent or null. Throws JSON_FIELD_INVALID. */
export function textField(fields: JsonFields, field: string): string | undefined {
  const value = fields.get(field);
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string") return value;
  throw invalid(field, value, "a text");
}

/** The number of a field within bounds; undefined if it is absent or null. Throws JSON_FIELD_INVALID. */
export function numberField(
  fields: JsonFields,
  field: string,
  { min, max }: { readonly min: number; readonly max: number },
): number | undefined {
  const value = fields.get(field);
  if (value === undefined || value === null) return undefined;
  if (typeof value === "number" && value >= min && value <= max) return value;
  throw invalid(field, value, `a number from ${min} to ${max}`);
}

/** As `numberField`, for whole numbers. */
export function wholeField(
  fields: JsonFields,
  field: string,
  bounds: { readonly min: number; readonly max: number },
): number | undefined {
  const value = numberField(fields, field, bounds);
  if (value === undefined || Number.isInteger(value)) return value;
  throw invalid(field, value, "a whole number");
}

/** The flag of a field; undefined if it is absent or null. Throws JSON_FIELD_INVALID. */
export function flagField(fields: JsonFields, field: string): boolean | undefined {
  const value = fields.get(field);
  if (value === undefined || value === null) return undefined;
  if (typeof value === "boolean") return value;
  throw invalid(field, value, "true or false");
}

/** The elements of a field, at most `max`; none if it is absent or null. Throws JSON_FIELD_INVALID. */
export function listField(fields: JsonFields, field: string, max: number): readonly JsonValue[] {
  const value = fields.get(field);
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw invalid(field, value, "a list");
  if (value.length > max) throw jsonError("JSON_FIELD_INVALID", { field, elements: value.length, elementsMax: max });
  return value;
}

/**
 * A map of texts; undefined if it is absent or null. Numbers and flags in it are taken for their texts. Throws
 * JSON_FIELD_INVALID.
 */
export function textsField(
  fields: JsonFields,
  field: string,
  entriesMax: number,
): ReadonlyMap<string, string> | undefined {
  const value = fields.get(field);
  if (value === undefined || value === null) return undefined;
  const entries = fieldsOf(value, field);
  if (entries.size > entriesMax) throw jsonError("JSON_FIELD_INVALID", { field, entries: entries.size, entriesMax });
  const texts = new Map<string, string>();
  for (const [key, item] of entries) {
    if (typeof item === "object" && item !== null) throw invalid(`${field}.${key}`, item, "a text");
    if (item !== null) texts.set(key, String(item));
  }
  return texts;
}

function invalid(field: string, value: JsonValue | undefined, expected: string): Error {
  const shown = typeof value === "object" && value !== null ? "an object or a list" : String(value);
  return jsonError("JSON_FIELD_INVALID", { field, value: shown.slice(0, SHOWN_CHARS_MAX), expected });
}
