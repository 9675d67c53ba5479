// Reads the fields of a record's JSON. A record of a later release, or a damaged one, is unreadable as a whole.

/** Thrown for JSON that this program does not write. */
export class Unreadable extends Error {}

export type Fields = Readonly<Record<string, unknown>>;

export function fieldsIn(json: unknown): Fields {
  if (typeof json === "object" && json !== null && !Array.isArray(json)) return json as Fields;
  throw new Unreadable("no object");
}

export function listIn(json: unknown): readonly unknown[] {
  if (Array.isArray(json)) return json as readonly unknown[];
  throw new Unreadable("no list");
}

export function textIn(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value === "string") return value;
  throw new Unreadable(`${name} is no text`);
}

export function flagIn(fields: Fields, name: string): boolean {
  const value = fields[name];
  if (typeof value === "boolean") return value;
  throw new Unreadable(`${name} is neither true nor false`);
}

export function numberIn(fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw new Unreadable(`${name} is no number`);
}

/** Undefined where the field is not given. */
export function numberIfIn(fields: Fields, name: string): number | undefined {
  return fields[name] === undefined ? undefined : numberIn(fields, name);
}

/** One of some words. */
export function wordIn<Word extends string>(fields: Fields, name: string, words: readonly Word[]): Word {
  const word = words.find((one) => one === fields[name]);
  if (word !== undefined) return word;
  throw new Unreadable(`${name} is not known`);
}

/** A map, as pairs: names of objects may be `__proto__`. */
export function mapIn(fields: Fields, name: string): Map<string, string> {
  return new Map(
    listIn(fields[name]).map((entry) => {
      const [key, value] = listIn(entry);
      if (typeof key === "string" && typeof value === "string") return [key, value];
      throw new Unreadable(`${name} has no texts`);
    }),
  );
}
