// A command for each operation of the table: its words, arguments, flags and help come from the row.

import { readFileSync } from "node:fs";
import { Argument, type Command, Option } from "commander";
import { commandOf, flagOf, type NamedParameter, type OperationCommand } from "../admin/command.ts";
import type { Operation } from "../admin/operation.ts";
import { expectedOf, type Parameter, parametersOfQuery, type RawParameters } from "../admin/parameter.ts";
import { assert } from "../base/assert.ts";
import { fail } from "../base/errors.ts";
import { askAllPages, isPaged } from "./allPages.ts";
import { addNodeFlags, clientOf, commandAt, completeWith, type NodeFlags } from "./commandKit.ts";
import { printAnswer, printNote } from "./output.ts";
import { awaitDrained } from "./waitForDrain.ts";

interface Flags extends NodeFlags {
  readonly all?: boolean;
  readonly file?: string;
  readonly waitMs?: string;
}

// Flags of commands beside those of the parameters; a parameter of one of these names would not be reachable.
const OWN_FLAGS = ["url", "context", "cacert", "cert", "key", "output", "file", "help"];

/** Adds the commands of these operations. */
export function addOperationCommands(root: Command, operations: readonly Operation[]): void {
  for (const operation of operations) {
    const form = commandOf(operation);
    const [main = "", ...aliases] = form.words;
    addCommand(root, main, form);
    for (const alias of aliases) {
      addCommand(root, alias, form, { isHidden: !alias.includes(" ") }).summary(`the same as ${main}`);
    }
  }
}

function addCommand(root: Command, words: string, form: OperationCommand, { isHidden = false } = {}): Command {
  const command = addNodeFlags(commandAt(root, words, { isHidden })).helpGroup("Operations:");
  command.description(form.operation.about);
  addParameters(command, form);
  if (isPaged(form.operation)) command.option("--all", "all parts of the list, one after the other");
  if (form.operation.name === "nodes.drain") {
    command.option("--wait-ms <ms>", "wait this long for the node to have handed over its work and gone");
  }
  return command.action(() => run(command, form));
}

/** Adds the arguments and flags of an operation. */
export function addParameters(command: Command, { operation, positional, flags }: OperationCommand): void {
  for (const each of positional) command.addArgument(argumentOf(operation, each));
  for (const { name, parameter } of flags) {
    const isOwn = OWN_FLAGS.includes(name) || (name === "all" && isPaged(operation));
    assert(!isOwn, `${operation.name}: the command line has a flag ${name} of its own`);
    command.addOption(optionOf(name, parameter));
  }
  const fromFile = fromFileOf(operation);
  if (fromFile !== undefined) {
    const what = operation.takesValue ? "the value" : `the values of ${fromFile}`;
    const file = new Option("--file <file>", `read ${what} from a file instead; - for standard input`);
    command.addOption(completeWith(file, "file"));
  }
}

/** The parameter whose values may be in a file. */
function fromFileOf({ takesValue, command }: Operation): string | undefined {
  return takesValue ? "data" : command?.fromFile;
}

function argumentOf(operation: Operation, { name, parameter }: NamedParameter): Argument {
  const isRequired = parameter.isRequired === true && fromFileOf(operation) !== name;
  const word = parameter.type === "list" ? `${name}...` : name;
  const argument = new Argument(isRequired ? `<${word}>` : `[${word}]`, aboutOf(parameter));
  return completeWith(argument, parameter);
}

function optionOf(name: string, parameter: Parameter): Option {
  const flag = `--${flagOf(name)}`;
  if (parameter.type === "flag") return new Option(flag, parameter.about);
  const values = parameter.type === "list" ? "<values...>" : "<value>";
  return completeWith(new Option(`${flag} ${values}`, aboutOf(parameter)), parameter);
}

function aboutOf(parameter: Parameter): string {
  const byDefault = "default" in parameter && parameter.default !== "" ? `; default ${parameter.default}` : "";
  return `${parameter.about.replace(/\.$/, "")} (${expectedOf(parameter)}${byDefault})`;
}

/** The parameters that a command line gives. Throws FIELD_INVALID or FILE_UNUSABLE. */
export function givenParameters(command: Command, { operation, positional, flags }: OperationCommand): RawParameters {
  const options = command.opts<Readonly<Record<string, string | boolean | readonly string[] | undefined>>>();
  const texts: Record<string, string | readonly string[]> = {};
  for (const [at, { name }] of positional.entries()) {
    const given = command.processedArgs[at];
    if (given !== undefined && given.length > 0) texts[name] = given;
  }
  for (const { name } of flags) {
    const given = options[name];
    if (given !== undefined) texts[name] = typeof given === "boolean" ? String(given) : given;
  }
  const file = options["file"];
  const fromFile = fromFileOf(operation);
  if (fromFile !== undefined && typeof file === "string")
    texts[fromFile] = fileValue(operation, fromFile, { texts, file });
  // The machine knows the user that the node can't know.
  const user = process.env["USER"] ?? "";
  if ("setBy" in operation.parameters && texts["setBy"] === undefined && user !== "") texts["setBy"] = user;
  return parametersOfQuery(operation.parameters, texts);
}

interface FileValue {
  readonly texts: Readonly<Record<string, unknown>>;
  readonly file: string;
}

/** The text of the file; for a list its words, which blanks, commas and line breaks part. */
function fileValue({ parameters }: Operation, name: string, { texts, file }: FileValue): string | readonly string[] {
  if (name in texts) {
    throw fail("FIELD_INVALID", { field: "--file", value: file, expected: "a value on the command line or a file" });
  }
  const text = readInput(file);
  return parameters[name]?.type === "list" ? text.split(/[\s,]+/).filter((word) => word !== "") : text;
}

/** The text of a file; of standard input for `-`. Throws FILE_UNUSABLE. */
export function readInput(file: string): string {
  try {
    return readFileSync(file === "-" ? 0 : file, "utf8");
  } catch (error) {
    throw fail("FILE_UNUSABLE", { file, reason: String(error) });
  }
}

async function run(command: Command, form: OperationCommand): Promise<void> {
  const { all = false, output, waitMs, ...flags } = command.opts<Flags>();
  const { operation } = form;
  const client = clientOf(flags);
  const parameters = givenParameters(command, form);
  if (all && isPaged(operation)) return printAnswer(form, await askAllPages(client, operation, parameters), output);
  const isWaiting = operation.name === "nodes.drain" && waitMs !== undefined && parameters["preview"] !== true;
  const target = isWaiting ? await awaitDrained(client, parameters, waitMs) : undefined;
  const answer = await client.ask(operation, parameters);
  printAnswer(form, answer, output);
  if (target !== undefined) printNote(await target.gone());
}
