// The output of commands: answers as tables for people, or whole for scripts; notes and failures on standard error.

import { flagOf, type OperationCommand } from "../admin/command.ts";
import type { Json } from "../admin/schema.ts";
import type { RegistryError } from "../base/errors.ts";
import { visible } from "../base/visible.ts";
import { aligned } from "./aligned.ts";
import type { ExitCode } from "./exitCodes.ts";
import type { Answer } from "./nodeClient.ts";
import { yamlOf } from "./yaml.ts";

/** The forms of an answer: `wide` has all columns, `name` only the name of each row. */
export const OUTPUT_FORMS = ["table", "wide", "json", "yaml", "name"] as const;

export type OutputForm = (typeof OUTPUT_FORMS)[number];

export type Row = Readonly<Record<string, Json>>;

const LEADERLESS = "no meta node leads at the moment; this is what the asked node knows; `roster doctor` says more";

const BEHIND =
  "not confirmed yet to have the newest rules; it takes a second, and nodes of an earlier release apply none";

/** Prints an answer; what is missing from it is said on standard error, except for scripts that read the whole. */
export function printAnswer(command: OperationCommand, answer: Answer, form: OutputForm): void {
  if (form === "json" || form === "yaml") return console.log(encoded(answer, form));
  for (const note of notesOn(answer)) printNote(note);
  for (const line of linesOf(command, answer, form)) console.log(line);
}

/** A value as JSON or YAML. Escapes in texts leave their values the same. */
export function encoded(value: Json, form: "json" | "yaml"): string {
  if (form === "yaml") return yamlOf(value);
  return JSON.stringify(value, undefined, 2).split("\n").map(visible).join("\n");
}

/** A line for people on standard error. */
export function printNote(note: string): void {
  console.error(visible(`roster: ${note}`));
}

/** Prints a failure: for scripts that asked for JSON as JSON. */
export function printFailure({ code, message, retry }: RegistryError, exit: ExitCode, isJson: boolean): void {
  const shown = visible(message);
  console.error(isJson ? JSON.stringify({ error: { code, message: shown, retry, exit } }) : `roster: ${shown}`);
}

/** The rows of an answer; the answer itself if it has none. */
export function rowsOf({ rows }: OperationCommand, answer: Answer): readonly Row[] {
  const found = rows === undefined ? [answer] : answer[rows];
  return Array.isArray(found) ? (found as readonly Row[]) : [];
}

/** The name of a row: its first column. */
export function nameOf({ columns }: OperationCommand, row: Row): string {
  return cell(row[columns[0] ?? ""]);
}

/** The cells of a row. */
export function cellsOf(command: OperationCommand, row: Row, form: OutputForm): string[] {
  return (form === "wide" ? command.wide : command.columns).map((column) => visible(cell(row[column])));
}

/** The heads of the columns. */
export function headsOf(command: OperationCommand, form: OutputForm): string[] {
  return (form === "wide" ? command.wide : command.columns).map((column) => flagOf(column).toUpperCase());
}

function linesOf(command: OperationCommand, answer: Answer, form: OutputForm): string[] {
  const { message } = answer;
  if (command.rows === undefined && typeof message === "string") return [visible(message)];
  const rows = rowsOf(command, answer);
  if (form === "name")
    return [...new Set(rows.map((row) => visible(nameOf(command, row))))].filter((name) => name !== "-");
  if (command.rows === undefined) return aligned(fieldsOf(answer));
  const table = aligned([headsOf(command, form), ...rows.map((row) => cellsOf(command, row, form))]);
  const isList = command.words[0]?.startsWith("get ") === true;
  const { [command.rows]: _, unreachable: __, ...others } = answer;
  return isList ? table : [...aligned(fieldsOf(others)), "", ...table];
}

function fieldsOf(answer: Answer): string[][] {
  return Object.entries(answer).map(([name, value]) => [`${flagOf(name)}:`, visible(cell(value))]);
}

function notesOn(answer: Answer): string[] {
  const { leader, unreachable, isCut, isWhole, behind, next, total } = answer;
  const silent = Array.isArray(unreachable) ? (unreachable as readonly Row[]) : [];
  return [
    ...(leader === null ? [LEADERLESS] : []),
    ...silent.map(({ node, reason }) => `${node} did not answer, and what it knows is missing: ${reason}`),
    ...(isWhole === false ? ["some slots did not answer in time, and rows may be missing; try again"] : []),
    ...(Array.isArray(behind) && behind.length > 0 ? [`${cell(behind)}: ${BEHIND}`] : []),
    ...(isCut === true ? ["there are more rows than --limit; raise it"] : []),
    ...(typeof next === "string"
      ? [`this is a part of ${total}; --all shows all, --after '${next}' the next part`]
      : []),
  ];
}

function cell(value: Json | undefined): string {
  if (Array.isArray(value)) return value.length === 0 ? "-" : value.map(cell).join(",");
  if (typeof value === "object" && value !== null) {
    const named = Object.entries(value).filter(([, each]) => each !== null);
    return named.length === 0 ? "-" : named.map(([name, each]) => `${name}=${cell(each)}`).join(" ");
  }
  return value === undefined || value === null || value === "" ? "-" : String(value);
}
