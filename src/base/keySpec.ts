// The shape of one row of the configuration table. The row is the single source of a key: its flag, environment
// variable, parser, help text and reference page are made from it.

interface KeyCommon {
  /** The heading under which help and reference page list the key. */
  readonly section: string;
  /** One sentence: the key's effect. */
  readonly about: string;
  /** One sentence: the cost of a larger value (or of the other choice). */
  readonly cost: string;
}

/** A whole number between `min` and `max`, both allowed; a duration counts milliseconds. */
export interface NumberKey extends KeyCommon {
  readonly type: "integer" | "duration-ms";
  readonly default: number;
  readonly min: number;
  readonly max: number;
  readonly unit: string;
  /** 0 is allowed too, whatever `min` is: it stands for a number that the program finds by itself. */
  readonly isZeroAllowed?: true;
}

/** On or off. */
export interface BooleanKey extends KeyCommon {
  readonly type: "boolean";
  readonly default: boolean;
}

/** Text: one of a few words, or a text that matches `pattern`, which `allowed` describes in words. */
export interface StringKey extends KeyCommon {
  readonly type: "string";
  readonly default: string;
  readonly oneOf?: readonly string[];
  readonly pattern?: RegExp;
  readonly allowed?: string;
  /** The value may hold a password: it is never shown. */
  readonly isSecret?: true;
}

/** A file or folder; a relative one counts from the working directory. */
export interface PathKey extends KeyCommon {
  readonly type: "path";
  readonly default: string;
  /** An empty text stands for no file. */
  readonly isEmptyAllowed?: true;
}

/** Several texts: separated by commas in flags and environment, an array in the file. */
export interface ListKey extends KeyCommon {
  readonly type: "list";
  readonly default: readonly string[];
  readonly oneOf?: readonly string[];
  readonly pattern?: RegExp;
  readonly allowed?: string;
}

/** One row of the configuration table. */
export type KeySpec = NumberKey | BooleanKey | StringKey | PathKey | ListKey;

/** The TypeScript type of a row's values. */
export type ValueOf<S extends KeySpec> = S extends NumberKey
  ? number
  : S extends BooleanKey
    ? boolean
    : S extends ListKey
      ? S extends { readonly oneOf: readonly (infer Word)[] }
        ? readonly Word[]
        : readonly string[]
      : S extends { readonly oneOf: readonly (infer Word)[] }
        ? Word
        : string;

/** Any value of any row. */
export type SettingValue = ValueOf<KeySpec>;

/** `bolt-port` as `boltPort`, for types. */
export type CamelCase<K extends string> = K extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : K;

/** `http-port` as `httpPort`. */
export function camelCase<K extends string>(key: K): CamelCase<K> {
  return key.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase()) as CamelCase<K>;
}

// The common parts of many rows.
export const PORT = { type: "integer", min: 0, max: 65_535, unit: "port" } as const;
export const DURATION = { type: "duration-ms", unit: "ms" } as const;
export const BYTES = { type: "integer", unit: "bytes" } as const;
