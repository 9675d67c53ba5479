// Parameters of operations: their types and limits, and how a value is read from a query, where everything is a text,
// or from a body in JSON. A value that is not understood is refused by its name, never ignored.

import { fail, type RegistryError } from "../base/errors.ts";
import { visible } from "../base/visible.ts";
import { readAddressOrBlock } from "../model/addressBlock.ts";
import { readHost } from "../model/hostAddress.ts";
import { isNodeId, type ServiceKey } from "../model/ids.ts";
import { KEY_PART_CHARS_MAX, makeServiceKey, SEPARATOR } from "../model/serviceKey.ts";
import type { Json, Schema } from "./schema.ts";

interface Common {
  /** Its meaning, in one sentence. */
  readonly about: string;
  readonly isRequired?: true;
}

export interface TextParameter extends Common {
  readonly type: "text";
  readonly charsMax: number;
  readonly default?: string;
  /** It is never shown or logged. */
  readonly isSecret?: true;
}

export interface IntegerParameter extends Common {
  readonly type: "integer";
  readonly min: number;
  readonly max: number;
  readonly default: number;
}

export interface FlagParameter extends Common {
  readonly type: "flag";
}

export interface ChoiceParameter extends Common {
  readonly type: "choice";
  readonly oneOf: readonly string[];
}

/** A service's key, or its name alone for the default namespace and group. Its value is the key. */
export interface ServiceParameter extends Common {
  readonly type: "service";
}

/** An IP address, in any of its written forms. Its value is the host as ids of clients name it. */
export interface AddressParameter extends Common {
  readonly type: "address";
}

/** An IP address or a block of them, in the form of `readAddressOrBlock`. */
export interface BlockParameter extends Common {
  readonly type: "addressOrBlock";
}

/** A length of time with its unit: `90s`, `30m`, `1h30m`, `7d`. Its value is in milliseconds. */
export interface DurationParameter extends Common {
  readonly type: "duration";
}

/** A point in time with its zone, as `2026-11-29T18:00:00Z`. Its value is in milliseconds. */
export interface TimeParameter extends Common {
  readonly type: "time";
}

/** A node's name or id. */
export interface NodeParameter extends Common {
  readonly type: "node";
}

/** A version: a whole number of up to 63 bits, as a text. */
export interface VersionParameter extends Common {
  readonly type: "version";
}

/** Some values of one kind; in a query separated by commas, or given several times. */
export interface ListParameter extends Common {
  readonly type: "list";
  readonly of: TextParameter | ChoiceParameter | ServiceParameter | AddressParameter | BlockParameter | NodeParameter;
  readonly countMax: number;
}

export type Parameter =
  | TextParameter
  | IntegerParameter
  | FlagParameter
  | ChoiceParameter
  | ServiceParameter
  | AddressParameter
  | BlockParameter
  | NodeParameter
  | DurationParameter
  | TimeParameter
  | VersionParameter
  | ListParameter;

/** The parameters of an operation by their names. */
export type ParameterTable = Readonly<Record<string, Parameter>>;

type Given<P extends Parameter> = P extends IntegerParameter | DurationParameter | TimeParameter
  ? number
  : P extends FlagParameter
    ? boolean
    : P extends VersionParameter
      ? bigint
      : P extends ServiceParameter
        ? ServiceKey
        : P extends ListParameter
          ? readonly Given<P["of"]>[]
          : P extends ChoiceParameter
            ? P["oneOf"][number]
            : string;

type HasDefault = { readonly default: string | number } | { readonly isRequired: true } | { readonly type: "flag" };

/** The values of the parameters of an operation. One without a default may be missing. */
export type Values<T extends ParameterTable> = {
  readonly [Name in keyof T]: T[Name] extends HasDefault ? Given<T[Name]> : Given<T[Name]> | undefined;
};

/** Parameters as JSON has them, by name, before they are read. */
export type RawParameters = Readonly<Record<string, unknown>>;

