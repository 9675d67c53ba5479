// Bodies in JSON: the names of their fields have any case, and agents take them with underscores as well.

import { type ConsulError, consulRefusal } from "./errors.ts";

const DECODER = new TextDecoder("utf-8", { fatal: true });
// Nothing that is registered is deeper; what is read goes through it by calling itself.
const DEPTH_MAX = 32;

/** The value of a body. Throws a ConsulError with status 400. */
export function parseBody(body: unknown): unknown {
  if (!(body instanceof Uint8Array) || body.length === 0) throw badBody("EOF");
  try {
    const value: unknown = JSON.parse(DECODER.decode(body));
    if (isDeep(value, 0)) throw badBody(`more than ${DEPTH_MAX} lists and objects within each other`);
    return value;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) throw badBody(error.message.slice(0, 200));
    throw error;
  }
}

function badBody(reason: string): ConsulError {
  return consulRefusal(400, `Request decode failed: ${reason}`);
}

function isDeep(value: unknown, depth: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return depth >= DEPTH_MAX || Object.values(value).some((inner) => isDeep(inner, depth + 1));
}

/** The fields of an object, by names without case and underscores. */
export class Fields {
  readonly #values: ReadonlyMap<string, unknown>;
  readonly #path: string;

  /** Throws a ConsulError for what is no object; null has no fields. */
  constructor(value: unknown, path = "") {
    this.#path = path;
    if (value !== null && value !== undefined && (typeof value !== "object" || Array.isArray(value))) {
      throw consulRefusal(400, `Request decode failed: ${path === "" ? "the body" : path} must be an object`);
    }
    this.#values = new Map(Object.entries(value ?? {}).map(([name, field]) => [plain(name), field]));
  }

  has(name: string): boolean {
    const value = this.value(name);
    return value !== undefined && value !== null;
  }

  value(name: string): unknown {
    return this.#values.get(plain(name));
  }

  text(name: string): string {
    const value = this.value(name);
    if (value === undefined || value === null) return "";
    if (typeof value === "string") return value;
    throw this.#wrong(name, "a string");
  }

  number(name: string): number | undefined {
    const value = this.value(name);
    if (value === undefined || value === null) return undefined;
    if (typeof value === "number" && Number.isFinite(value)) return value;
    throw this.#wrong(name, "a number");
  }

  flag(name: string): boolean {
    const value = this.value(name);
    if (value === undefined || value === null) return false;
    if (typeof value === "boolean") return value;
    throw this.#wrong(name, "a boolean");
  }

  texts(name: string): string[] {
    return this.list(name).map((value) => {
      if (typeof value === "string") return value;
      throw this.#wrong(name, "a list of strings");
    });
  }

  /** The entries of a map of texts. */
  entries(name: string): Map<string, string> {
    const value = this.value(name);
    if (value === undefined || value === null) return new Map();
    if (typeof value !== "object" || Array.isArray(value)) throw this.#wrong(name, "an object of strings");
    return new Map(
      Object.entries(value).map(([key, entry]) => {
        if (typeof entry === "string") return [key, entry];
        throw this.#wrong(name, "an object of strings");
      }),
    );
  }

  /** The entries of a map of objects. */
  objects(name: string): (readonly [key: string, fields: Fields])[] {
    const value = this.value(name);
    if (value === undefined || value === null) return [];
    if (typeof value !== "object" || Array.isArray(value)) throw this.#wrong(name, "an object of objects");
    return Object.entries(value).map(([key, entry]) => [key, new Fields(entry, `${this.#at(name)}.${key}`)]);
  }

  list(name: string): readonly unknown[] {
    const value = this.value(name);
    if (value === undefined || value === null) return [];
    if (Array.isArray(value)) return value;
    throw this.#wrong(name, "a list");
  }

  /** The fields of an inner object; undefined without one. */
  inner(name: string): Fields | undefined {
    return this.has(name) ? new Fields(this.value(name), this.#at(name)) : undefined;
  }

  #at(name: string): string {
    return this.#path === "" ? name : `${this.#path}.${name}`;
  }

  #wrong(name: string, expected: string): ConsulError {
    return consulRefusal(400, `Request decode failed: ${this.#at(name)} must be ${expected}`);
  }
}

/** A field's name without case and underscores. */
export function plain(name: string): string {
  return name.toLowerCase().replaceAll("_", "");
}
