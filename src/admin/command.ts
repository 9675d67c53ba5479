// The command of `roster` for an operation: words, arguments, flags and columns, from its row in the table. A row says
// what does not follow from its name, parameters and answer, and nothing else.

import { assert } from "../base/assert.ts";
import type { Operation } from "./operation.ts";
import type { Parameter } from "./parameter.ts";
import type { Schema } from "./schema.ts";

export interface NamedParameter {
  readonly name: string;
  readonly parameter: Parameter;
}

/** An operation as a command. */
export interface OperationCommand {
  readonly operation: Operation;
  /** `get nodes`: the main one, then its aliases. */
  readonly words: readonly string[];
  /** The parameters that are written without a flag; the required ones first. */
  readonly positional: readonly NamedParameter[];
  /** The others, with `--` and the name in kebab case. */
  readonly flags: readonly NamedParameter[];
  /** The field of the answer with the rows of a table; undefined for an answer that is one row. */
  readonly rows: string | undefined;
  /** The fields of a row that a table shows, the name of the row first. */
  readonly columns: readonly string[];
  /** All fields of a row, those first. */
  readonly wide: readonly string[];
}

/** The command of an operation. */
export function commandOf(operation: Operation): OperationCommand {
  const { parameters, command = {}, answer } = operation;
  const all = Object.entries(parameters).map(([name, parameter]) => ({ name, parameter }));
  const required = all.filter(({ parameter }) => parameter.isRequired === true);
  const names = command.positional ?? required.map(({ name }) => name);
  const positional = names.map((name) => {
    const found = all.find((each) => each.name === name);
    assert(found !== undefined, `${operation.name}: ${name} is one of its parameters`);
    return found;
  });
  const rows = rowsOf(answer);
  const fields = Object.entries(propertiesOf(rows?.row ?? answer));
  const plain = fields.filter(([, schema]) => isPlain(schema)).map(([name]) => name);
  const columns = command.columns ?? plain;
  const others = fields.map(([name]) => name).filter((name) => !columns.includes(name));
  return {
    operation,
    words: command.words ?? [wordsOf(operation.name)],
    positional,
    flags: all.filter(({ name }) => !names.includes(name)),
    rows: rows?.name,
    columns,
    wide: [...columns, ...others],
  };
}

/** `waitMs` as a flag: `wait-ms`. */
export function flagOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** `services.list` is `get services`, `services.describe` is `describe service`, `rules.add` is `rule add`. */
function wordsOf(name: string): string {
  const [subject = "", verb = ""] = name.split(".");
  switch (verb) {
    case "list":
      return `get ${subject}`;
    case "get":
    case "describe":
      return `${verb} ${singular(subject)}`;
    default:
      return `${singular(subject)} ${verb}`;
  }
}

function singular(subject: string): string {
  return subject.replace(/s$/, "");
}

/** The rows of an answer: its `items`, or the only list of objects that it has. */
function rowsOf(answer: Schema): { readonly name: string; readonly row: Schema } | undefined {
  const lists = Object.entries(propertiesOf(answer)).flatMap(([name, schema]) => {
    const row = schema["items"];
    return isSchema(row) && row["type"] === "object" ? [{ name, row }] : [];
  });
  return lists.find(({ name }) => name === "items") ?? (lists.length === 1 ? lists[0] : undefined);
}

function propertiesOf(schema: Schema): Readonly<Record<string, Schema>> {
  const properties = schema["properties"];
  return isSchema(properties) ? (properties as Readonly<Record<string, Schema>>) : {};
}

function isSchema(value: unknown): value is Schema {
  return typeof value === "object" && value !== null;
}

function isPlain({ type }: Schema): boolean {
  return type !== "array" && type !== "object";
}
