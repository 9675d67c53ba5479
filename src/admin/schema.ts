// JSON Schemas of answers (draft 2020-12, as OpenAPI 3.1 has them), in the few forms that answers are made of. A field
// that is not named is not in an answer: tests hold each answer to its schema.

/** A JSON Schema. */
export type Schema = Readonly<Record<string, unknown>>;

/** Any JSON value, as answers are made of. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

export function text(description: string): Schema {
  return { type: "string", description };
}

/** A text, or null for a fact that is missing. */
export function maybeText(description: string): Schema {
  return { type: ["string", "null"], description };
}

export function integer(description: string): Schema {
  return { type: "integer", description };
}

export function flag(description: string): Schema {
  return { type: "boolean", description };
}

export function oneOf(values: readonly string[], description: string): Schema {
  return { type: "string", enum: values, description };
}

export function list(items: Schema, description: string): Schema {
  return { type: "array", items, description };
}

/** Names with texts as their values. */
export function texts(description: string): Schema {
  return { type: "object", additionalProperties: { type: "string" }, description };
}

/** An object with these fields; those that `optional` names may be missing. */
export function object(properties: Readonly<Record<string, Schema>>, optional: readonly string[] = []): Schema {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: "object", properties, required, additionalProperties: false };
}

/** The schema, or null. */
export function orNull(schema: Schema): Schema {
  return { anyOf: [schema, { type: "null" }] };
}

/** A number that exceeds JavaScript's: versions and epochs. */
export function long(description: string): Schema {
  return { type: "string", pattern: "^-?[0-9]+$", description };
}

/** A point in time, as `2026-11-29T18:00:00.000Z`. */
export function time(description: string): Schema {
  return { type: "string", format: "date-time", description };
}
