// The parameters of a request by HTTP: those of the query and of a form are one set, as in a Java servlet. Of a name
// that is given several times the first value counts.

import { fail } from "../../base/errors.ts";
import type { HttpExchange } from "../../base/http.ts";

const FORM = "application/x-www-form-urlencoded";
const PARAMS_MAX = 200;
const SHOWN_CHARS_MAX = 100;
const DECODER = new TextDecoder("utf-8", { fatal: true });

/** The value of a header; empty if it is absent. */
export function headerOf({ headers }: Pick<HttpExchange, "headers">, name: string): string {
  const value = headers[name] ?? "";
  return typeof value === "string" ? value : (value[0] ?? "");
}

// A request is judged and handled by the same parameters.
const read = new WeakMap<object, Params>();

export class Params {
  readonly #values: ReadonlyMap<string, string>;

  constructor(values: ReadonlyMap<string, string>) {
    this.#values = values;
  }

  /** Reads them. Throws HTTP_BAD_REQUEST. */
  static of(exchange: Pick<HttpExchange, "query" | "headers" | "body">): Params {
    const { query } = exchange;
    const params = read.get(query) ?? Params.#read(exchange);
    read.set(query, params);
    return params;
  }

  static #read(exchange: Pick<HttpExchange, "query" | "headers" | "body">): Params {
    const values = new Map<string, string>();
    for (const [name, value] of Object.entries(exchange.query)) {
      values.set(name, typeof value === "string" ? value : (value[0] ?? ""));
    }
    const { body } = exchange;
    if (body instanceof Uint8Array && body.length > 0 && headerOf(exchange, "content-type").startsWith(FORM)) {
      readForm(textOf(body), values);
    }
    if (values.size > PARAMS_MAX) {
      throw fail("HTTP_BAD_REQUEST", { parameters: values.size, parametersMax: PARAMS_MAX });
    }
    return new Params(values);
  }

  /** The value; empty if it is absent. */
  text(name: string): string {
    return this.#values.get(name) ?? "";
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** A value that must be there. Throws FIELD_INVALID. */
  needed(name: string): string {
    const value = this.text(name);
    if (value === "") throw fail("FIELD_INVALID", { field: name, expected: "a value; it is missing" });
    return value;
  }

  /** A flag; undefined if it is absent. Throws FIELD_INVALID. */
  flag(...names: readonly string[]): boolean | undefined {
    for (const name of names) {
      const value = this.text(name).toLowerCase();
      if (value === "") continue;
      if (["true", "on", "yes", "1", "y"].includes(value)) return true;
      if (["false", "off", "no", "0", "n"].includes(value)) return false;
      throw wrong(name, value, "true or false");
    }
    return undefined;
  }

  /** A number within bounds; undefined if it is absent. Throws FIELD_INVALID. */
  number(name: string, { min, max }: { readonly min: number; readonly max: number }): number | undefined {
    const value = this.text(name).trim();
    if (value === "") return undefined;
    const number = Number(value);
    if (number >= min && number <= max) return number;
    throw wrong(name, value, `a number from ${min} to ${max}`);
  }

  /** As `number`, for whole numbers. */
  whole(name: string, bounds: { readonly min: number; readonly max: number }): number | undefined {
    const value = this.number(name, bounds);
    if (value === undefined || Number.isInteger(value)) return value;
    throw wrong(name, String(value), "a whole number");
  }
}

function wrong(field: string, value: string, expected: string): Error {
  return fail("FIELD_INVALID", { field, value: value.slice(0, SHOWN_CHARS_MAX), expected });
}

function textOf(body: Uint8Array): string {
  try {
    return DECODER.decode(body);
  } catch {
    throw fail("HTTP_BAD_REQUEST", { bytes: body.length, expected: "a form in UTF-8" });
  }
}

function readForm(text: string, values: Map<string, string>): void {
  for (const pair of text.split("&", PARAMS_MAX + 1)) {
    const at = pair.indexOf("=");
    const name = decoded(at < 0 ? pair : pair.slice(0, at));
    if (name !== "" && !values.has(name)) values.set(name, at < 0 ? "" : decoded(pair.slice(at + 1)));
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    throw fail("HTTP_BAD_REQUEST", { part: text.slice(0, SHOWN_CHARS_MAX), expected: "a form with whole escapes" });
  }
}