/** The parameters of a query in the types that a body has them in; a value that does not fit stays as it is. */
export function parametersOfQuery(
  table: ParameterTable,
  query: Readonly<Record<string, string | readonly string[]>>,
): RawParameters {
  return Object.fromEntries(
    Object.entries(query).map(([name, given]) => [
      name,
      Object.hasOwn(table, name) ? ofText(table[name], given) : given,
    ]),
  );
}

function ofText(parameter: Parameter | undefined, given: string | readonly string[]): unknown {
  if (parameter?.type === "list") {
    const parts = (typeof given === "string" ? [given] : given).flatMap((part) => part.split(","));
    return parts.length === 1 && parts[0] === "" ? [] : parts;
  }
  if (typeof given !== "string") return given;
  if (parameter?.type === "integer" && /^-?\d{1,15}$/.test(given)) return Number(given);
  if (parameter?.type === "flag" && /^(true|false)$/.test(given)) return given === "true";
  return given;
}

/** Reads all parameters. Throws FIELD_INVALID, with the name, the value and what is expected. */
export function readParameters(table: ParameterTable, raw: RawParameters): Record<string, unknown> {
  for (const name of Object.keys(raw)) {
    if (Object.hasOwn(table, name)) continue;
    const known = Object.keys(table);
    const expected = known.length === 0 ? "no parameters" : `one of ${known.join(", ")}`;
    throw fail("FIELD_INVALID", { field: name, expected });
  }
  return Object.fromEntries(
    Object.entries(table).map(([name, parameter]) => [name, readParameter(name, parameter, raw[name])]),
  );
}

function readParameter(name: string, parameter: Parameter, raw: unknown): unknown {
  if (raw !== undefined) return read(name, parameter, raw);
  if (parameter.isRequired) throw fail("FIELD_INVALID", { field: name, value: "", expected: expectedOf(parameter) });
  if (parameter.type === "flag") return false;
  return "default" in parameter ? parameter.default : undefined;
}

function read(field: string, parameter: Parameter, raw: unknown): unknown {
  const refused = () => refusal(field, raw, expectedOf(parameter));
  switch (parameter.type) {
    case "integer": {
      const isInRange = typeof raw === "number" && raw >= parameter.min && raw <= parameter.max;
      if (!isInRange || !Number.isSafeInteger(raw)) throw refused();
      return raw;
    }
    case "flag":
      if (typeof raw !== "boolean") throw refused();
      return raw;
    case "list": {
      if (!Array.isArray(raw) || raw.length === 0 || raw.length > parameter.countMax) throw refused();
      return raw.map((each) => read(field, parameter.of, each));
    }
    default:
      if (typeof raw !== "string") throw refused();
      return readText(field, parameter, raw);
  }
}

type OfText = Exclude<Parameter, IntegerParameter | FlagParameter | ListParameter>;

function readText(field: string, parameter: OfText, raw: string): unknown {
  const refused = () => refusal(field, raw, expectedOf(parameter));
  switch (parameter.type) {
    case "text":
      if (raw.length > parameter.charsMax) throw refused();
      return raw;
    case "choice":
      if (!parameter.oneOf.includes(raw)) throw refused();
      return raw;
    case "service": {
      const parts = raw.split(SEPARATOR);
      if (parts.length !== 1 && parts.length !== 3) throw refused();
      const [name = "", namespace = "", group = ""] = parts;
      return makeServiceKey({ name, namespace, group }, { name: field, namespace: field, group: field });
    }
    case "address": {
      const host = readHost(raw);
      if (typeof host !== "string") throw refused();
      return host;
    }
    case "addressOrBlock": {
      const address = readAddressOrBlock(raw);
      // Its own refusal names the block that was probably meant.
      if (typeof address !== "string") throw refusal(field, raw, String(address.details["expected"]));
      return address;
    }
    case "node":
      if (!isNodeId(raw)) throw refused();
      return raw;
    default: {
      const number = readNumber(parameter.type, raw);
      if (number === undefined) throw refused();
      return number;
    }
  }
}

function readNumber(type: "duration" | "time" | "version", raw: string): number | bigint | undefined {
  switch (type) {
    case "duration":
      return readDuration(raw);
    case "time":
      return readTime(raw);
    default:
      return readVersion(raw);
  }
}

const UNIT_MS: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000 };
// A longer time is a slip; a thing that stays needs no end.
const DURATION_MS_MAX = 3_660 * 86_400_000;

function readDuration(raw: string): number | undefined {
  if (!/^(?:\d{1,6}[dhms])+$/.test(raw) || raw.length > 28) return undefined;
  let ms = 0;
  for (const [, count, unit] of raw.matchAll(/(\d+)([dhms])/g)) ms += Number(count) * (UNIT_MS[unit ?? ""] ?? 0);
  return ms > 0 && ms <= DURATION_MS_MAX ? ms : undefined;
}

function readTime(raw: string): number | undefined {
  // A time without its zone is another one on each machine.
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/.test(raw)) return undefined;
  const ms = Date.parse(raw);
  return Number.isNaN(ms) ? undefined : ms;
}

function readVersion(raw: string): bigint | undefined {
  const version = /^\d{1,19}$/.test(raw) ? BigInt(raw) : undefined;
  return version !== undefined && version < 2n ** 63n ? version : undefined;
}

const SHOWN_CHARS_MAX = 120;

function refusal(field: string, raw: unknown, expected: string): RegistryError {
  const shown = typeof raw === "string" ? raw : (JSON.stringify(raw) ?? String(raw));
  return fail("FIELD_INVALID", { field, value: visible(shown.slice(0, SHOWN_CHARS_MAX)), expected });
}

/** In words: the values that a parameter takes. */
export function expectedOf(parameter: Parameter): string {
  switch (parameter.type) {
    case "text":
      return `a text of at most ${parameter.charsMax} characters`;
    case "integer":
      return `a whole number, ${parameter.min} to ${parameter.max}`;
    case "flag":
      return "true or false";
    case "choice":
      return `one of ${parameter.oneOf.join(", ")}`;
    case "service":
      return `a service: its name, or name${SEPARATOR}namespace${SEPARATOR}group`;
    case "address":
      return "an IP address, and no range of addresses";
    case "addressOrBlock":
      return "an IP address, or a block of them as 10.0.0.0/8";
    case "node":
      return "a node's name or id";
    case "duration":
      return "a time with its unit, as 90s, 30m, 1h30m or 7d";
    case "time":
      return "a point in time with its zone, as 2026-11-29T18:00:00Z";
    case "version":
      return "a version, a whole number as a text";
    default:
      return `1 to ${parameter.countMax} values, each ${expectedOf(parameter.of)}`;
  }
}

/** The schema of a parameter's values in JSON. */
export function schemaOf(parameter: Parameter): Schema {
  switch (parameter.type) {
    case "text":
      return { type: "string", maxLength: parameter.charsMax, ...byDefault(parameter.default) };
    case "integer":
      return { type: "integer", minimum: parameter.min, maximum: parameter.max, ...byDefault(parameter.default) };
    case "flag":
      return { type: "boolean", default: false };
    case "choice":
      return { type: "string", enum: parameter.oneOf };
    case "service":
      return { type: "string", minLength: 1, maxLength: 3 * KEY_PART_CHARS_MAX + 2 * SEPARATOR.length };
    case "address":
      return { type: "string", minLength: 2, maxLength: 128 };
    case "addressOrBlock":
      return { type: "string", minLength: 2, maxLength: 132 };
    case "node":
      return { type: "string", pattern: "^[A-Za-z0-9._-]{1,128}$" };
    case "duration":
      return { type: "string", pattern: "^([0-9]{1,6}[dhms])+$", maxLength: 28 };
    case "time":
      return { type: "string", format: "date-time" };
    case "version":
      return { type: "string", pattern: "^[0-9]{1,19}$" };
    default:
      return { type: "array", minItems: 1, maxItems: parameter.countMax, items: schemaOf(parameter.of) };
  }
}

function byDefault(value: Json | undefined): Schema {
  return value === undefined ? {} : { default: value };
}
